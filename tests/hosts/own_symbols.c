/* A host that exports functions of the module's names (link with -rdynamic), as a spy or a proxy does. */
#include "cryptoki.h"

#define TRAP(name)                                                                                                     \
    CK_RV name(void) { FAIL("the host's own " #name " was called"); return CKR_GENERAL_ERROR; }

TRAP(C_Initialize)
TRAP(C_Finalize)
TRAP(C_GetFunctionList)
TRAP(C_GetInterface)
TRAP(C_GetInterfaceList)
TRAP(C_GetSlotList)
TRAP(C_OpenSession)
TRAP(C_CloseSession)
TRAP(C_Login)
TRAP(C_Logout)
TRAP(C_GenerateRandom)
TRAP(C_SeedRandom)
/* What the module is built of must not be taken from the host either. */
TRAP(sqlite3_initialize)
TRAP(sqlite3_open_v2)
TRAP(sqlite3_libversion_number)
TRAP(EVP_AEAD_CTX_seal)
TRAP(AES_set_encrypt_key)
TRAP(keystead_publish_state_word)

int main(int count, char **arguments) {
    if (count < 2)
        FAIL("which module?");
    CK_FUNCTION_LIST *list = load(arguments[1], RTLD_NOW | RTLD_GLOBAL);
    void **entries = (void **)&list->C_Initialize;
    for (int i = 0; i < 68; i++) {
        Dl_info place;
        if (!dladdr(entries[i], &place) || !strstr(arguments[1], strrchr(place.dli_fname, '/') + 1))
            FAIL("entry %d lies in %s", i, place.dli_fname);
    }
    CK_BYTE bytes[64];
    OK(list->C_Initialize(NULL));
    CK_ULONG session = open_session(list);
    OK(list->C_Login(session, 1, arguments[2], strlen(arguments[2])));
    OK(list->C_GenerateRandom(session, bytes, sizeof bytes));
    OK(list->C_Logout(session));
    OK(list->C_CloseSession(session));
    OK(list->C_Finalize(NULL));
    puts("done");
    return 0;
}
