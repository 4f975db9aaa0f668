//! The side that asks.

use std::io::{Read, Write};

use super::super::digest::{Item, Tally};
use super::super::peer::{About, How, Outcome, Peer, Withheld, nonsense};
use super::super::range::Range;
use super::super::replica::Replica;
use super::frame::{Frames, Hello, Plain, Side};
use super::message::{Answer, Question};
use crate::error::{Error, Result};
use crate::store::ObjectId;

/// A token behind a pipe.
pub struct Remote<R: Read, W: Write> {
    frames: Frames<R, W>,
}

impl<R: Read, W: Write> Remote<R, W> {
    /// Begins a conversation in the domain of a token here.
    ///
    /// # Errors
    /// [`Error::Sync`] if nobody answers who can be talked to, with what he says instead.
    pub fn new(input: R, output: W, own: &Replica) -> Result<Self> {
        let mut plain = Plain::new(input, output);
        let asking = Hello::new(own.domain().id())?;
        // Who is gone already may have said why.
        let said = plain.say(&asking);
        let answering = plain.hear()?;
        said?;
        if answering.domain != asking.domain {
            return Err(nonsense("it answers for another domain"));
        }
        let frames = own.with_domain_key(|keyed| plain.authenticated(keyed, Side::Asking, &asking, &answering))?;
        Ok(Self { frames })
    }

    /// Ends the conversation as it should end.
    pub fn end(mut self) -> Result<()> {
        self.frames.send(&Question::Bye.encode())
    }

    fn ask(&mut self, question: &Question) -> Result<Answer> {
        self.frames.send(&question.encode())?;
        let body = self.frames.receive()?;
        let body = body.ok_or_else(|| Error::Sync("the other side is gone; the next run goes on from there".into()))?;
        match Answer::decode(&body).map_err(|error| nonsense(&error.to_string()))? {
            Answer::Failed(why) => Err(Error::Sync(format!("the other side says: {why}").into())),
            answer => Ok(answer),
        }
    }
}

impl<R: Read, W: Write> Peer for Remote<R, W> {
    fn about(&mut self) -> Result<About> {
        match self.ask(&Question::About)? {
            Answer::About(about) => Ok(about),
            _ => Err(another()),
        }
    }

    fn tallies(&mut self, ranges: &[Range]) -> Result<Vec<Tally>> {
        match self.ask(&Question::Tallies(ranges.into()))? {
            Answer::Tallies(tallies) => Ok(tallies),
            _ => Err(another()),
        }
    }

    fn items(&mut self, ranges: &[Range]) -> Result<Vec<Item>> {
        match self.ask(&Question::Items(ranges.into()))? {
            Answer::Items(items) => Ok(items),
            _ => Err(another()),
        }
    }

    fn fetch(&mut self, ids: &[ObjectId]) -> Result<Vec<Option<Vec<u8>>>> {
        match self.ask(&Question::Fetch(ids.into()))? {
            Answer::Objects(objects) => Ok(objects),
            _ => Err(another()),
        }
    }

    fn put(&mut self, objects: Vec<Vec<u8>>, how: How) -> Result<Vec<Outcome>> {
        match self.ask(&Question::Put(how, objects))? {
            Answer::Outcomes(outcomes) => Ok(outcomes),
            _ => Err(another()),
        }
    }

    fn withheld(&mut self, after: Option<ObjectId>) -> Result<Vec<(ObjectId, Withheld)>> {
        match self.ask(&Question::Withheld(after))? {
            Answer::Withheld(withheld) => Ok(withheld),
            _ => Err(another()),
        }
    }
}

fn another() -> Error {
    nonsense("it answers another question")
}
