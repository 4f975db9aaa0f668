//! One side of a benchmark, in a process of its own, and how it is talked to: a line each way.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::operation::Operation;
use super::turn::{self, Outcome, Work};
use super::{bare, calls};
use crate::failure::{Failure, Result};
use crate::module::{Module, Session};
use crate::token;

/// A process that measures one module, or the bare primitive.
pub struct Side {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

/// What came out of a turn.
pub type Answer = Outcome;

impl Side {
    /// The process for a module, with a token of its own.
    pub fn of_module(path: &Path) -> Result<Self> {
        Self::start(Some(path))
    }

    /// The process for the bare primitive.
    pub fn bare() -> Result<Self> {
        Self::start(None)
    }

    /// Makes the operation ready; inside, why this side lacks it.
    pub fn prepare(&mut self, operation: Operation) -> Result<Result<()>> {
        let answer = self.ask(&format!("prepare {}", operation.name()))?;
        Ok(match answer.strip_prefix("lacks ") {
            Some(reason) => Err(Failure::new(reason)),
            None => Ok(()),
        })
    }

    /// One turn with so many threads, tried again as long as the kernel takes the processor away.
    pub fn turn(&mut self, threads: usize, length: Duration) -> Result<Answer> {
        let question = format!("turn {threads} {}", length.as_micros());
        let mut best: Option<Answer> = None;
        let begun = Instant::now();
        while best.is_none() || begun.elapsed() < PATIENCE {
            let line = self.ask(&question)?;
            let answer = parse(&line).ok_or_else(|| Failure::new(format!("a worker said: {line}")))?;
            if answer.undisturbed {
                return Ok(answer);
            }
            std::thread::sleep(length.min(PATIENCE / 10));
            if best.is_none_or(|best| answer.nanos < best.nanos) {
                best = Some(answer);
            }
        }
        best.ok_or_else(|| Failure::new("no turn was taken"))
    }

    fn start(module: Option<&Path>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(module) = module {
            command.arg("--module").arg(module);
            token::keep_tokens_in(folder.path(), &mut command)?;
        }
        let mut child = command.spawn()?;
        let (to, from) = child.stdin.take().zip(child.stdout.take()).ok_or_else(|| Failure::new("no pipes"))?;
        let mut side = Self { child, to, from: BufReader::new(from), _folder: folder };
        side.ask("ready")?;
        Ok(side)
    }

    fn ask(&mut self, question: &str) -> Result<String> {
        writeln!(self.to, "{question}")?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        let line = line.trim_end();
        match line.strip_prefix("failed ") {
            Some(reason) => Err(Failure::new(reason)),
            None if line.is_empty() => Err(Failure::new("a worker has ended before its time")),
            None => Ok(line.to_owned()),
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a turn is tried before a disturbed one is taken.
const PATIENCE: Duration = Duration::from_millis(150);

fn parse(line: &str) -> Option<Answer> {
    let mut words = line.strip_prefix("nanos ")?.split(' ');
    let nanos = words.next()?.parse().ok()?;
    Some(Answer { nanos, undisturbed: words.next()? == "undisturbed" })
}

/// What a worker is told.
#[derive(clap::Args)]
pub struct WorkerArguments {
    /// The module; without one, the bare primitive
    #[arg(long)]
    module: Option<PathBuf>,
}

/// Answers questions until there are no more.
pub fn work(arguments: &WorkerArguments) -> Result<()> {
    let mut worker = Worker { session: None, works: Vec::new(), batch: 1 };
    for line in std::io::stdin().lines() {
        let answer = worker.answer(&line?, arguments.module.as_deref());
        println!("{}", answer.unwrap_or_else(|failure| format!("failed {failure}")));
    }
    Ok(())
}

struct Worker {
    session: Option<Session>,
    works: Vec<Work>,
    batch: u64,
}

impl Worker {
    fn answer(&mut self, question: &str, module: Option<&Path>) -> Result<String> {
        let words: Vec<&str> = question.split(' ').collect();
        match words.as_slice() {
            ["ready"] => {
                if let Some(path) = module {
                    let module: Arc<Module> = Module::load(path)?;
                    self.session = Some(token::log_in_to_new(&module)?);
                }
                Ok("yes".to_owned())
            }
            ["prepare", name] => self.prepare(name),
            ["turn", threads, micros] => {
                let threads: usize = threads.parse().map_err(|_| Failure::new("no number of threads"))?;
                let micros = micros.parse().map_err(|_| Failure::new("no length of a turn"))?;
                let works = self.works.get_mut(..threads).ok_or_else(|| Failure::new("nothing is prepared"))?;
                let Outcome { nanos, undisturbed } = turn::take(works, self.batch, Duration::from_micros(micros))?;
                Ok(format!("nanos {nanos} {}", if undisturbed { "undisturbed" } else { "disturbed" }))
            }
            _ => Err(Failure::new(format!("no question: {question}"))),
        }
    }

    fn prepare(&mut self, name: &str) -> Result<String> {
        let operation = Operation::ALL.iter().find(|operation| operation.name() == name);
        let operation = operation.ok_or_else(|| Failure::new(format!("no operation {name}")))?;
        self.works.clear();
        let prepared = match &self.session {
            Some(session) => calls::prepare(*operation, session, THREADS),
            None => bare::prepare(*operation, THREADS),
        };
        let works = prepared.and_then(|mut works| {
            let first = works.first_mut().ok_or_else(|| Failure::new("nothing to do"))?;
            self.batch = turn::batch_size(first, Duration::from_millis(1))?;
            Ok(works)
        });
        match works {
            Ok(works) => self.works = works,
            Err(reason) => return Ok(format!("lacks {reason}")),
        }
        Ok("yes".to_owned())
    }
}

/// The most threads that a turn has.
const THREADS: usize = 2;
