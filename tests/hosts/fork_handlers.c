/* fork_handlers MODULE before|after|only PIN: a `fork` handler of the host, registered before or after the module could register its
 * own, initialises the module anew in the child, as pkcs11-helper's does; or for the first time, in a parent that never does. */
#include "cryptoki.h"
#include <pthread.h>
#include <sys/wait.h>

static CK_FUNCTION_LIST *list;
static const char *pin;
static CK_ULONG inherited;
static int parent_too;

static void use(void) {
    CK_BYTE bytes[32];
    CK_ULONG session = open_session(list);
    OK(list->C_Login(session, 1, pin, strlen(pin)));
    OK(list->C_GenerateRandom(session, bytes, sizeof bytes));
    OK(list->C_Logout(session));
    OK(list->C_CloseSession(session));
}

static void in_child(void) {
    CK_BYTE bytes[32];
    if (!list)
        return;
    CK_RV code = list->C_GenerateRandom(inherited, bytes, sizeof bytes);
    if (code != CKR_CRYPTOKI_NOT_INITIALIZED)
        FAIL("a call before C_Initialize in the child: 0x%lx", code);
    OK(list->C_Initialize(NULL));
    use();
}

int main(int count, char **arguments) {
    if (count < 4)
        FAIL("fork_handlers MODULE before|after|only PIN");
    pin = arguments[3];
    int before = !strcmp(arguments[2], "before");
    if (before)
        pthread_atfork(NULL, NULL, in_child);
    CK_FUNCTION_LIST *loaded = load(arguments[1], RTLD_NOW);
    list = loaded;
    parent_too = strcmp(arguments[2], "only");
    if (parent_too) {
        OK(loaded->C_Initialize(NULL));
        use();
        inherited = open_session(list);
    }
    if (!before)
        pthread_atfork(NULL, NULL, in_child);
    for (int round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            if (list->C_Initialize(NULL) != CKR_CRYPTOKI_ALREADY_INITIALIZED)
                FAIL("the handler had initialised the child");
            use();
            OK(list->C_Finalize(NULL));
            _exit(0);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || status != 0)
            FAIL("round %d: the child ended with %#x", round, status);
        if (parent_too)
            use();
    }
    puts("done");
    return 0;
}
