//! System calls that tests need and the standard library does not offer.

use std::ffi::{CStr, CString, c_void};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Home;

const NOBODY: u32 = 65_534;

/// Gives up the rights of root, before which no file mode counts; in a forked child, since there is no way back.
pub fn become_nobody() {
    // SAFETY: plain system calls; the child has one thread.
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setgroups(0, std::ptr::null()), 0, "setgroups");
            assert_eq!(libc::setgid(NOBODY), 0, "setgid");
            assert_eq!(libc::setuid(NOBODY), 0, "setuid");
        }
    }
}

/// Gives up the rights of root for those of a user with one group; likewise.
pub fn become_user(user: u32, group: u32) {
    // SAFETY: plain system calls; the child has one thread.
    let done =
        unsafe { libc::setgroups(0, std::ptr::null()) == 0 && libc::setgid(group) == 0 && libc::setuid(user) == 0 };
    assert!(done, "setgroups, setgid, setuid: {}", std::io::Error::last_os_error());
}

/// Whether nothing is forbidden to us.
pub fn is_root() -> bool {
    // SAFETY: a plain system call.
    unsafe { libc::geteuid() == 0 }
}

/// Lets everybody reach the home, read what is in it and make files in it.
pub fn open_to_all(home: &Home) {
    set_mode(home.path(), 0o777);
    set_mode(&home.configuration(), 0o644);
    if home.store().exists() {
        set_mode(&home.store(), 0o777);
        for file in fs::read_dir(home.store()).expect("the store").flatten() {
            set_mode(&file.path(), 0o666);
        }
    }
}

/// `chmod`.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod of an own file");
}

/// Makes a program run with the rights of nobody whoever starts it. False where we are not root.
pub fn make_setuid_of_nobody(program: &Path) -> bool {
    if std::os::unix::fs::chown(program, Some(NOBODY), None).is_err() {
        return false;
    }
    set_mode(program, 0o4755);
    true
}

/// Works in a thread that begins and ends for it, as a C program makes one: the standard library's own threads take locks of
/// that library, which a forked child may find held for ever.
pub fn in_a_thread(work: &(dyn Fn() + Sync)) {
    extern "C" fn run(work: *mut c_void) -> *mut c_void {
        // SAFETY: the pointer is that of `in_a_thread`, which waits until this function has returned.
        let work = unsafe { *work.cast::<&(dyn Fn() + Sync)>() };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
            std::process::abort();
        }
        std::ptr::null_mut()
    }
    let mut thread: libc::pthread_t = 0;
    let argument = std::ptr::from_ref(&work).cast_mut().cast();
    // SAFETY: `thread` has room for the thread's name, and the argument outlives the thread.
    assert_eq!(unsafe { libc::pthread_create(&mut thread, std::ptr::null(), run, argument) }, 0, "a thread");
    // SAFETY: the thread was made above and is joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, std::ptr::null_mut()) }, 0);
}

/// Sets or removes a variable of the environment.
pub fn set_variable(name: &str, value: Option<&str>) {
    // SAFETY: tests run on the only thread of their process; those with threads set variables before they start any.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

/// The process's umask.
pub fn umask() -> u32 {
    // SAFETY: `umask` cannot fail; the second call puts the value back, and this thread is the only one.
    unsafe {
        let value = libc::umask(0o077);
        libc::umask(value);
        value
    }
}

/// Runs with another umask.
pub fn with_umask(value: u32, work: impl FnOnce()) {
    // SAFETY: `umask` cannot fail.
    let before = unsafe { libc::umask(value) };
    work();
    // SAFETY: as above.
    unsafe { libc::umask(before) };
}

/// The locale in force, all categories.
pub fn locale() -> String {
    // SAFETY: with NULL `setlocale` only tells; the string is valid until the next call.
    unsafe { CStr::from_ptr(libc::setlocale(libc::LC_ALL, std::ptr::null())) }.to_string_lossy().into_owned()
}

/// The open descriptors and what they are open to, but for the one that lists them.
pub fn descriptors() -> Vec<(i32, PathBuf)> {
    let entries = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()));
    let numbers: Vec<i32> = numbers.collect();
    let target = |number: &i32| fs::read_link(format!("/proc/self/fd/{number}")).ok().map(|target| (*number, target));
    numbers.iter().filter_map(target).collect()
}

/// Whether a descriptor does not reach the programs that this process starts.
pub fn closed_on_exec(descriptor: i32) -> bool {
    // SAFETY: F_GETFD only reads a flag.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
    flags & libc::FD_CLOEXEC != 0
}

/// Closes every descriptor but the standard streams, as daemons do.
pub fn close_all_but_standard_streams() {
    // SAFETY: whoever calls this is about what happens to those who had something open.
    assert_eq!(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) }, 0, "close_range");
}

