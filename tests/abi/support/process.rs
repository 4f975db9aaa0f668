//! Other processes on the same store: a peer is the runner executed again in a role, a forked child is what it says.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::FromRawFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::trial::TEST;

/// A process that runs a function of a suite's `PEERS` table, with the environment of the test, hence on its store.
/// The two talk in lines.
pub struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// Starts a peer: `peer!(function, "argument", ...)`.
macro_rules! peer {
    ($function:ident $(, $argument:expr)* $(,)?) => {{
        let _: fn() = $function;
        $crate::support::Peer::start(concat!(module_path!(), "::", stringify!($function)), &[$($argument.as_ref()),*])
    }};
}

impl Peer {
    /// Starts the peer of that name; use the macro `peer!`, which the compiler checks.
    pub fn start(name: &str, arguments: &[&str]) -> Peer {
        let program = std::env::current_exe().expect("the runner's own path");
        let mut command = Command::new(program);
        command.env(TEST, name).env(ARGUMENTS, arguments.join("\x1f"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the runner starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        Peer { child, input, output }
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("the peer's input is open"), "{line}").expect("the peer reads");
    }

    /// The next line that the peer said; the test fails where it ended instead.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the peer's output");
        assert!(line.ends_with('\n'), "the peer ended: {:?}", self.child.wait());
        line.trim_end().to_owned()
    }

    /// Waits until the peer has ended, and well; what it still said comes back.
    pub fn finish(mut self) -> String {
        drop(self.input.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("the peer's output");
        let status = self.child.wait().expect("the peer is ours");
        assert!(status.success(), "the peer failed: {status}");
        rest.trim_end().to_owned()
    }

    /// Kills the peer as `kill -9` does; the whole lines that it had said and nobody had heard.
    pub fn kill_and_hear(mut self) -> Vec<String> {
        self.child.kill().expect("the peer is ours");
        self.child.wait().expect("the peer is ours");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("the peer's output");
        rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }

    /// The peer's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the peer a signal.
    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: the child is ours and not waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as libc::pid_t, signal) }, 0);
    }

    /// Kills the peer as `kill -9` does and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("the peer is ours");
        self.child.wait().expect("the peer is ours");
    }
}

/// In a peer: the arguments it was started with.
pub fn arguments() -> Vec<String> {
    let all = std::env::var(ARGUMENTS).unwrap_or_default();
    if all.is_empty() { Vec::new() } else { all.split('\x1f').map(str::to_owned).collect() }
}

/// In a peer: tells the test a line.
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// In a peer with threads, and in the children that it forks: tells the test a line. Takes no lock, which another thread might
/// hold at the moment of a fork.
pub fn tell(line: &str) {
    let line = format!("{line}\n");
    // SAFETY: the bytes live through the call. A line is shorter than what a pipe takes at once.
    let written = unsafe { libc::write(libc::STDOUT_FILENO, line.as_ptr().cast(), line.len()) };
    assert_eq!(written, line.len() as isize, "the test hears");
}

/// In a forked child: ends it by SIGALRM if it hangs.
pub fn end_after(seconds: u32) {
    // SAFETY: a plain system call.
    unsafe { libc::alarm(seconds) };
}

/// In a peer: the next line from the test; empty when there is none any more.
pub fn hear() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the test's line");
    line.trim_end().to_owned()
}

/// A forked child that works and hands back bytes.
pub struct Forked {
    id: libc::pid_t,
    output: File,
}

impl Forked {
    /// Forks; the child runs `work`, hands its bytes over and leaves without exit handlers. Panics in the child are
    /// printed and fail `join`.
    pub fn start(work: impl FnOnce() -> Vec<u8>) -> Forked {
        // SAFETY: tests run in single-threaded processes; a test with threads forks to see what a host's fork does.
        Forked::born(|| unsafe { libc::fork() }, work)
    }

    /// Makes the child by the bare system call: no handler runs.
    pub fn clone(work: impl FnOnce() -> Vec<u8>) -> Forked {
        // SAFETY: as above, and the child shares no memory.
        Forked::born(|| unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as libc::pid_t }, work)
    }

    fn born(birth: impl FnOnce() -> libc::pid_t, work: impl FnOnce() -> Vec<u8>) -> Forked {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for the two descriptors.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0, "a pipe");
        // SAFETY: both descriptors were made above and are owned here alone.
        let (output, mut input) = unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
        match birth() {
            -1 => panic!("fork: {}", std::io::Error::last_os_error()),
            0 => {
                let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                let code = match done {
                    Ok(bytes) if input.write_all(&bytes).is_ok() => 0,
                    _ => 101,
                };
                // SAFETY: `_exit` ends the child here, without the parent's exit handlers.
                unsafe { libc::_exit(code) }
            }
            id => Forked { id, output },
        }
    }

    /// Waits for the child; its bytes. The test fails where the child did.
    pub fn join(self) -> Vec<u8> {
        self.outcome().unwrap_or_else(|status| panic!("the forked child failed: status {status:#x}"))
    }

    /// Waits for the child; its bytes, or the status of one that failed.
    pub fn outcome(mut self) -> std::result::Result<Vec<u8>, i32> {
        let mut bytes = Vec::new();
        self.output.read_to_end(&mut bytes).expect("the child's pipe");
        let mut status = 0;
        // SAFETY: the child is ours and not waited for elsewhere.
        assert_eq!(unsafe { libc::waitpid(self.id, &mut status, 0) }, self.id, "waitpid");
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 { Ok(bytes) } else { Err(status) }
    }
}

const ARGUMENTS: &str = "KEYSTEAD_TEST_ARGUMENTS";
