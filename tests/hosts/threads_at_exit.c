/* Threads call the module while main returns: the process ends at once, without a crash. */
#include "cryptoki.h"
#include <pthread.h>

static CK_FUNCTION_LIST *list;

static void *call_on(void *argument) {
    (void)argument;
    CK_BYTE bytes[1000];
    CK_ULONG session = open_session(list);
    for (;;)
        list->C_GenerateRandom(session, bytes, sizeof bytes);
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 2)
        FAIL("which module?");
    list = load(arguments[1], RTLD_NOW);
    OK(list->C_Initialize(NULL));
    for (int i = 0; i < 4; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, call_on, NULL);
    }
    usleep(20000);
    return 0;
}
