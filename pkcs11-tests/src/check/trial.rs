//! A check while it runs: it says where it is, so that its end is known if the module ends it, and collects what is not
//! as the standard says.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;

use cryptoki_sys::*;

use super::code::Expected;
use super::verdict::{Deviation, Outcome, Stop, Verdict};
use super::world::World;

/// A check that runs.
pub struct Trial<'a> {
    /// The module, its token and its keys.
    pub world: &'a World,
    voice: &'a Voice,
    deviations: Vec<Deviation>,
}

/// The way to the parent process, a line at a time.
pub struct Voice(RefCell<File>);

impl<'a> Trial<'a> {
    /// Runs a check.
    pub fn run(world: &'a World, voice: &'a Voice, check: impl FnOnce(&mut Self) -> Outcome) -> Verdict {
        let mut trial = Self { world, voice, deviations: Vec::new() };
        let outcome = check(&mut trial);
        let mut deviations = trial.deviations;
        match outcome {
            // What was seen before the end is not lost with it.
            Err(Stop::Skip(reason)) if deviations.is_empty() => return Verdict::Skipped(reason),
            Err(Stop::Broken(deviation)) => deviations.push(deviation),
            _ => (),
        }
        if deviations.is_empty() { Verdict::Passed } else { Verdict::Failed(deviations) }
    }

    /// Says where the check is, for the case that what comes now does not come back.
    pub fn at(&self, point: &str) {
        self.voice.say("at", point);
    }

    /// Makes a call that is to give one of the expected codes, and returns the code.
    pub fn call(&mut self, at: &str, expected: Expected<'_>, call: impl FnOnce() -> CK_RV) -> CK_RV {
        self.at(at);
        let code = call();
        if !expected.holds(code) {
            self.deviations.push(Deviation::code(at, expected, code));
        }
        code
    }

    /// Makes a call that is to give one of these codes, and says whether it did.
    pub fn gives(&mut self, at: &str, codes: &[CK_RV], call: impl FnOnce() -> CK_RV) -> bool {
        codes.contains(&self.call(at, Expected::Codes(codes), call))
    }

    /// Something that is to hold, else what was seen instead.
    pub fn holds(&mut self, at: &str, expected: &str, holds: bool, seen: impl FnOnce() -> String) {
        if !holds {
            self.deviations.push(Deviation { at: at.to_owned(), expected: expected.to_owned(), seen: seen() });
        }
    }

    /// Whether nothing has been found so far.
    pub fn is_clean(&self) -> bool {
        self.deviations.is_empty()
    }
}

/// A call that the check stands on. Where the module does not have the function or the mechanism, there is nothing to check.
pub fn ok(at: &str, code: CK_RV) -> Outcome {
    match code {
        CKR_OK => Ok(()),
        CKR_FUNCTION_NOT_SUPPORTED | CKR_MECHANISM_INVALID => {
            Err(Stop::Skip(format!("{at} answers {}", super::code::name(code))))
        }
        _ => Err(Stop::Broken(Deviation::code(at, Expected::Codes(&[CKR_OK]), code))),
    }
}

/// There is nothing to check.
pub fn skip<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Stop::Skip(reason.into()))
}

impl Voice {
    /// The voice that speaks into this pipe.
    pub fn new(pipe: File) -> Self {
        Self(RefCell::new(pipe))
    }

    /// Says a line. Nobody may be there to hear it any more.
    pub fn say(&self, word: &str, text: &str) {
        let line = format!("{word} {}\n", text.replace('\n', " "));
        drop(self.0.borrow_mut().write_all(line.as_bytes()));
    }
}
