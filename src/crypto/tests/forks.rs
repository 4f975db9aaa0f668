//! Forks while other threads draw randomness inside AWS-LC, and come and go.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::first_draw;
use super::{Curve, EcPrivateKey};

/// Signs, which draws, and has a signature rejected, which leaves an error with the thread.
fn sign(key: &EcPrivateKey) -> Vec<u8> {
    let mut signature = vec![0; 64];
    key.sign(&[1; 32], &mut signature).unwrap();
    assert_eq!(key.public().unwrap().verify(&[1; 32], &signature), Ok(()));
    assert!(key.public().unwrap().verify(&[2; 32], &signature).is_err());
    signature
}

/// Works in a thread that begins and ends for it, as a C program makes one: the standard library's own threads take locks
/// of that library, which a forked child may find held for ever.
fn in_a_thread(work: &(dyn Fn() + Sync)) {
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
    assert_eq!(unsafe { libc::pthread_create(&mut thread, std::ptr::null(), run, argument) }, 0);
    // SAFETY: the thread was made above and is joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, std::ptr::null_mut()) }, 0);
}

#[test]
fn children_sign_whatever_the_threads_of_their_parent_do() {
    alone("crypto::tests::forks::parent_with_busy_threads");
}

#[test]
fn a_child_has_other_nonces_than_its_parent() {
    alone("crypto::tests::forks::parent_and_child_sign_the_same");
}

/// Runs this part in a process of its own: the threads of other tests do not enter by `abi`, where each is settled.
fn alone(part: &str) {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", part, "--ignored", "--test-threads=1"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // A part that does not exist must not pass for one that succeeded.
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "a process that another test starts"]
fn parent_with_busy_threads() {
    let rounds = if std::env::var_os("KEYSTEAD_SOAK").is_some() { 10_000 } else { 200 };
    first_draw().unwrap();
    let key = EcPrivateKey::generate(Curve::P256).unwrap();
    let busy = AtomicBool::new(true);
    // A thread's first draw and its end take most of the locks.
    let works: [&(dyn Fn() + Sync); 3] =
        [&|| drop(sign(&key)), &|| in_a_thread(&|| drop(sign(&key))), &|| in_a_thread(&|| first_draw().unwrap())];
    std::thread::scope(|scope| {
        for work in [0, 1, 1, 2, 2, 2, 2, 2].map(|number| works[number]) {
            let busy = &busy;
            scope.spawn(move || {
                while busy.load(Ordering::Relaxed) {
                    work();
                }
            });
        }
        for round in 0..rounds {
            let done = child(|| {
                first_draw().unwrap();
                sign(&key);
                in_a_thread(&|| drop(sign(&key)));
            });
            if !done || round + 1 == rounds {
                busy.store(false, Ordering::Relaxed);
            }
            assert!(done, "round {round}");
        }
    });
}

/// Parent and child go on from the same state of the generator, with the same key and digest.
#[test]
#[ignore = "a process that another test starts"]
fn parent_and_child_sign_the_same() {
    let key = EcPrivateKey::generate(Curve::P256).unwrap();
    sign(&key);
    let (mut from_child, mut to_parent) = std::io::pipe().unwrap();
    assert!(child(|| std::io::Write::write_all(&mut to_parent, &sign(&key)).unwrap()));
    let mut of_child = [0; 64];
    std::io::Read::read_exact(&mut from_child, &mut of_child).unwrap();
    assert_ne!(of_child[..32], sign(&key)[..32]);
}

/// Does `work` in a child; true if it was done, without a panic, in 20 seconds.
fn child(work: impl FnOnce()) -> bool {
    // SAFETY: the child does its work and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        // SAFETY: ends this child if it hangs.
        unsafe { libc::alarm(20) };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        // SAFETY: leaves without running anything of the parent's.
        unsafe { libc::_exit(outcome.is_err().into()) };
    }
    let mut status = 0;
    // SAFETY: the status is written to where one is.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    status == 0
}
