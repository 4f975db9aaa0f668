//! The side that answers.

use std::io::{Read, Write};

use super::super::DomainId;
use super::super::peer::{Peer, nonsense};
use super::super::replica::Replica;
use super::frame::{Hello, Plain, Side};
use super::message::{Answer, Question};
use crate::error::{Error, Result};

/// Answers for a token until the other side ends the conversation. `member` finds the domain that is asked for.
///
/// # Errors
/// [`Error::Sync`] when the conversation does not come about, or does not end as it should. What had come whole stays.
pub fn serve(input: impl Read, output: impl Write, member: impl FnOnce(DomainId) -> Result<Replica>) -> Result<()> {
    let mut plain = Plain::new(input, output);
    let asking = plain.hear()?;
    let mut replica = match member(asking.domain) {
        Ok(replica) => replica,
        Err(error) => {
            plain.refuse(&error.to_string())?;
            return Err(error);
        }
    };
    let answering = Hello::new(asking.domain)?;
    plain.say(&answering)?;
    let mut frames =
        replica.with_domain_key(|keyed| plain.authenticated(keyed, Side::Answering, &asking, &answering))?;
    loop {
        let body = frames.receive()?;
        let body = body.ok_or_else(|| Error::Sync("the other side is gone; what had come whole stays".into()))?;
        let question = Question::decode(&body).map_err(|error| nonsense(&error.to_string()))?;
        let answer = match answered(&mut replica, question) {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(()),
            Err(error) => {
                frames.send(&Answer::Failed(error.to_string()).encode())?;
                return Err(error);
            }
        };
        frames.send(&answer.encode())?;
    }
}

/// The answer; nothing at the end.
fn answered(replica: &mut Replica, question: Question) -> Result<Option<Answer>> {
    Ok(Some(match question {
        Question::About => Answer::About(replica.about()?),
        Question::Tallies(ranges) => Answer::Tallies(replica.tallies(&ranges)?),
        Question::Items(ranges) => Answer::Items(replica.items(&ranges)?),
        Question::Fetch(ids) => Answer::Objects(replica.fetch(&ids)?),
        Question::Put(how, objects) => Answer::Outcomes(replica.put(objects, how)?),
        Question::Withheld(after) => Answer::Withheld(replica.withheld(after)?),
        Question::Bye => return Ok(None),
    }))
}
