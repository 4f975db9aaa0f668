/* A PKCS#11 module that stands before another, $RELUCTANT_MODULE, and gives less away. What else it does, by variables:
 *   RELUCTANT_HIDES   numbers of mechanisms, in hexadecimal digits, that it does not list and does not wrap by
 *   RELUCTANT_TAKES   if it is "no", no secret key may be created
 *   RELUCTANT_SHOWS   if it is "other", the value of a secret key is shown with a bit flipped
 *   RELUCTANT_MAKES   if it is "open", private keys are generated readable
 *   RELUCTANT_LOG     a file that gets a line for each session object made, and one for each object destroyed */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned char CK_BYTE;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef struct {
    CK_ULONG type;
    void *value;
    CK_ULONG length;
} CK_ATTRIBUTE;
typedef struct {
    CK_ULONG mechanism;
    void *parameter;
    CK_ULONG length;
} CK_MECHANISM;
typedef struct {
    CK_BYTE major, minor;
    void *functions[68];
} CK_FUNCTION_LIST;

enum { MECHANISM_LIST = 7, CREATE = 20, DESTROY = 22, VALUE = 24, GENERATE = 58, GENERATE_PAIR = 59, WRAP = 60 };

#define CKA_CLASS 0x00UL
#define CKA_TOKEN 0x01UL
#define CKA_VALUE 0x11UL
#define CKA_SENSITIVE 0x103UL
#define CKO_SECRET_KEY 4UL
#define CKR_ATTRIBUTE_VALUE_INVALID 0x13UL
#define CKR_MECHANISM_INVALID 0x70UL
#define UNAVAILABLE (~0UL)

static CK_FUNCTION_LIST real, ours;

#define REAL(index, ...) ((CK_RV(*)())real.functions[index])(__VA_ARGS__)

static int said(const char *variable, const char *value) {
    const char *set = getenv(variable);
    return set && strcmp(set, value) == 0;
}

static int hidden(CK_ULONG mechanism) {
    char *rest = getenv("RELUCTANT_HIDES");
    while (rest && *rest) {
        if (strtoul(rest, &rest, 16) == mechanism) return 1;
        rest += strspn(rest, " ");
    }
    return 0;
}

static void note(const char *what, CK_ULONG object) {
    FILE *log = getenv("RELUCTANT_LOG") ? fopen(getenv("RELUCTANT_LOG"), "a") : NULL;
    if (!log) return;
    fprintf(log, "%s %lu\n", what, object);
    fclose(log);
}

static const CK_ATTRIBUTE *find(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG type) {
    for (CK_ULONG at = 0; at < count; at++)
        if (template[at].type == type) return &template[at];
    return NULL;
}

static int is_session_object(const CK_ATTRIBUTE *template, CK_ULONG count) {
    const CK_ATTRIBUTE *token = find(template, count, CKA_TOKEN);
    return !token || !*(CK_BYTE *)token->value;
}

static CK_RV mechanism_list(CK_ULONG slot, CK_ULONG *list, CK_ULONG *count) {
    CK_RV code = REAL(MECHANISM_LIST, slot, list, count);
    if (code != 0 || !list) return code;
    CK_ULONG kept = 0;
    for (CK_ULONG at = 0; at < *count; at++)
        if (!hidden(list[at])) list[kept++] = list[at];
    *count = kept;
    return code;
}

static CK_RV create(CK_ULONG session, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *object) {
    const CK_ATTRIBUTE *class = find(template, count, CKA_CLASS);
    if (said("RELUCTANT_TAKES", "no") && class && *(CK_ULONG *)class->value == CKO_SECRET_KEY)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    CK_RV code = REAL(CREATE, session, template, count, object);
    if (code == 0 && is_session_object(template, count)) note("made", *object);
    return code;
}

static CK_RV destroy(CK_ULONG session, CK_ULONG object) {
    CK_RV code = REAL(DESTROY, session, object);
    if (code == 0) note("destroyed", object);
    return code;
}

static CK_RV value(CK_ULONG session, CK_ULONG object, CK_ATTRIBUTE *template, CK_ULONG count) {
    CK_RV code = REAL(VALUE, session, object, template, count);
    CK_ULONG class = 0;
    CK_ATTRIBUTE asked = {CKA_CLASS, &class, sizeof class};
    const CK_ATTRIBUTE *shown = find(template, count, CKA_VALUE);
    if (code || !shown || !shown->value || shown->length == UNAVAILABLE || !said("RELUCTANT_SHOWS", "other")) return code;
    if (REAL(VALUE, session, object, &asked, 1UL) == 0 && class == CKO_SECRET_KEY) *(CK_BYTE *)shown->value ^= 1;
    return code;
}

static CK_RV generate(CK_ULONG session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template, CK_ULONG count, CK_ULONG *object) {
    CK_RV code = REAL(GENERATE, session, mechanism, template, count, object);
    if (code == 0 && is_session_object(template, count)) note("made", *object);
    return code;
}

static CK_RV generate_pair(CK_ULONG session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, CK_ULONG public_count,
                           CK_ATTRIBUTE *private, CK_ULONG private_count, CK_ULONG *public_key, CK_ULONG *private_key) {
    CK_ATTRIBUTE more[64];
    CK_BYTE no = 0;
    if (!said("RELUCTANT_MAKES", "open") || private_count >= 64)
        return REAL(GENERATE_PAIR, session, mechanism, public, public_count, private, private_count, public_key, private_key);
    memcpy(more, private, private_count * sizeof *more);
    more[private_count] = (CK_ATTRIBUTE){CKA_SENSITIVE, &no, 1};
    return REAL(GENERATE_PAIR, session, mechanism, public, public_count, more, private_count + 1, public_key, private_key);
}

static CK_RV wrap(CK_ULONG session, CK_MECHANISM *mechanism, CK_ULONG by, CK_ULONG key, CK_BYTE *wrapped, CK_ULONG *length) {
    if (hidden(mechanism->mechanism)) return CKR_MECHANISM_INVALID;
    return REAL(WRAP, session, mechanism, by, key, wrapped, length);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    void *library = dlopen(getenv("RELUCTANT_MODULE"), RTLD_NOW);
    if (!library) return 5;
    CK_FUNCTION_LIST *theirs;
    CK_RV code = ((CK_RV(*)(CK_FUNCTION_LIST **))dlsym(library, "C_GetFunctionList"))(&theirs);
    if (code) return code;
    memcpy(&real, theirs, sizeof real);
    memcpy(&ours, theirs, sizeof ours);
    ours.functions[MECHANISM_LIST] = mechanism_list;
    ours.functions[CREATE] = create;
    ours.functions[DESTROY] = destroy;
    ours.functions[VALUE] = value;
    ours.functions[GENERATE] = generate;
    ours.functions[GENERATE_PAIR] = generate_pair;
    ours.functions[WRAP] = wrap;
    ours.functions[3] = C_GetFunctionList;
    *list = &ours;
    return 0;
}
