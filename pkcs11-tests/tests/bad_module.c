/* A module that is wrong in every way that a process can be: it hangs, crashes, lies, or has no such function. */

#include <stdlib.h>
#include <unistd.h>

#define CKR_OK 0UL
#define CKR_CRYPTOKI_NOT_INITIALIZED 0x190UL

/* The places of the functions in the table of 2.40. */
enum { GET_INFO = 2, GET_SLOT_LIST = 4, GET_SLOT_INFO = 5, GET_TOKEN_INFO = 6, FUNCTIONS = 68 };

typedef unsigned long function(void);

static unsigned long hangs(void) { for (;;) pause(); }
static unsigned long crashes(void) { abort(); }
static unsigned long lies(void) { return CKR_OK; }
static unsigned long is_right(void) { return CKR_CRYPTOKI_NOT_INITIALIZED; }

static struct {
    unsigned char version[2];
    function *functions[FUNCTIONS];
} table = {
    { 2, 40 },
    {
        [GET_INFO] = hangs,
        [GET_SLOT_LIST] = crashes,
        [GET_SLOT_INFO] = lies,
        [GET_TOKEN_INFO] = is_right,
    },
};

unsigned long C_GetFunctionList(void **list)
{
    *list = &table;
    return CKR_OK;
}
