/* other_namespace MODULE PIN: the module in a namespace of its own, with a libc of its own whose fork handlers the host's
 * fork never runs. */
#include "cryptoki.h"
#include <sys/wait.h>

int main(int count, char **arguments) {
    if (count < 3)
        FAIL("other_namespace MODULE PIN");
    void *library = dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW);
    if (!library)
        FAIL("dlmopen: %s", dlerror());
    CK_RV (*functions)(CK_FUNCTION_LIST **) = (CK_RV (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList");
    CK_FUNCTION_LIST *list = NULL;
    OK(functions(&list));
    OK(list->C_Initialize(NULL));
    CK_BYTE bytes[32];
    CK_ULONG session = open_session(list);
    OK(list->C_Login(session, 1, arguments[2], strlen(arguments[2])));
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (child == 0) {
            CK_ULONG slots[16], slot_count = 16, own = 0;
            alarm(20);
            CK_RV code = list->C_GenerateRandom(session, bytes, sizeof bytes);
            if (code != CKR_CRYPTOKI_NOT_INITIALIZED)
                FAIL("a call before C_Initialize in the child: 0x%lx", code);
            OK(list->C_Initialize(NULL));
            OK(list->C_GetSlotList(1, slots, &slot_count));
            /* The parent's connections were not closed for this fork, so the child must not work with the token. */
            code = list->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &own);
            if (code != CKR_DEVICE_ERROR && code != CKR_TOKEN_NOT_RECOGNIZED)
                FAIL("C_OpenSession in the child: 0x%lx", code);
            OK(list->C_Finalize(NULL));
            _exit(0);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            FAIL("round %d: the child ended with %#x", round, status);
        OK(list->C_GenerateRandom(session, bytes, sizeof bytes));
        OK(list->C_Logout(session));
        OK(list->C_Login(session, 1, arguments[2], strlen(arguments[2])));
    }
    puts("done");
    return 0;
}
