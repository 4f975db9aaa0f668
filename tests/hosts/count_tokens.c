/* Says whether it runs with more rights than its user, and how many initialised tokens it sees. */
#include "cryptoki.h"
#include <sys/auxv.h>

int main(int count, char **arguments) {
    if (count < 2)
        FAIL("which module?");
    if (getauxval(AT_SECURE))
        puts("privileged");
    else if (getuid() != geteuid())
        puts("not privileged");
    CK_FUNCTION_LIST *list = load(arguments[1], RTLD_NOW);
    OK(list->C_Initialize(NULL));
    CK_ULONG slots[16], slot_count = 16;
    int initialised = 0;
    OK(list->C_GetSlotList(1, slots, &slot_count));
    for (CK_ULONG i = 0; i < slot_count; i++) {
        CK_ULONG session;
        initialised += list->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK;
    }
    printf("initialised %d\n", initialised);
    return 0;
}
