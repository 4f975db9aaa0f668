/* A library whose destructor still calls the module when the process exits, as OpenSSL's engines and providers do. */
#include "cryptoki.h"

static CK_FUNCTION_LIST *module;
static CK_ULONG open_one;

void remember(CK_FUNCTION_LIST *list, CK_ULONG session) {
    module = list;
    open_one = session;
}

static void tell(const char *name, CK_RV code) { printf("%s 0x%lx\n", name, code); }

__attribute__((destructor)) static void at_exit(void) {
    CK_BYTE bytes[64];
    CK_ULONG slots[16], count = 16;
    if (!module)
        return;
    tell("C_GenerateRandom", module->C_GenerateRandom(open_one, bytes, sizeof bytes));
    tell("C_GetSlotList", module->C_GetSlotList(1, slots, &count));
    tell("C_Logout", module->C_Logout(open_one));
    tell("C_CloseSession", module->C_CloseSession(open_one));
    tell("C_Finalize", module->C_Finalize(NULL));
    tell("C_Initialize", module->C_Initialize(NULL));
    fflush(stdout);
}
