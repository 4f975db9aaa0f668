//! The second process, and the words between the two: a line of JSON each way, through the second process's standard
//! input and output.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use keystead::error::{self, Error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hex::Hex;
use super::member::Taken;
use super::party::{Mode, Party, Sealed};
use crate::failure::{Failure, Result};

/// The hidden subcommand.
pub const NAME: &str = "demo-other-process";

/// What the first process asks.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Ask to join a domain.
    Ask,
    /// Join by an answer.
    Accept(String),
    /// Take a bundle in.
    Take(Hex),
    /// Take a bundle in, over and over, each time with another byte changed.
    Spoil(Hex),
    /// Whether the key of this unique id is there, with the history of one that never left.
    HasHistory(String),
    /// Open the texts with the key of this unique id, each in its mode.
    Open(String, [Sealed; 2]),
    /// Seal a text with the key of this unique id, in each mode.
    Seal(String, String),
}

/// What the second process answers.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    /// It has made its token.
    Ready { process: u32, slot: u64, serial: String },
    /// A request, or the fingerprint of a domain.
    Said(String),
    /// What came of a bundle.
    Taken(Taken),
    /// So many times a change was noticed.
    Noticed(u64),
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// The texts.
    Opened([String; 2]),
    /// The sealed text.
    Sealed([Sealed; 2]),
    /// Refused, with the standard's code, or the reason where it is none of those that the demo expects.
    Refused(String),
}

/// Process B, as process A sees it.
pub struct Other {
    child: Child,
    /// Closing it ends the process.
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Other {
    /// Starts this same program again, on a store of its own.
    pub fn start(folder: &Path) -> Result<Self> {
        let failed = |error| Failure::of("the second process cannot be started", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.arg(NAME).arg("--folder").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let requests = child.stdin.take();
        let replies = child.stdout.take().map(BufReader::new).ok_or_else(|| Failure::new("process B has no output"))?;
        Ok(Self { child, requests, replies })
    }

    /// The next reply.
    pub fn reply(&mut self) -> Result<Reply> {
        receive(&mut self.replies)?.ok_or_else(|| Failure::new("process B has ended before its time"))
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, request: &Request) -> Result<Reply> {
        let requests = self.requests.as_mut().ok_or_else(|| Failure::new("process B has no input"))?;
        send(requests, request)?;
        self.reply()
    }

    /// Has a text sealed with the key of this unique id.
    pub fn seal(&mut self, unique_id: &str, text: &str) -> Result<[Sealed; 2]> {
        match self.ask(&Request::Seal(unique_id.into(), text.into()))? {
            Reply::Sealed(sealed) => Ok(sealed),
            _ => Err(Failure::new("process B sealed nothing")),
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

#[derive(clap::Args)]
pub struct Args {
    /// Where its store is to be
    #[arg(long)]
    folder: PathBuf,
}

/// Process B: a token of its own, and an answer to every request until there are no more.
pub fn run(args: &Args) -> Result<()> {
    let (mut requests, mut replies) = (io::stdin().lock(), io::stdout().lock());
    let party = Party::start(&args.folder, "Demo B")?;
    let Party { slot, serial, .. } = &party;
    send(&mut replies, &Reply::Ready { process: std::process::id(), slot: *slot, serial: serial.clone() })?;
    while let Some(request) = receive(&mut requests)? {
        let reply = party.answer(request).unwrap_or_else(|error| Reply::Refused(code(&error)));
        send(&mut replies, &reply)?;
    }
    Ok(())
}

/// The names of the codes that the demo expects; the reason of any other error.
pub fn code(error: &Error) -> String {
    match error {
        Error::AttributeSensitive(_) => "CKR_ATTRIBUTE_SENSITIVE".into(),
        Error::KeyUnextractable => "CKR_KEY_UNEXTRACTABLE".into(),
        other => other.to_string(),
    }
}

impl Party {
    fn answer(&self, request: Request) -> error::Result<Reply> {
        match request {
            Request::Ask => self.ask().map(Reply::Said),
            Request::Accept(answer) => self.accept(&answer).map(Reply::Said),
            Request::Take(bundle) => self.take(bundle.0.as_slice()).map(Reply::Taken),
            Request::Spoil(bundle) => Ok(Reply::Noticed(self.spoil(bundle.0))),
            Request::HasHistory(id) => Ok(if self.has_its_history(self.find(&id)?)? { Reply::Yes } else { Reply::No }),
            Request::Open(id, sealed) => {
                let (key, [gcm, cbc], [in_gcm, in_cbc]) = (self.find(&id)?, Mode::ALL, &sealed);
                let open =
                    |mode, sealed| Ok::<_, Error>(String::from_utf8_lossy(&self.open(key, mode, sealed)?).into_owned());
                Ok(Reply::Opened([open(gcm, in_gcm)?, open(cbc, in_cbc)?]))
            }
            Request::Seal(id, text) => {
                let (key, [gcm, cbc]) = (self.find(&id)?, Mode::ALL);
                Ok(Reply::Sealed([self.seal(key, gcm, text.as_bytes())?, self.seal(key, cbc, text.as_bytes())?]))
            }
        }
    }

    /// How often a change of one byte was noticed, of all bytes.
    fn spoil(&self, mut bundle: Vec<u8>) -> u64 {
        let mut noticed = 0_u64;
        for at in 0..bundle.len() {
            let flip = |bundle: &mut Vec<u8>| bundle.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
            flip(&mut bundle);
            let accepted = self.take(bundle.as_slice()).is_ok_and(|taken| taken.whole);
            noticed = noticed.saturating_add(u64::from(!accepted));
            flip(&mut bundle);
        }
        noticed
    }
}

fn send<T: Serialize>(to: &mut impl Write, words: &T) -> Result<()> {
    let failed = |error| Failure::of("the other process does not listen", error);
    let mut line = serde_json::to_string(words).map_err(|error| Failure::of("JSON", error))?;
    line.push('\n');
    to.write_all(line.as_bytes()).and_then(|()| to.flush()).map_err(failed)
}

/// Nothing at the end of the input.
fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>> {
    let mut line = String::new();
    let length = from.read_line(&mut line).map_err(|error| Failure::of("the other process does not speak", error))?;
    if length == 0 {
        return Ok(None);
    }
    let words = serde_json::from_str(&line).map_err(|error| Failure::of("the other process talks nonsense", error))?;
    Ok(Some(words))
}
