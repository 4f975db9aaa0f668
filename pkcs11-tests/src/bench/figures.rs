//! What was measured, and the figures that are made of it.

use super::operation::Operation;
use super::side::Lack;
use super::turn::Outcome;
use crate::figure::median;

/// What one side did in all rounds of an operation.
pub struct Measured {
    /// By the numbers of threads, in their order: nanoseconds per operation in each round, or between two operations of any of
    /// several threads. None where those did not run side by side. Or why there are no rounds.
    pub rounds: Result<Vec<Vec<Option<f64>>>, Lack>,
    /// Turns in which the processor was taken away every time that they were tried.
    pub disturbed: usize,
}

/// An operation and what each side did.
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// The modules in their order, then the bare primitive if it takes part.
    pub sides: Vec<Measured>,
}

/// Who takes part.
pub struct Field {
    /// A name for each module, and `bare` for the bare primitive, which comes last.
    pub names: Vec<String>,
    /// Whether it is there.
    pub has_bare: bool,
    /// Numbers of threads; the first is 1.
    pub threads: Vec<usize>,
}

impl Measured {
    /// Adds a turn with the number of threads at this place.
    pub fn add(&mut self, threads: usize, turn: Result<Outcome, Lack>) {
        match turn {
            Err(lack) => self.rounds = Err(lack),
            Ok(Outcome { nanos, undisturbed }) => {
                self.disturbed += usize::from(!undisturbed);
                if let Ok(rounds) = &mut self.rounds
                    && let Some(rounds) = rounds.get_mut(threads)
                {
                    rounds.push((undisturbed || threads == 0).then_some(nanos));
                }
            }
        }
    }

    /// The rounds with the number of threads at this place.
    fn rounds(&self, threads: usize) -> &[Option<f64>] {
        self.rounds.as_ref().ok().and_then(|rounds| rounds.get(threads)).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many rounds there were.
    pub fn count(&self) -> usize {
        self.rounds(0).len()
    }

    /// The least time, in nanoseconds.
    pub fn best(&self, threads: usize) -> Option<f64> {
        self.rounds(threads).iter().flatten().copied().min_by(f64::total_cmp)
    }

    /// The time in the middle, in nanoseconds.
    pub fn median(&self, threads: usize) -> Option<f64> {
        median(self.rounds(threads).iter().flatten().copied())
    }

    /// How much more several threads do than one, round by round.
    pub fn gain(&self, threads: usize) -> Option<f64> {
        let pairs = self.rounds(0).iter().zip(self.rounds(threads));
        median(pairs.filter_map(|(one, several)| Some((*one)? / (*several)?)))
    }

    /// Compares the times of one thread with those of another side, round by round: the middle of what `figure` makes of the two.
    fn compare(&self, other: &Self, figure: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let pairs = self.rounds(0).iter().zip(other.rounds(0));
        median(pairs.filter_map(|(own, other)| Some(figure((*own)?, (*other)?))))
    }
}

impl Row {
    /// A side's time in that of the first module: 2 is twice as slow.
    pub fn ratio(&self, side: usize) -> Option<f64> {
        self.sides.get(side)?.compare(self.sides.first()?, |own, first| own / first)
    }

    /// What the first module takes longer than the bare primitive, in nanoseconds.
    pub fn own_cost(&self) -> Option<f64> {
        self.sides.first()?.compare(self.sides.last()?, |first, bare| first - bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_compared_round_by_round() {
        let side = |one: &[f64], two: &[f64]| {
            let rounds = [one, two].map(|times| times.iter().map(|time| Some(*time)).collect());
            Measured { rounds: Ok(rounds.to_vec()), disturbed: 0 }
        };
        let sides = vec![side(&[10.0, 20.0, 30.0], &[5.0, 10.0, 60.0]), side(&[100.0, 100.0, 90.0], &[])];
        let row = Row { operation: Operation::Session, sides };
        assert_eq!(row.ratio(1), Some(5.0));
        let [first, second] = row.sides.as_slice() else { panic!("two sides") };
        assert_eq!((first.median(0), first.best(0), first.gain(1)), (Some(20.0), Some(10.0), Some(2.0)));
        assert_eq!((second.count(), second.gain(1), second.median(1)), (3, None, None));
    }
}
