//! The parent's side: child processes that run checks one after the other, and what their ends mean.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::suite::Check;
use super::verdict::Verdict;
use crate::failure::{Failure, Result};
use crate::token;

/// What every child is told.
pub struct Plan<'a> {
    /// The module.
    pub module: &'a Path,
    /// Slot and PIN of a token that somebody else made.
    pub given: Option<(u64, &'a str)>,
    /// Steps of a walk.
    pub steps: u64,
    /// Seed of a walk.
    pub seed: u64,
    /// How long a child may say nothing.
    pub patience: Duration,
    /// Whether the module's own output is let through.
    pub verbose: bool,
}

impl Plan<'_> {
    /// The verdicts, in the order of the checks. A child that dies takes one check with it: the next does the rest.
    pub fn run(&self, checks: &[Check]) -> Result<Vec<Verdict>> {
        let mut verdicts = Vec::with_capacity(checks.len());
        // A module that was never initialised is a state of its own: those checks have children to themselves.
        for group in checks.chunk_by(|one, next| one.needs == next.needs) {
            let end = verdicts.len() + group.len();
            while verdicts.len() < end {
                let rest = checks.get(verdicts.len()..end).unwrap_or_default();
                let before = verdicts.len();
                self.run_one(rest, &mut verdicts)?;
                if verdicts.len() == before {
                    return Err(Failure::new("a child process ended before it began; --verbose shows what it says"));
                }
            }
        }
        Ok(verdicts)
    }

    /// One child, until it is done or its end.
    fn run_one(&self, checks: &[Check], verdicts: &mut Vec<Verdict>) -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let mut child = self.start(checks, scratch.path())?;
        let lines = listen(&mut child)?;
        let (mut begun, mut point, before) = (false, String::new(), verdicts.len());
        loop {
            let patience = checks.get(verdicts.len() - before).map_or(1, |check| check.patience) * self.patience;
            match lines.recv_timeout(patience) {
                Ok(Line::Begin) => (begun, point) = (true, "the beginning".to_owned()),
                Ok(Line::At(at)) => point = at,
                Ok(Line::End(verdict)) => {
                    begun = false;
                    verdicts.push(verdict);
                }
                Ok(Line::Done) => break,
                Err(RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    child.wait()?;
                    verdicts.push(Verdict::Hung(format!("{point}: nothing for {} s", patience.as_secs())));
                    return Ok(());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait()?;
                    if begun {
                        verdicts.push(Verdict::Crashed(format!("{point}: {}", end_of(status))));
                    }
                    return Ok(());
                }
            }
        }
        self.await_exit(child, checks, verdicts)
    }

    /// A module may still crash or hang when the process ends: that is told of the last check.
    fn await_exit(&self, mut child: Child, checks: &[Check], verdicts: &mut [Verdict]) -> Result<()> {
        let tick = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        let blame = |verdicts: &mut [Verdict], verdict| {
            if let Some(last) = verdicts.last_mut().filter(|last| !last.is_bad() && !checks.is_empty()) {
                *last = verdict;
            }
        };
        while waited < self.patience {
            if let Some(status) = child.try_wait()? {
                if !status.success() {
                    blame(verdicts, Verdict::Crashed(format!("the end of the process: {}", end_of(status))));
                }
                return Ok(());
            }
            thread::sleep(tick);
            waited += tick;
        }
        child.kill()?;
        child.wait()?;
        blame(verdicts, Verdict::Hung("the end of the process".to_owned()));
        Ok(())
    }

    fn start(&self, checks: &[Check], scratch: &Path) -> Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("check-worker").stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("PKCS11_TESTS_PIN");
        command.stderr(if self.verbose { Stdio::inherit() } else { Stdio::null() });
        if self.given.is_none() {
            token::keep_tokens_in(scratch, &mut command)?;
            token::make_logins_cheap_in(scratch)?;
        }
        let mut child = command.spawn()?;
        let orders = json!({
            "module": self.module.to_str().ok_or_else(|| Failure::new("the path of the module is not UTF-8"))?,
            "slot": self.given.map(|(slot, _)| slot),
            "pin": self.given.map(|(_, pin)| pin),
            "steps": self.steps,
            "seed": self.seed,
            "checks": checks.iter().map(Check::name).collect::<Vec<_>>(),
        });
        let mut stdin = child.stdin.take().ok_or_else(|| Failure::new("a child without standard input"))?;
        stdin.write_all(orders.to_string().as_bytes())?;
        Ok(child)
    }
}

enum Line {
    Begin,
    At(String),
    End(Verdict),
    Done,
}

/// What a child says, as it says it.
fn listen(child: &mut Child) -> Result<Receiver<Line>> {
    let stdout = child.stdout.take().ok_or_else(|| Failure::new("a child without standard output"))?;
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            let Some(line) = read(&line) else { break };
            if send.send(line).is_err() {
                break;
            }
        }
    });
    Ok(lines)
}

fn read(line: &str) -> Option<Line> {
    let (word, text) = line.split_once(' ')?;
    match word {
        "begin" => Some(Line::Begin),
        "at" => Some(Line::At(text.to_owned())),
        "end" => Verdict::from_json(&serde_json::from_str(text).ok()?).map(Line::End),
        "done" => Some(Line::Done),
        _ => None,
    }
}

fn end_of(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(libc::SIGSEGV), _) => "SIGSEGV".to_owned(),
        (Some(libc::SIGABRT), _) => "SIGABRT".to_owned(),
        (Some(libc::SIGBUS), _) => "SIGBUS".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (_, code) => format!("exit code {}", code.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_others_are_not() {
        assert!(matches!(read("at the point: here"), Some(Line::At(at)) if at == "the point: here"));
        assert!(matches!(read(r#"end {"verdict":"pass"}"#), Some(Line::End(Verdict::Passed))));
        assert!(read("end {}").is_none());
        assert!(read("something else").is_none());
    }
}
