/* Gives SQLite locks that belong to the open file and not to the process: a POSIX lock falls when any descriptor of the
 * file closes anywhere in the process, which a second copy of this library, or the host, may do at any time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>

/* SQLite's `fcntl`. Stable Rust cannot define a variadic function. */
int keystead_ofd_fcntl(int descriptor, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);

    int ofd;
    switch (command) {
    case F_SETLK: ofd = F_OFD_SETLK; break;
    case F_SETLKW: ofd = F_OFD_SETLKW; break;
    case F_GETLK: ofd = F_OFD_GETLK; break;
    default: return fcntl(descriptor, command, argument);
    }
    /* The kernel wants 0 here, and SQLite leaves the field as it found it on the stack. */
    ((struct flock *)argument)->l_pid = 0;
    return fcntl(descriptor, ofd, argument);
}

/* SQLite's `fcntl` while it closes what is not its own any more: nobody's lock is touched. */
int keystead_no_fcntl(int descriptor, int command, ...) {
    (void)descriptor;
    (void)command;
    return 0;
}