/// `chroot` and `chdir` into a folder.
pub fn change_root(folder: &Path) {
    let folder = CString::new(folder.as_os_str().as_encoded_bytes()).expect("a path without NUL");
    // SAFETY: plain system calls; only for a forked child.
    assert!(unsafe { libc::chroot(folder.as_ptr()) == 0 && libc::chdir(c"/".as_ptr()) == 0 }, "chroot, chdir");
}

/// A sandbox: from now on the kernel refuses this thread randomness and every file that is not open yet.
pub fn enter_sandbox() {
    let refused = [libc::SYS_getrandom, libc::SYS_openat, libc::SYS_socket];
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let load_number = statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0);
    let refuse = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
    let allow = statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW);
    let mut program = vec![load_number];
    for number in refused {
        let skip = libc::sock_filter { jf: 1, ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number as u32) };
        program.extend([skip, refuse]);
    }
    program.push(allow);
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the program lives through the call, and its jumps stay inside it.
    let entered = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) == 0
    };
    assert!(entered, "a sandbox: {}", std::io::Error::last_os_error());
}

/// `setlocale` of all categories by the environment; false where the system has no such locale.
pub fn set_locale() -> bool {
    // SAFETY: the string is terminated, and this thread is the only one.
    unsafe { !libc::setlocale(libc::LC_ALL, c"".as_ptr()).is_null() }
}

/// Closes standard input, output and error.
pub fn close_standard_streams() {
    for descriptor in 0..3 {
        // SAFETY: only for a forked child, which is about descriptors of the low numbers.
        unsafe { libc::close(descriptor) };
    }
}

/// Sets both values of a resource limit.
pub fn limit(resource: libc::__rlimit_resource_t, value: u64) {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: `limit` is valid for the call.
    assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0, "setrlimit");
}

/// Runs while SIGALRM interrupts every millisecond and system calls are not restarted.
pub fn with_interrupting_timer(work: impl FnOnce()) {
    extern "C" fn nothing(_: libc::c_int) {}
    with_timer(1_000, nothing, work);
}

fn with_timer(microseconds: i64, handler: extern "C" fn(libc::c_int), work: impl FnOnce()) {
    let timer = |microseconds| {
        let interval = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        let timer = libc::itimerval { it_interval: interval, it_value: interval };
        // SAFETY: `timer` is valid for the call.
        assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) }, 0, "setitimer");
    };
    // SAFETY: a zeroed action has no flags, so no SA_RESTART, and an empty mask; the handler does nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGALRM, &action, std::ptr::null_mut()), 0, "sigaction");
    }
    timer(microseconds);
    work();
    timer(0);
}

/// Mounts a new file system in memory of so many KiB at the folder, for this process alone. False: the system refuses.
pub fn mount_in_memory(folder: &Path, kib: usize) -> bool {
    let folder = CString::new(folder.as_os_str().as_encoded_bytes()).expect("a path without NUL");
    let options = CString::new(format!("size={kib}k,mode=0700")).expect("no NUL");
    let (kind, root) = (c"tmpfs".as_ptr(), c"/".as_ptr());
    // SAFETY: the strings live through the calls; a namespace of its own keeps the mount to this process and its children.
    unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(kind, root, std::ptr::null(), libc::MS_REC | libc::MS_PRIVATE, std::ptr::null()) == 0
            && libc::mount(kind, folder.as_ptr(), kind, 0, options.as_ptr().cast()) == 0
    }
}

/// Mounts an overlay on the folder: what is written lands in `upper`, a file system of its own in memory. For this process alone. False: the
/// system refuses.
pub fn mount_overlay(folder: &Path, upper: &Path) -> bool {
    if !mount_in_memory(upper, 16 << 10) {
        return false;
    }
    let [changed, work] = ["changed", "work"].map(|name| upper.join(name));
    if std::fs::create_dir(&changed).and_then(|()| std::fs::create_dir(&work)).is_err() {
        return false;
    }
    let options = format!("lowerdir={0},upperdir={1},workdir={2}", folder.display(), changed.display(), work.display());
    let (options, kind) = (CString::new(options).expect("no NUL"), c"overlay".as_ptr());
    let folder = CString::new(folder.as_os_str().as_encoded_bytes()).expect("a path without NUL");
    // SAFETY: the strings live through the call.
    unsafe { libc::mount(kind, folder.as_ptr(), kind, 0, options.as_ptr().cast()) == 0 }
}

/// Makes what is mounted at the folder read-only. False: the system refuses.
pub fn remount_read_only(folder: &Path) -> bool {
    let folder = CString::new(folder.as_os_str().as_encoded_bytes()).expect("a path without NUL");
    let kind = c"tmpfs".as_ptr();
    let flags = libc::MS_REMOUNT | libc::MS_RDONLY;
    // SAFETY: the strings live through the call.
    unsafe { libc::mount(kind, folder.as_ptr(), kind, flags, std::ptr::null()) == 0 }
}
