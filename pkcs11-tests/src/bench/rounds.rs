//! The sides take turns, A B C A B C.

use std::time::{Duration, Instant};

use super::figures::{Measured, Row};
use super::operation::Operation;
use super::side::Lack;
use super::turn::Outcome;
use crate::failure::Result;

/// Whoever takes turns.
pub trait TakesTurns {
    /// Begins again if the last operation was its end.
    fn revive(&mut self) -> Result<()>;

    /// Makes the operation ready for so many threads.
    fn prepare(&mut self, operation: Operation, threads: usize) -> std::result::Result<(), Lack>;

    /// One turn with so many threads, tried again for as long as `patience` lasts while the kernel takes the processor away.
    fn turn(&mut self, threads: usize, length: Duration, patience: Duration) -> std::result::Result<Outcome, Lack>;
}

/// How long everything is tried.
pub struct Plan {
    rounds: usize,
    time: Duration,
    longest_turn: Duration,
    patience: Duration,
}

impl Plan {
    /// So many rounds of each operation; fewer, but not fewer than nine, when the time is used up.
    pub fn new(rounds: usize, time: Duration) -> Self {
        Self { rounds: rounds.max(1), time, longest_turn: Duration::MAX, patience: PATIENCE }
    }

    /// One short round.
    pub fn quick() -> Self {
        let (longest_turn, patience) = (Duration::from_micros(200), Duration::ZERO);
        Self { rounds: 1, time: Duration::ZERO, longest_turn, patience }
    }

    /// Lets the sides take turns. A side that lacks the operation, or fails, is left out from then on.
    pub fn measure(&self, operation: Operation, threads: &[usize], sides: &mut [impl TakesTurns]) -> Result<Row> {
        let most = threads.iter().copied().max().unwrap_or(1);
        let mut all = Vec::new();
        for side in sides.iter_mut() {
            side.revive()?;
            let rounds = side.prepare(operation, most).map(|()| vec![Vec::new(); threads.len()]);
            all.push(Measured { rounds, disturbed: 0 });
        }
        let length = operation.turn().min(self.longest_turn);
        let (begun, mut rounds) = (Instant::now(), 0);
        while rounds < self.rounds && (rounds < FEWEST_ROUNDS || begun.elapsed() < self.time) {
            rounds += 1;
            for (place, threads) in threads.iter().enumerate() {
                for (side, measured) in sides.iter_mut().zip(&mut all) {
                    if measured.rounds.is_ok() {
                        measured.add(place, side.turn(*threads, length, self.patience));
                    }
                }
            }
        }
        Ok(Row { operation, sides: all })
    }
}

/// How long a turn is tried before a disturbed one is taken.
const PATIENCE: Duration = Duration::from_millis(150);
const FEWEST_ROUNDS: usize = 9;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::cell::RefCell;

    use super::*;

    /// Writes down its turns, and fails at one of them.
    struct Noted<'a> {
        name: char,
        turns: &'a RefCell<Vec<(char, usize)>>,
        fails_at: Option<usize>,
    }

    impl TakesTurns for Noted<'_> {
        fn revive(&mut self) -> Result<()> {
            Ok(())
        }

        fn prepare(&mut self, _: Operation, _: usize) -> std::result::Result<(), Lack> {
            Ok(())
        }

        fn turn(&mut self, threads: usize, _: Duration, _: Duration) -> std::result::Result<Outcome, Lack> {
            self.turns.borrow_mut().push((self.name, threads));
            let taken = self.turns.borrow().iter().filter(|(name, _)| *name == self.name).count();
            match self.fails_at {
                Some(turn) if turn == taken => Err(Lack { reason: "wrong".to_owned(), code: None, is_fault: true }),
                _ => Ok(Outcome { nanos: taken as f64, undisturbed: true }),
            }
        }
    }

    #[test]
    fn sides_take_turns_and_one_that_fails_is_left_out() {
        let turns = RefCell::new(Vec::new());
        let side = |name, fails_at| Noted { name, turns: &turns, fails_at };
        let mut sides = [side('A', None), side('B', Some(2)), side('C', None)];
        let row = Plan::new(2, Duration::ZERO).measure(Operation::Session, &[1, 2], &mut sides).unwrap();

        let order: String = turns.borrow().iter().map(|(name, threads)| format!("{name}{threads} ")).collect();
        assert_eq!(order, "A1 B1 C1 A2 B2 C2 A1 C1 A2 C2 ");
        assert_eq!((row.sides[0].count(), row.sides[0].best(0), row.sides[0].best(1)), (2, Some(1.0), Some(2.0)));
        assert!(row.sides[1].rounds.as_ref().unwrap_err().is_fault);
        assert_eq!(row.sides[2].count(), 2);
    }

    #[test]
    fn rounds_end_with_the_time_but_not_before_the_ninth() {
        for (asked, taken) in [(100, 9), (4, 4)] {
            let turns = RefCell::new(Vec::new());
            let mut sides = [Noted { name: 'A', turns: &turns, fails_at: None }];
            Plan::new(asked, Duration::ZERO).measure(Operation::Session, &[1], &mut sides).unwrap();
            assert_eq!(turns.borrow().len(), taken);
        }
    }
}
