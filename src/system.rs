//! The few questions to the operating system that the standard library does not ask.

/// The effective user id.
pub fn effective_user() -> u32 {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether the process runs with more rights than the user who started it (setuid, setgid, capabilities): then the
/// environment is not to be trusted (`getauxval(3)`, `AT_SECURE`).
pub fn is_privileged() -> bool {
    // SAFETY: `getauxval` reads a vector that the kernel made at exec.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}
