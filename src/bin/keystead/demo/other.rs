//! The second process, and the words between the two: a line of JSON each way, through the second process's standard
//! input and output.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use keystead::error::{self, Error};
use keystead::handle::Handle;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hex::Hex;
use super::party::{Mode, Party, Purpose, Sealed};
use crate::failure::{Failure, Result};

/// The hidden subcommand.
pub const NAME: &str = "demo-other-process";

/// What the first process asks.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// `C_CreateObject` of the wrapping key.
    WrappingKey(Hex),
    /// `C_UnwrapKey`; the new key is asked about from here on.
    Unwrap { mechanism: u64, wrapped: Hex },
    /// Open the texts with the key, each in its mode.
    Open([Sealed; 2]),
    /// Seal a text with the key, in each mode.
    Seal(String),
    /// `C_GetAttributeValue` of the key's value.
    Value,
    /// The same of the wrapping key's.
    WrappingValue,
}

/// What the second process answers.
#[derive(Serialize, Deserialize)]
pub enum Reply {
    /// It has made its token.
    Ready { process: u32, slot: u64, serial: String },
    /// It is done, and there is nothing to tell.
    Done,
    /// The texts.
    Opened([String; 2]),
    /// The sealed text.
    Sealed([Sealed; 2]),
    /// A value that should never have been shown.
    Shown,
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
    let mut side = Side { party: Party::start(&args.folder, "Demo B")?, wrapping: None, key: None };
    let Party { slot, serial, .. } = &side.party;
    send(&mut replies, &Reply::Ready { process: std::process::id(), slot: *slot, serial: serial.clone() })?;
    while let Some(request) = receive(&mut requests)? {
        let reply = side.answer(request).unwrap_or_else(|error| Reply::Refused(code(&error)));
        send(&mut replies, &reply)?;
    }
    Ok(())
}

/// The names of the codes that the demo expects; the reason of any other error.
pub fn code(error: &Error) -> String {
    match error {
        Error::AttributeSensitive(_) => "CKR_ATTRIBUTE_SENSITIVE".into(),
        Error::WrappedKeyInvalid => "CKR_WRAPPED_KEY_INVALID".into(),
        other => other.to_string(),
    }
}

struct Side {
    party: Party,
    wrapping: Option<Handle>,
    key: Option<Handle>,
}

impl Side {
    fn answer(&mut self, request: Request) -> error::Result<Reply> {
        match request {
            Request::WrappingKey(value) => {
                self.wrapping = Some(self.party.import("wrapping key", Purpose::Keys, &value.0)?);
                Ok(Reply::Done)
            }
            Request::Unwrap { mechanism, wrapped } => {
                self.key = Some(self.party.unwrap(mechanism, "from A", self.wrapping()?, &wrapped.0)?);
                Ok(Reply::Done)
            }
            Request::Open(sealed) => {
                let [gcm, cbc] = Mode::ALL;
                let [in_gcm, in_cbc] = &sealed;
                let open = |mode, sealed| {
                    let text = self.party.open(self.key()?, mode, sealed)?;
                    Ok::<_, Error>(String::from_utf8_lossy(&text).into_owned())
                };
                Ok(Reply::Opened([open(gcm, in_gcm)?, open(cbc, in_cbc)?]))
            }
            Request::Seal(text) => {
                let [gcm, cbc] = Mode::ALL;
                let seal = |mode| self.party.seal(self.key()?, mode, text.as_bytes());
                Ok(Reply::Sealed([seal(gcm)?, seal(cbc)?]))
            }
            Request::Value => self.party.value(self.key()?).map(|_| Reply::Shown),
            Request::WrappingValue => self.party.value(self.wrapping()?).map(|_| Reply::Shown),
        }
    }

    fn wrapping(&self) -> error::Result<Handle> {
        self.wrapping.ok_or(Error::UnwrappingKeyHandleInvalid)
    }

    fn key(&self) -> error::Result<Handle> {
        self.key.ok_or(Error::KeyHandleInvalid)
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
