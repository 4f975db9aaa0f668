//! Frames: length, body, MAC. The number of the frame is in the MAC, so that none is left out, repeated or moved.

use std::io::{self, Read, Write};

use minicbor::{Decoder, Encoder};

use super::super::DomainId;
use super::super::framed::{self, LONGEST, Unread, fixed};
use crate::crypto::hash::Algorithm;
use crate::crypto::hmac::HmacKey;
use crate::crypto::{equal, random};
use crate::error::{Error, Result};
use crate::mechanism::Keyed;

/// A pair of byte streams on which nothing is authenticated yet.
pub struct Plain<R, W> {
    input: R,
    output: W,
}

/// The same, once both sides know that the other has the domain key as soon as it says anything.
pub struct Frames<R, W> {
    input: Received<R>,
    output: Sent<W>,
}

/// How a conversation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The domain of which it is to be.
    pub domain: DomainId,
    /// Random, so that no conversation is another's.
    pub nonce: [u8; 32],
}

/// Which side is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It asks.
    Asking,
    /// It answers.
    Answering,
}

/// Before anything is authenticated, this will do.
const LONGEST_HELLO: u32 = 1 << 10;

/// The length of a MAC in bytes.
const MAC: usize = 32;

impl Hello {
    /// With a new nonce.
    pub fn new(domain: DomainId) -> Result<Self> {
        Ok(Self { domain, nonce: random::bytes()? })
    }
}

impl<R: Read, W: Write> Plain<R, W> {
    /// Nothing said yet.
    pub fn new(input: R, output: W) -> Self {
        Self { input, output }
    }

    /// Says hello.
    pub fn say(&mut self, hello: &Hello) -> Result<()> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = encoder.array(4).and_then(|e| e.str(MAGIC)).and_then(|e| e.u64(VERSION));
        let _ = encoder.bytes(&hello.domain.0).and_then(|e| e.bytes(&hello.nonce));
        self.write(&encoder.into_writer())
    }

    /// Says why there will be no conversation.
    pub fn refuse(&mut self, why: &str) -> Result<()> {
        let mut encoder = Encoder::new(Vec::new());
        let _ = encoder.array(3).and_then(|e| e.str(MAGIC)).and_then(|e| e.u64(VERSION)).and_then(|e| e.str(why));
        self.write(&encoder.into_writer())
    }

    /// Hears hello.
    ///
    /// # Errors
    /// [`Error::Sync`] with what the other side says instead, or that it says nothing of the kind.
    pub fn hear(&mut self) -> Result<Hello> {
        let body = match framed::read(&mut self.input, LONGEST_HELLO, 0) {
            Ok(Some(body)) => body,
            Ok(None) => return Err(Error::Sync("the other side ended before it said anything".into())),
            Err(Unread::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(broken(&error)),
            Err(_) => return Err(stranger()),
        };
        decode_hello(&body).unwrap_or_else(|_| Err(stranger()))
    }

    /// From here on every frame is authenticated.
    pub fn authenticated(
        self,
        keyed: &Keyed<'_>,
        side: Side,
        asking: &Hello,
        answering: &Hello,
    ) -> Result<Frames<R, W>> {
        let nonces = [asking.nonce, answering.nonce].concat();
        let key = |label| keyed.derived(&nonces, label).map(|key| HmacKey::new(Algorithm::Sha256, key.expose()));
        let (asking, answering) = (key(b"keystead 1 sync asking")?, key(b"keystead 1 sync answering")?);
        let (own, other) = match side {
            Side::Asking => (asking, answering),
            Side::Answering => (answering, asking),
        };
        Ok(Frames {
            input: Received { stream: self.input, mac: other, number: 0 },
            output: Sent { stream: self.output, mac: own, number: 0 },
        })
    }

    fn write(&mut self, body: &[u8]) -> Result<()> {
        let written = framed::write(&mut self.output, body, &[]);
        written.and_then(|()| self.output.flush()).map_err(|error| broken(&error))
    }
}

impl<R: Read, W: Write> Frames<R, W> {
    /// Sends a body.
    pub fn send(&mut self, body: &[u8]) -> Result<()> {
        self.output.send(body)
    }

    /// The next body; nothing if the stream ended between two frames.
    ///
    /// # Errors
    /// [`Error::Sync`] when the stream breaks, or what it brings is not from who has the domain key.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        self.input.receive()
    }
}

/// One direction, in.
struct Received<R> {
    stream: R,
    mac: HmacKey,
    number: u64,
}

/// One direction, out.
struct Sent<W> {
    stream: W,
    mac: HmacKey,
    number: u64,
}

impl<W: Write> Sent<W> {
    fn send(&mut self, body: &[u8]) -> Result<()> {
        let mac = mac(&self.mac, self.number, body);
        self.number = self.number.saturating_add(1);
        let written = framed::write(&mut self.stream, body, &mac);
        written.and_then(|()| self.stream.flush()).map_err(|error| broken(&error))
    }
}

impl<R: Read> Received<R> {
    fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        let forged = || {
            Error::Sync(
                "what came through the pipe is not from a token of the domain, or was changed on the way".into(),
            )
        };
        let mut body = match framed::read(&mut self.stream, LONGEST, MAC) {
            Ok(Some(body)) => body,
            Ok(None) => return Ok(None),
            Err(Unread::Io(error)) => return Err(broken(&error)),
            Err(Unread::TooLong) => return Err(forged()),
        };
        let found = body.split_off(body.len().saturating_sub(MAC));
        if !equal(&mac(&self.mac, self.number, &body), &found) {
            return Err(forged());
        }
        self.number = self.number.saturating_add(1);
        Ok(Some(body))
    }
}

const MAGIC: &str = "keystead sync";
const VERSION: u64 = 1;

fn decode_hello(body: &[u8]) -> std::result::Result<Result<Hello>, minicbor::decode::Error> {
    let decoder = &mut Decoder::new(body);
    let length = decoder.array()?;
    if decoder.str()? != MAGIC {
        return Ok(Err(stranger()));
    }
    let version = decoder.u64()?;
    if length == Some(3) {
        return Ok(Err(Error::Sync(format!("the other side says: {}", shown(decoder.str()?)).into())));
    }
    if version != VERSION {
        let sentence =
            format!("the other side speaks version {version} of the protocol, and this library version {VERSION}");
        return Ok(Err(Error::Sync(sentence.into())));
    }
    Ok(Ok(Hello { domain: DomainId(fixed(decoder)?), nonce: fixed(decoder)? }))
}

/// What another side says, for people: a line that cannot speak to a terminal.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn mac(key: &HmacKey, number: u64, body: &[u8]) -> [u8; MAC] {
    let mut mac = key.begin();
    mac.update(&number.to_be_bytes());
    mac.update(body);
    mac.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

fn stranger() -> Error {
    let sentence =
        "the other side does not answer as `keystead sync --serve` does; nothing else may write to its standard output";
    Error::Sync(sentence.into())
}

fn broken(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
            Error::Sync("the other side is gone; what had come whole stays, and the next run goes on from there".into())
        }
        io::ErrorKind::InvalidInput => {
            Error::Sync(format!("an object is longer than the {LONGEST} bytes that are sent at a time").into())
        }
        _ => Error::Sync(format!("the pipe to the other side broke: {error}").into()),
    }
}
