//! How far something is that takes long: a line on a terminal, and nothing elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Counts what has been done. The line is taken away when this is dropped.
pub struct Progress {
    /// What is counted, behind the number.
    what: &'static str,
    count: u64,
    /// How many it will be, where that is known.
    all: Option<u64>,
    terminal: bool,
    /// When the line is due.
    next: Instant,
    shown: bool,
}

impl Progress {
    /// Nothing done yet.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            count: 0,
            all: None,
            terminal: io::stderr().is_terminal(),
            next: Instant::now() + STEP,
            shown: false,
        }
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

    /// So many of all that there are.
    pub fn reach_of(&mut self, count: u64, all: u64) {
        (self.count, self.all) = (count, Some(all));
        self.tell();
    }

    fn tell(&mut self) {
        if self.terminal && Instant::now() >= self.next {
            let bar = self.all.map(|all| bar(self.count, all)).unwrap_or_default();
            let _ = write!(io::stderr(), "\r{bar}{} {}", self.count, self.what);
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

/// A bar, and what it shows in words.
fn bar(count: u64, all: u64) -> String {
    const WIDTH: u64 = 30;
    let part = |of: u64| count.min(all).saturating_mul(of).checked_div(all).unwrap_or(of);
    let full = usize::try_from(part(WIDTH)).unwrap_or_default();
    let empty = usize::try_from(WIDTH).unwrap_or_default().saturating_sub(full);
    format!("[{}{}] {:3} % ", "#".repeat(full), ".".repeat(empty), part(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_from_nothing_to_all() {
        assert_eq!(bar(0, 7), "[..............................]   0 % ");
        assert_eq!(bar(5, 10), "[###############...............]  50 % ");
        for (count, all) in [(10, 10), (11, 10), (0, 0)] {
            assert_eq!(bar(count, all), "[##############################] 100 % ");
        }
    }
}
