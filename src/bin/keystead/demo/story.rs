//! What the demo tells, and the checks it makes. A check that fails ends the story.

use std::io::{self, Write};

use super::folder::Folder;
use super::party;
use crate::failure::{Failure, Result};

/// The telling of one run.
pub struct Story {
    step: usize,
    checks: usize,
}

impl Story {
    /// The opening.
    pub fn begin(folder: &Folder) -> Result<Self> {
        let mut story = Self { step: 0, checks: 0 };
        story.line("Two tokens, A and B, in two stores, worked by two processes. Keys that never leave A in the clear work in B.")?;
        let fate = if folder.is_kept() { "stays" } else { "is removed at the end" };
        story.line(&format!("The stores lie in {}, which {fate}.", folder.path().display()))?;
        story.line(&format!(
            "The PINs of these throw-away tokens are hashed by Argon2id with {}, for speed; yours cost {}.",
            party::cost(&party::settings().pin),
            party::cost(&Default::default()),
        ))?;
        Ok(story)
    }

    /// A new step begins.
    pub fn step(&mut self, title: &str) -> Result<()> {
        self.step = self.step.saturating_add(1);
        let number = self.step;
        self.line(&format!("\n{number}. {title}"))
    }

    /// What is seen.
    pub fn say(&mut self, what: &str) -> Result<()> {
        self.line(&format!("       {what}"))
    }

    /// Something that must hold.
    pub fn check(&mut self, what: &str, holds: bool) -> Result<()> {
        if !holds {
            let failure = Failure::new(format!("the demo failed in step {}: it does not hold that {what}", self.step));
            return Err(failure.with_next("please report this with the output above"));
        }
        self.checks = self.checks.saturating_add(1);
        self.line(&format!("  ok   {what}"))
    }

    /// The close.
    pub fn end(mut self, folder: &Folder) -> Result<()> {
        if folder.is_kept() {
            let kept = folder.path().display();
            self.line(&format!("\nKept: {kept}; look at A with: keystead --store {kept}/a token show 0"))?;
        }
        let checks = self.checks;
        self.line(&format!("\nAll {checks} checks held."))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        // Also when nobody reads it: what was not told to the end has not succeeded.
        writeln!(io::stdout(), "{text}").map_err(|error| Failure::of("the demo cannot be told", error))
    }
}
