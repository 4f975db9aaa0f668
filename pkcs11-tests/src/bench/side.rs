//! One side of a benchmark as seen from outside: a process, and a line each way.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::operation::Operation;
use super::rounds::TakesTurns;
use super::turn::Outcome;
use crate::failure::{Failure, Result};
use crate::token;

/// A process that measures one module, or the bare primitive.
pub struct Side {
    module: Option<PathBuf>,
    pin: Option<String>,
    /// What the module says of itself.
    pub about: Value,
    process: Process,
}

/// What stands in the place of a figure.
#[derive(Clone, Debug)]
pub struct Lack {
    /// A sentence.
    pub reason: String,
    /// The name of the code that a function of the module answered.
    pub code: Option<String>,
    /// Whether the module is at fault: it gave a wrong result, or its process ended.
    pub is_fault: bool,
}

impl Side {
    /// The process for a module, with a token of its own, or with one that is there and has this PIN.
    pub fn of_module(path: &Path, pin: Option<&str>) -> Result<Self> {
        Self::start(Some(path.to_owned()), pin.map(str::to_owned))
    }

    /// The process for the bare primitive.
    pub fn bare() -> Result<Self> {
        Self::start(None, None)
    }

    /// The module's file, without its folder.
    pub fn file(&self) -> Option<String> {
        let name = self.module.as_ref()?.file_name()?;
        Some(name.to_string_lossy().into_owned())
    }

    fn start(module: Option<PathBuf>, pin: Option<String>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(module) = &module {
            command.arg("--module").arg(module);
            if let Some(reserved) = token::reserved_argument(module, folder.path()) {
                command.arg("--reserved").arg(reserved);
            }
            token::keep_tokens_in(folder.path(), &mut command)?;
        }
        if let Some(pin) = &pin {
            command.env("PKCS11_TESTS_PIN", pin);
        }
        let mut process = Process::begin(command, folder)?;
        let name = module.as_ref().map(|module| module.display().to_string()).unwrap_or_default();
        let about = process.ask("ready").map_err(|lack| match lack.reason.starts_with(&name) {
            true => Failure::new(lack.reason),
            false => Failure::new(format!("{name}: {}", lack.reason)),
        })?;
        Ok(Self { module, pin, about: serde_json::from_str(&about).unwrap_or_default(), process })
    }
}

impl TakesTurns for Side {
    fn revive(&mut self) -> Result<()> {
        if self.process.child.try_wait()?.is_some() {
            *self = Self::start(self.module.take(), self.pin.take())?;
        }
        Ok(())
    }

    fn prepare(&mut self, operation: Operation, threads: usize) -> std::result::Result<(), Lack> {
        self.process.ask(&format!("prepare {threads} {}", operation.name())).map(drop)
    }

    fn turn(&mut self, threads: usize, length: Duration, patience: Duration) -> std::result::Result<Outcome, Lack> {
        let question = format!("turn {threads} {}", length.as_micros());
        let begun = Instant::now();
        let mut best = self.process.outcome(&question)?;
        while !best.undisturbed && begun.elapsed() < patience {
            std::thread::sleep(length.min(patience / 10));
            let next = self.process.outcome(&question)?;
            if next.undisturbed || next.nanos < best.nanos {
                best = next;
            }
        }
        Ok(best)
    }
}

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl Process {
    fn begin(mut command: Command, folder: tempfile::TempDir) -> Result<Self> {
        let mut child = command.spawn()?;
        let (to, from) = child.stdin.take().zip(child.stdout.take()).ok_or_else(|| Failure::new("no pipes"))?;
        Ok(Self { child, to, from: BufReader::new(from), _folder: folder })
    }

    fn outcome(&mut self, question: &str) -> std::result::Result<Outcome, Lack> {
        let line = self.ask(question)?;
        let outcome = || {
            let (nanos, state) = line.split_once(' ')?;
            Some(Outcome { nanos: nanos.parse().ok()?, undisturbed: state == "undisturbed" })
        };
        outcome().ok_or_else(|| Lack::fault(format!("a worker said: {line}")))
    }

    fn ask(&mut self, question: &str) -> std::result::Result<String, Lack> {
        let mut line = String::new();
        let told = writeln!(self.to, "{question}").and_then(|()| self.from.read_line(&mut line));
        if !told.is_ok_and(|length| length > 0) {
            let how = self.child.wait().map(|status| status.to_string()).unwrap_or_default();
            return Err(Lack::fault(format!("its process ended: {how}")));
        }
        match line.trim_end().split_once(' ') {
            Some(("yes", answer)) => Ok(answer.to_owned()),
            Some(("wrong", reason)) => Err(Lack::fault(reason.to_owned())),
            Some((code, reason)) => {
                let code = code.starts_with("CKR_").then(|| code.to_owned());
                Err(Lack { reason: reason.to_owned(), code, is_fault: false })
            }
            None => Err(Lack::fault(format!("a worker said: {}", line.trim_end()))),
        }
    }
}

impl Lack {
    fn fault(reason: String) -> Self {
        Self { reason, code: None, is_fault: true }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
