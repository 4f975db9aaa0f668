//! How far something is that takes long: a line on a terminal, and nothing elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Counts what has been done. The line is taken away when this is dropped.
pub struct Progress {
    /// What is counted, behind the number.
    what: &'static str,
    count: u64,
    terminal: bool,
    /// When the line is due.
    next: Instant,
    shown: bool,
}

impl Progress {
    /// Nothing done yet.
    pub fn new(what: &'static str) -> Self {
        Self { what, count: 0, terminal: io::stderr().is_terminal(), next: Instant::now() + STEP, shown: false }
    }

    /// One more.
    pub fn tick(&mut self) {
        self.count = self.count.saturating_add(1);
        // The clock costs more than what is counted.
        if self.count.is_multiple_of(64) {
            self.tell();
        }
    }

    /// So many in all.
    pub fn reach(&mut self, count: u64) {
        self.count = count;
        self.tell();
    }

    fn tell(&mut self) {
        if self.terminal && Instant::now() >= self.next {
            let _ = write!(io::stderr(), "\r{} {}", self.count, self.what);
            (self.next, self.shown) = (Instant::now() + STEP, true);
        }
    }

    /// Takes the line away until there is news, for who wants to say something.
    pub fn pause(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.pause();
    }
}

const STEP: Duration = Duration::from_millis(200);
