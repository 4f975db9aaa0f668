/* The module of $LYING_MODULE_OF, but some of its results are wrong, and each time it says that all was well. */

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define CKR_OK 0UL

typedef unsigned long ulong;

/* The places of the functions in the table of 2.40. */
enum { ENCRYPT = 30, DIGEST = 38, VERIFY = 49, GENERATE_RANDOM = 64, FUNCTIONS = 68 };

typedef void function(void);
typedef ulong one_part(ulong session, unsigned char *input, ulong length, unsigned char *output, ulong *written);

static struct {
    unsigned char version[2];
    function *functions[FUNCTIONS];
} table;

typedef ulong verify(ulong session, unsigned char *message, ulong length, unsigned char *signature, ulong size);

static one_part *honest_encrypt;
static verify *honest_verify;

/* One bit is another in messages of 1024 bytes, and nowhere else. */
static ulong wrong_encrypt(ulong session, unsigned char *input, ulong length, unsigned char *output, ulong *written)
{
    ulong code = honest_encrypt(session, input, length, output, written);
    if (code == CKR_OK && output && length == 1024)
        output[512] ^= 1;
    return code;
}

static ulong wrong_verify(ulong session, unsigned char *message, ulong length, unsigned char *signature, ulong size)
{
    honest_verify(session, message, length, signature, size);
    return CKR_OK;
}

static ulong wrong_random(ulong session, unsigned char *output, ulong length)
{
    memset(output, 0, length);
    return CKR_OK;
}

static ulong dies(void) { abort(); }

ulong C_GetFunctionList(void **list)
{
    void *honest = dlopen(getenv("LYING_MODULE_OF"), RTLD_NOW);
    ulong (*honest_list)(void **) = honest ? (ulong (*)(void **))dlsym(honest, "C_GetFunctionList") : NULL;
    void *functions;
    if (!honest_list || honest_list(&functions) != CKR_OK)
        return 5;
    memcpy(&table, functions, sizeof table);
    honest_encrypt = (one_part *)table.functions[ENCRYPT];
    honest_verify = (verify *)table.functions[VERIFY];
    table.functions[ENCRYPT] = (function *)wrong_encrypt;
    table.functions[VERIFY] = (function *)wrong_verify;
    table.functions[GENERATE_RANDOM] = (function *)wrong_random;
    table.functions[DIGEST] = (function *)dies;
    *list = &table;
    return CKR_OK;
}
