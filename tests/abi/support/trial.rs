//! A process for each test. A PKCS#11 module's state belongs to its process, so the runner executes itself again for
//! every test; there the test runs on the main thread of a process that has no other thread.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// One test, or one peer that tests start: a function and its name, `suite::function`.
#[derive(Clone, Copy)]
pub struct Test {
    /// The name on the command line.
    pub name: &'static str,
    /// Panics where the promise of its name does not hold.
    pub run: fn(),
}

/// The table of a suite. A function that is in no table is dead code, which the lint refuses.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        [$($crate::support::Test { name: concat!(module_path!(), "::", stringify!($name)), run: $name }),*]
    };
}

/// Runs the suites; or, in a process made for it, one test or peer.
pub fn main(suites: &[&[Test]], peers: &[&[Test]]) -> ExitCode {
    if let Some(name) = std::env::var_os(TEST) {
        let test = suites.iter().chain(peers).flat_map(|table| table.iter()).find(|test| test.name == name);
        (test.unwrap_or_else(|| panic!("no test or peer is called {name:?}")).run)();
        return ExitCode::SUCCESS;
    }
    let trials = suites.iter().flat_map(|table| table.iter()).map(|test| {
        let name = test.name;
        Trial::ignorable_test(name.trim_start_matches("abi::"), move || in_its_own_process(name))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// Leaves the running test out; the summary counts it as ignored and shows the reason.
pub fn skip(reason: &str) -> ! {
    eprintln!("{SKIPPED}{reason}");
    std::process::exit(SKIP_CODE)
}

/// Shows a line beside the test's result also where it passes, such as how many vectors it ran.
pub fn report(line: impl std::fmt::Display) {
    println!("{REPORTED}{line}");
}

/// How often a test repeats: the short count, or the long one where `KEYSTEAD_SOAK` is set (`make soak`).
pub fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("KEYSTEAD_SOAK").is_some() { long } else { short }
}

/// Names the test or peer that a process of the runner is to be.
pub const TEST: &str = "KEYSTEAD_TEST";

const SKIPPED: &str = "skipped: ";
const REPORTED: &str = "reported: ";
const SKIP_CODE: i32 = 77;

/// What of the library's and the tests' own variables a test is to see.
const KEPT: [&str; 3] = ["KEYSTEAD_MODULE", "KEYSTEAD_SOAK", "KEYSTEAD_WRITE_STORES"];

/// A test that takes longer has failed; it and all that it started are killed.
const TIME_OUT: Duration = Duration::from_secs(120);
const SOAK_TIME_OUT: Duration = Duration::from_secs(3600);

fn in_its_own_process(name: &str) -> Result<Completion, Failed> {
    let mut output = tempfile::tempfile()?;
    let mut command = Command::new(std::env::current_exe()?);
    for (variable, _) in std::env::vars_os() {
        let settings = variable.to_string_lossy();
        if settings.starts_with("KEYSTEAD_") && !KEPT.contains(&&*settings) {
            command.env_remove(&variable);
        }
    }
    // What the module has to say is shown when the test fails.
    command.env("KEYSTEAD_LOG", "stderr,info");
    command.env(TEST, name).process_group(0).stdin(std::process::Stdio::null());
    command.stdout(output.try_clone()?).stderr(output.try_clone()?);
    let mut child = command.spawn()?;
    let limit = if std::env::var_os("KEYSTEAD_SOAK").is_some() { SOAK_TIME_OUT } else { TIME_OUT };
    let status = wait(&mut child, limit)?;
    // Whatever the test left running ends with it.
    kill_group(child.id());
    let said = read_from_start(&mut output)?;
    for line in said.lines().filter_map(|line| line.strip_prefix(REPORTED)) {
        println!("{}: {line}", name.trim_start_matches("abi::"));
    }
    match status {
        None => Err(format!("still running after {limit:?}\n{said}").into()),
        Some(status) if status.success() => Ok(Completion::Completed),
        Some(status) if status.code() == Some(SKIP_CODE) => {
            let reason = said.lines().rev().find_map(|line| line.strip_prefix(SKIPPED));
            reason
                .map(Completion::ignored_with)
                .ok_or_else(|| Failed::from(format!("skipped without a reason\n{said}")))
        }
        Some(status) => Err(format!("{}\n{said}", ended(status)).into()),
    }
}

/// The child's status, or nothing when it ran into the limit and was killed.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(if start.elapsed() < Duration::from_secs(1) { 2 } else { 20 }));
    }
    kill_group(child.id());
    child.wait()?;
    Ok(None)
}

fn kill_group(leader: u32) {
    // SAFETY: the group was made for this child; a group that is gone is no error here.
    unsafe { libc::kill(-(leader as libc::pid_t), libc::SIGKILL) };
}

fn ended(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("killed by signal {signal}"),
        None => format!("exit code {}", status.code().unwrap_or(-1)),
    }
}

fn read_from_start(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
