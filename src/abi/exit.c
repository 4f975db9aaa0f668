/* Runs when the process exits, before AWS-LC's destructor: from here on every call answers with a code. */
#include <stdint.h>

extern uint64_t *keystead_state_word;

/* The value of `State::Exiting` in the low bits of the word, see src/fork/mod.rs. */
#define KEYSTEAD_EXITING 3u

static void keystead_exiting(void) {
    uint64_t *word = __atomic_load_n(&keystead_state_word, __ATOMIC_ACQUIRE);
    if (word)
        __atomic_fetch_or(word, KEYSTEAD_EXITING, __ATOMIC_SEQ_CST);
}

__attribute__((section(".fini_array"), used)) static void (*const keystead_exit_entry)(void) = keystead_exiting;
