/* A thread that used the module ends after the module was closed: its thread-local destructors are still there. */
#include "cryptoki.h"
#include <pthread.h>

static pthread_barrier_t used, closed;
static CK_FUNCTION_LIST *list;

static void *use(void *argument) {
    (void)argument;
    CK_BYTE bytes[64];
    CK_ULONG session = open_session(list);
    OK(list->C_GenerateRandom(session, bytes, sizeof bytes));
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&closed);
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 2)
        FAIL("which module?");
    for (int round = 0; round < 20; round++) {
        void *library = dlopen(arguments[1], RTLD_NOW);
        list = load(arguments[1], RTLD_NOW);
        OK(list->C_Initialize(NULL));
        pthread_t threads[4];
        pthread_barrier_init(&used, NULL, 5);
        pthread_barrier_init(&closed, NULL, 5);
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, use, NULL);
        pthread_barrier_wait(&used);
        /* With and without C_Finalize: programs forget it. */
        if (round % 2 == 0)
            OK(list->C_Finalize(NULL));
        dlclose(library);
        dlclose(library);
        pthread_barrier_wait(&closed);
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        CK_RV code = list->C_Finalize(NULL);
        if (code != (round % 2 == 0 ? CKR_CRYPTOKI_NOT_INITIALIZED : CKR_OK))
            FAIL("C_Finalize after dlclose: 0x%lx", code);
    }
    puts("done");
    return 0;
}
