/* exit_calls MODULE LIBRARY before|after PIN: loads LIBRARY, whose destructor calls the module, before or after it. Destructors
 * run in the order of loading, so that of a library that came later finds the module's own already run. */
#include "cryptoki.h"

int main(int count, char **arguments) {
    if (count < 5)
        FAIL("exit_calls MODULE LIBRARY before|after PIN");
    void *library = NULL;
    if (!strcmp(arguments[3], "before"))
        library = dlopen(arguments[2], RTLD_NOW);
    CK_FUNCTION_LIST *list = load(arguments[1], RTLD_NOW);
    if (!library)
        library = dlopen(arguments[2], RTLD_NOW);
    if (!library)
        FAIL("dlopen: %s", dlerror());
    OK(list->C_Initialize(NULL));
    CK_ULONG session = open_session(list);
    OK(list->C_Login(session, 1, arguments[4], strlen(arguments[4])));
    void (*remember)(CK_FUNCTION_LIST *, CK_ULONG) = (void (*)(CK_FUNCTION_LIST *, CK_ULONG))dlsym(library, "remember");
    remember(list, session);
    return 0;
}
