/* The address of the state word (src/fork/mod.rs), where C can read it: the shared library's exit entry does. */
#include <stdint.h>

uint64_t *keystead_state_word = 0;

void keystead_publish_state_word(uint64_t *word) { __atomic_store_n(&keystead_state_word, word, __ATOMIC_RELEASE); }
