/* Preloaded: records what a process writes under the folder $RECORD_UNDER, and what it makes durable, in the file
 * $RECORD_TO. One event after the other: a line `KIND length offset name`, then as many bytes.
 *   W  bytes written at an offset     T  cut or grown to the offset     S  made durable (a file or a folder)
 *   C  a new file came to be          R  renamed; the bytes are the new name        U  removed
 * An event stands in the file before the call does its work, syncs and renames after it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static void put(const char *kind, const char *name, long long offset, const void *bytes, size_t length) {
    static int log = -1;
    const char *under = getenv("RECORD_UNDER"), *to = getenv("RECORD_TO");
    if (!under || !to || strncmp(name, under, strlen(under)) != 0) return;
    int before = errno;
    char line[PATH_MAX + 64];
    int head = snprintf(line, sizeof line, "%s %zu %lld %s\n", kind, length, offset, name);
    pthread_mutex_lock(&one);
    if (log < 0) log = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (syscall(SYS_write, log, line, (size_t)head) != head) abort();
    if (length && syscall(SYS_write, log, bytes, length) != (long)length) abort();
    pthread_mutex_unlock(&one);
    errno = before;
}

static const char *name_of(int descriptor, char *name) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, name, PATH_MAX);
    name[length < 0 ? 0 : length] = 0;
    return name;
}

#define REAL(function) ((typeof(&function))dlsym(RTLD_NEXT, #function))

ssize_t write(int descriptor, const void *bytes, size_t length) {
    char name[PATH_MAX + 1];
    off_t at = lseek(descriptor, 0, SEEK_CUR);
    if (at >= 0) put("W", name_of(descriptor, name), at, bytes, length);
    return syscall(SYS_write, descriptor, bytes, length);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
    char name[PATH_MAX + 1];
    put("W", name_of(descriptor, name), at, bytes, length);
    return syscall(SYS_pwrite64, descriptor, bytes, length, at);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
    return pwrite64(descriptor, bytes, length, at);
}

int ftruncate64(int descriptor, off64_t length) {
    char name[PATH_MAX + 1];
    put("T", name_of(descriptor, name), length, 0, 0);
    return syscall(SYS_ftruncate, descriptor, length);
}

int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

static int synced(int descriptor, long number) {
    char name[PATH_MAX + 1];
    int outcome = syscall(number, descriptor);
    if (outcome == 0) put("S", name_of(descriptor, name), 0, 0, 0);
    return outcome;
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

static int opened(const char *path, int flags, mode_t mode) {
    int is_new = (flags & O_CREAT) && access(path, F_OK) != 0;
    int descriptor = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (descriptor >= 0 && is_new) put("C", path, 0, 0, 0);
    return descriptor;
}

#define OPEN(function)                                    \
    int function(const char *path, int flags, ...) {      \
        va_list arguments;                                \
        va_start(arguments, flags);                       \
        mode_t mode = va_arg(arguments, int);             \
        va_end(arguments);                                \
        return opened(path, flags, mode);                 \
    }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
    int outcome = REAL(rename)(from, to);
    if (outcome == 0) put("R", from, 0, to, strlen(to));
    return outcome;
}

int unlink(const char *path) {
    int outcome = REAL(unlink)(path);
    if (outcome == 0) put("U", path, 0, 0, 0);
    return outcome;
}
