/* As much of PKCS#11 as the hosts need, and what they share. */
#ifndef CRYPTOKI_H
#define CRYPTOKI_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;

#define CKR_OK 0x000UL
#define CKR_GENERAL_ERROR 0x005UL
#define CKR_DEVICE_ERROR 0x030UL
#define CKR_TOKEN_NOT_RECOGNIZED 0x0e1UL
#define CKR_CRYPTOKI_NOT_INITIALIZED 0x190UL
#define CKR_CRYPTOKI_ALREADY_INITIALIZED 0x191UL
#define CKF_SERIAL_SESSION 4UL

/* Entries that no host calls are addresses only. */
typedef void *CK_OTHER;

typedef struct {
    CK_BYTE major, minor;
    CK_RV (*C_Initialize)(void *);
    CK_RV (*C_Finalize)(void *);
    CK_OTHER info[2];
    CK_RV (*C_GetSlotList)(CK_BYTE, CK_ULONG *, CK_ULONG *);
    CK_OTHER slots[7];
    CK_RV (*C_OpenSession)(CK_ULONG, CK_ULONG, void *, void *, CK_ULONG *);
    CK_RV (*C_CloseSession)(CK_ULONG);
    CK_OTHER session[4];
    CK_RV (*C_Login)(CK_ULONG, CK_ULONG, const char *, CK_ULONG);
    CK_RV (*C_Logout)(CK_ULONG);
    CK_OTHER objects_and_operations[43];
    CK_RV (*C_SeedRandom)(CK_ULONG, CK_BYTE *, CK_ULONG);
    CK_RV (*C_GenerateRandom)(CK_ULONG, CK_BYTE *, CK_ULONG);
    CK_OTHER last[3];
} CK_FUNCTION_LIST;

_Static_assert(sizeof(CK_FUNCTION_LIST) == 8 + 68 * sizeof(void *), "a table of 68 entries");
_Static_assert(offsetof(CK_FUNCTION_LIST, C_OpenSession) == 8 + 12 * sizeof(void *), "C_OpenSession is entry 12");
_Static_assert(offsetof(CK_FUNCTION_LIST, C_Login) == 8 + 18 * sizeof(void *), "C_Login is entry 18");
_Static_assert(offsetof(CK_FUNCTION_LIST, C_GenerateRandom) == 8 + 64 * sizeof(void *), "C_GenerateRandom is entry 64");

/* Ends the host with a sentence. */
#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), _exit(1))

/* A call that must succeed. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        CK_RV code_ = (call);                                                                                          \
        if (code_ != CKR_OK)                                                                                           \
            FAIL("%s:%d: %s: 0x%lx", __FILE__, __LINE__, #call, code_);                                                \
    } while (0)

static inline CK_FUNCTION_LIST *load(const char *path, int flags) {
    void *library = dlopen(path, flags);
    if (!library)
        FAIL("dlopen: %s", dlerror());
    CK_RV (*functions)(CK_FUNCTION_LIST **) = (CK_RV (*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList");
    if (!functions)
        FAIL("dlsym: %s", dlerror());
    CK_FUNCTION_LIST *list = NULL;
    OK(functions(&list));
    return list;
}

/* A session on the first token. */
static inline CK_ULONG open_session(CK_FUNCTION_LIST *list) {
    CK_ULONG slots[16], count = 16, session = 0;
    OK(list->C_GetSlotList(1, slots, &count));
    if (count < 1)
        FAIL("no token");
    OK(list->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session));
    return session;
}

#endif
