//! One side of a benchmark from inside: a process that answers a line with a line. An answer begins with `yes`; with `wrong` where
//! a result is wrong; otherwise with the name of what a function of the module answered, or `no`, and says why.

use std::ffi::CString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cryptoki_sys::CK_INFO;
use serde_json::{Value, json};

use super::operation::Operation;
use super::turn::{self, Outcome, Work};
use super::{bare, calls};
use crate::check::code;
use crate::failure::{Failure, Result};
use crate::module::{Module, Session, check};
use crate::token;

/// What a worker is told.
#[derive(clap::Args)]
pub struct WorkerArguments {
    /// The module; without one, the bare primitive
    #[arg(long)]
    module: Option<PathBuf>,
    /// What `C_Initialize` is given as its reserved argument
    #[arg(long)]
    reserved: Option<CString>,
    /// The user's PIN of a token that is there already
    #[arg(long, env = "PKCS11_TESTS_PIN", hide_env_values = true)]
    pin: Option<String>,
}

/// Answers questions until there are no more.
pub fn work(arguments: &WorkerArguments) -> Result<()> {
    let mut worker = Worker { arguments, session: None, works: Vec::new(), batch: 1 };
    for line in std::io::stdin().lines() {
        match worker.answer(&line?) {
            Ok(answer) => println!("yes {answer}"),
            Err(reason) => println!("{} {reason}", kind(&reason)),
        }
    }
    Ok(())
}

fn kind(failure: &Failure) -> String {
    match failure.code() {
        Some(code) => code::name(code),
        None if failure.is_wrong_result() => "wrong".to_owned(),
        None => "no".to_owned(),
    }
}

struct Worker<'a> {
    arguments: &'a WorkerArguments,
    session: Option<Session>,
    works: Vec<Box<dyn Work>>,
    batch: u64,
}

impl Worker<'_> {
    fn answer(&mut self, question: &str) -> Result<String> {
        let words: Vec<&str> = question.split(' ').collect();
        match words.as_slice() {
            ["ready"] => self.begin(),
            ["prepare", threads, name] => self.prepare(number(threads)?, name),
            ["turn", threads, micros] => {
                let works = self.works.get_mut(..number(threads)?);
                let works = works.ok_or_else(|| Failure::new("nothing is prepared"))?;
                let length = Duration::from_micros(number(micros)? as u64);
                let Outcome { nanos, undisturbed } = turn::take(works, self.batch, length)?;
                Ok(format!("{nanos} {}", if undisturbed { "undisturbed" } else { "disturbed" }))
            }
            _ => Err(Failure::new(format!("no question: {question}"))),
        }
    }

    fn begin(&mut self) -> Result<String> {
        let Some(path) = &self.arguments.module else { return Ok("{}".to_owned()) };
        let module = Module::load_with(path, self.arguments.reserved.as_deref())?;
        let about = about(&module)?;
        self.session = Some(token::log_in_to_any(&module, self.arguments.pin.as_deref())?);
        Ok(about.to_string())
    }

    fn prepare(&mut self, threads: usize, name: &str) -> Result<String> {
        let operation = Operation::named(name).ok_or_else(|| Failure::new(format!("no operation {name}")))?;
        self.works.clear();
        let mut works = match &self.session {
            Some(session) => calls::prepare(operation, session, threads),
            None => bare::prepare(operation, threads),
        }?;
        let first = works.first_mut().ok_or_else(|| Failure::new("nothing to do"))?;
        self.batch = turn::batch_size(first.as_mut(), Duration::from_millis(1))?;
        first.check()?;
        self.works = works;
        Ok("prepared".to_owned())
    }
}

fn number(word: &str) -> Result<usize> {
    word.parse().map_err(|_| Failure::new(format!("no number: {word}")))
}

/// What the module says of itself.
fn about(module: &Arc<Module>) -> Result<Value> {
    let mut info = CK_INFO::default();
    // SAFETY: the function writes one structure.
    check("C_GetInfo", unsafe { (module.table.info)(&mut info) })?;
    let text = |padded: &[u8]| String::from_utf8_lossy(padded).trim_end_matches([' ', '\0']).to_owned();
    let version = |major, minor| format!("{major}.{minor}");
    Ok(json!({
        "description": text(&info.libraryDescription),
        "manufacturer": text(&info.manufacturerID),
        "version": version(info.libraryVersion.major, info.libraryVersion.minor),
        "cryptoki": version(info.cryptokiVersion.major, info.cryptokiVersion.minor),
    }))
}
