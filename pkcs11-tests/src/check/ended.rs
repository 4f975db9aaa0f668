//! A call that fails ends its operation, whatever its code, but for CKR_BUFFER_TOO_SMALL.

use std::ptr;

use cryptoki_sys::*;

use super::code;
use super::guard::Guarded;
use super::mechanism::{KNOWN, Known, Takes};
use super::operation::{ENOUGH, Purpose, Raw};
use super::rooms::input_of;
use super::suite::Check;
use super::trial::Trial;
use super::verdict::Outcome;
use super::world::Session;

/// The checks.
pub fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for known in KNOWN {
        for purpose in known.does.iter().copied() {
            let subject = format!("{} {}", purpose.name(), known.name);
            checks.push(Check::new("ended", subject, purpose.section(), move |trial| ended(trial, purpose, known)));
        }
    }
    checks
}

/// The calls that fail, each in an operation of its own. After each the next Init succeeds.
fn ended(trial: &mut Trial<'_>, purpose: Purpose, known: &Known) -> Outcome {
    let world = trial.world;
    world.lists(known.number, purpose.flag())?;
    let session = world.session()?;
    let input = input_of(&session, purpose, known, 45)?;
    let signature = match purpose {
        Purpose::Verify => session.one_shot(Purpose::Sign, known, &input)?,
        _ => Vec::new(),
    };
    let case = Case { purpose, known, signature };
    let null = (ptr::null(), 16);
    case.check(trial, "NULL input with a length", &|session, room| case.whole(session, null, room))?;
    if known.in_parts {
        case.check(trial, "Update with NULL and a length", &|session, room| case.update(session, null, room))?;
    }
    if purpose == Purpose::Verify {
        return case.signatures(trial, &input);
    }
    let good = (input.as_ptr(), input.len());
    case.check(trial, "NULL for the length", &|session, _| case.whole(session, good, ptr::null_mut()))?;
    if known.in_parts {
        let no_length = |session: &Session<'_>, _| session.finish_raw(purpose, ptr::null_mut(), ptr::null_mut());
        case.check(trial, "Final with NULL for the length", &no_length)?;
    }
    case.inputs(trial, &input)
}

struct Case<'a> {
    purpose: Purpose,
    known: &'a Known,
    signature: Vec<u8>,
}

/// A call that may fail; it is given a pointer to a length that is large enough.
type Fails<'a> = &'a dyn Fn(&Session<'_>, *mut CK_ULONG) -> CK_RV;

impl Case<'_> {
    fn check(&self, trial: &mut Trial<'_>, at: &str, call: Fails<'_>) -> Outcome {
        let session = trial.world.session()?;
        session.begin(self.purpose, self.known)?;
        let mut room = match self.purpose {
            Purpose::Verify => self.signature.len() as CK_ULONG,
            _ => ENOUGH as CK_ULONG,
        };
        trial.at(at);
        let failed = call(&session, &mut room);
        trial
            .holds(at, "a code other than CKR_BUFFER_TOO_SMALL", failed != CKR_BUFFER_TOO_SMALL, || code::name(failed));
        let half = self.purpose.half(trial.world.key(self.known.key)?);
        let next = format!("{at} ({}), then Init", code::name(failed));
        // Where the call was an Update that did not fail, the operation goes on, and rightly so.
        if failed != CKR_OK {
            trial.gives(&next, &[CKR_OK], || session.init(self.purpose, self.known, half));
        }
        Ok(())
    }

    fn whole(&self, session: &Session<'_>, (input, length): (*const u8, usize), room: *mut CK_ULONG) -> CK_RV {
        let mut buffer = Guarded::holding(&self.signature, ENOUGH);
        let length = length as CK_ULONG;
        session.whole_raw(self.purpose, Raw { input, length, output: buffer.pointer(), room })
    }

    fn update(&self, session: &Session<'_>, (input, length): (*const u8, usize), room: *mut CK_ULONG) -> CK_RV {
        let mut buffer = Guarded::new(ENOUGH);
        let length = length as CK_ULONG;
        session.update_raw(self.purpose, Raw { input, length, output: buffer.pointer(), room })
    }

    /// Inputs of a length or content that the mechanism does not take.
    fn inputs(&self, trial: &mut Trial<'_>, good: &[u8]) -> Outcome {
        let mut flipped = good.to_vec();
        flipped.last_mut().into_iter().for_each(|last| *last ^= 0x80);
        let short = good.get(1..).unwrap_or_default();
        let bad: &[(&str, &[u8])] = match (self.purpose, self.known.takes) {
            (Purpose::Decrypt, _) => &[("a byte less", short), ("the last byte changed", &flipped), ("nothing", &[])],
            (_, Takes::Anything) => return Ok(()),
            (_, Takes::AtMost(_)) => &[("too much", &[0xff; 300])],
            _ => &[("a byte less", short)],
        };
        for (at, input) in bad {
            let input = (input.as_ptr(), input.len());
            self.check(trial, at, &|session, room| self.whole(session, input, room))?;
            if self.known.in_parts {
                let final_call = |session: &Session<'_>, room: *mut CK_ULONG| {
                    let mut enough = ENOUGH as CK_ULONG;
                    match self.update(session, input, &mut enough) {
                        CKR_OK => session.finish_raw(self.purpose, Guarded::new(ENOUGH).pointer(), room),
                        failed => failed,
                    }
                };
                self.check(trial, &format!("{at}, at Final"), &final_call)?;
            }
        }
        Ok(())
    }

    /// Signatures that are none. A verification is over after each, and after a good one too.
    fn signatures(&self, trial: &mut Trial<'_>, input: &[u8]) -> Outcome {
        let mut changed = self.signature.clone();
        changed.last_mut().into_iter().for_each(|last| *last ^= 1);
        let long: Vec<u8> = self.signature.iter().copied().chain([0]).collect();
        let short = self.signature.get(1..).unwrap_or_default();
        for (at, signature) in
            [("changed", changed.as_slice()), ("a byte less", short), ("a byte more", &long), ("none", &[])]
        {
            let at = format!("signature: {at}");
            let raw = |room: *mut CK_ULONG| {
                let length = input.len() as CK_ULONG;
                Raw { input: input.as_ptr(), length, output: signature.as_ptr().cast_mut(), room }
            };
            let whole = |session: &Session<'_>, _: *mut CK_ULONG| {
                session.whole_raw(self.purpose, raw(&mut (signature.len() as CK_ULONG)))
            };
            self.check(trial, &at, &whole)?;
            if self.known.in_parts {
                let last = |session: &Session<'_>, _: *mut CK_ULONG| match session
                    .update_raw(self.purpose, raw(ptr::null_mut()))
                {
                    CKR_OK => {
                        let length = &mut (signature.len() as CK_ULONG);
                        session.finish_raw(self.purpose, signature.as_ptr().cast_mut(), length)
                    }
                    failed => failed,
                };
                self.check(trial, &format!("{at}, at Final"), &last)?;
            }
        }
        Ok(())
    }
}
