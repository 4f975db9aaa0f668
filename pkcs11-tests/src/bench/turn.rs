//! One turn of one side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// An operation made ready.
pub trait Work: Send {
    /// Does it so many times.
    fn repeat(&mut self, count: u64) -> Result<()>;

    /// Whether the last result is right. This is not timed.
    fn check(&mut self) -> Result<()>;
}

/// Work whose results are what others are compared with.
pub struct Unchecked<F>(pub F);

impl<F: FnMut() -> Result<()> + Send> Work for Unchecked<F> {
    fn repeat(&mut self, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| (self.0)())
    }

    fn check(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Makes work for so many threads, in threads that live at the same time: so the allocator gives each a heap of its own, and none
/// writes to a cache line that another uses. Contexts that happened to be neighbours have cost a third of what two threads do.
pub fn made_apart(threads: usize, make: impl Fn() -> Result<Box<dyn Work>> + Sync) -> Result<Vec<Box<dyn Work>>> {
    let all_made = Start::of(threads);
    let of_thread = || {
        let work = make();
        all_made.meet();
        work
    };
    in_threads((0..threads).map(|_| of_thread)).into_iter().collect()
}

/// What came out of a turn.
#[derive(Clone, Copy)]
pub struct Outcome {
    /// Nanoseconds per operation; with several threads, between two operations of any of them.
    pub nanos: f64,
    /// Whether every thread kept its processor, or there were more threads than processors.
    pub undisturbed: bool,
}

/// How many operations take long enough for the clock not to matter.
pub fn batch_size(work: &mut dyn Work, turn: Duration) -> Result<u64> {
    // The first calls prepare keys and warm up.
    let begun = Instant::now();
    let mut calls = 0;
    while calls < 16 && begun.elapsed() < turn {
        work.repeat(1)?;
        calls += 1;
    }
    let mut batch = 1;
    loop {
        let begun = Instant::now();
        work.repeat(batch)?;
        if begun.elapsed() >= turn / 32 || batch >= 1 << 20 {
            return Ok(batch);
        }
        batch *= 2;
    }
}

/// Lets each of `works` run for `length`, all at once, each in a thread of its own; then each checks its last result.
pub fn take(works: &mut [Box<dyn Work>], batch: u64, length: Duration) -> Result<Outcome> {
    let start = Start::of(works.len());
    if let [work] = works {
        let run = run(work.as_mut(), batch, &start, length)?;
        return Ok(Outcome { nanos: run.nanos(), undisturbed: run.undisturbed });
    }
    let start = &start;
    let runs = in_threads(works.iter_mut().map(|work| move || run(work.as_mut(), batch, start, length)));
    let runs = runs.into_iter().collect::<Result<Vec<_>>>()?;
    if start.is_crowded {
        return Ok(Outcome { nanos: nanos_one_after_the_other(&runs), undisturbed: true });
    }
    let rate: f64 = runs.iter().map(|run| 1.0 / run.nanos()).sum();
    Ok(Outcome { nanos: 1.0 / rate, undisturbed: runs.iter().all(|run| run.undisturbed) })
}

/// Threads that wait for a processor begin when others have ended: the rate is that from the first begin to the last end.
fn nanos_one_after_the_other(runs: &[Run]) -> f64 {
    let (begun, ended) = (runs.iter().map(|run| run.begun).min(), runs.iter().map(|run| run.ended).max());
    let taken = begun.zip(ended).map(|(begun, ended)| ended.duration_since(begun)).unwrap_or_default();
    taken.as_nanos() as f64 / runs.iter().map(|run| run.done).sum::<u64>() as f64
}

/// Runs all of these at once.
fn in_threads<T: Send>(tasks: impl Iterator<Item = impl FnOnce() -> Result<T> + Send>) -> Vec<Result<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = tasks.map(|task| scope.spawn(task)).collect();
        let panicked = |_| Err(Failure::new("a thread of the benchmark panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    })
}

/// Where threads meet, so that they begin together. They do not sleep there: waking up takes longer than a turn may.
struct Start {
    expected: usize,
    ready: AtomicUsize,
    /// There are fewer processors than threads.
    is_crowded: bool,
}

impl Start {
    fn of(threads: usize) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self { expected: threads, ready: AtomicUsize::new(0), is_crowded: threads > processors }
    }

    fn meet(&self) {
        self.ready.fetch_add(1, Ordering::AcqRel);
        while self.ready.load(Ordering::Acquire) < self.expected {
            match self.is_crowded {
                true => thread::yield_now(),
                false => std::hint::spin_loop(),
            }
        }
    }
}

/// A processor that was lost once in so long costs less than can be seen.
const RARELY: Duration = Duration::from_millis(25);

/// What one thread did in a turn.
struct Run {
    begun: Instant,
    ended: Instant,
    done: u64,
    undisturbed: bool,
}

impl Run {
    fn nanos(&self) -> f64 {
        self.ended.duration_since(self.begun).as_nanos() as f64 / self.done as f64
    }
}

/// Threads that share processors run for so many times longer, so that each gets its part.
const CROWDED: u32 = 5;

fn run(work: &mut dyn Work, batch: u64, start: &Start, length: Duration) -> Result<Run> {
    let length = if start.is_crowded { length.saturating_mul(CROWDED) } else { length };
    // The first call of a thread may cost more; it is not what is measured. Whoever fails must not be waited for.
    let warmed_up = work.repeat(1);
    let switches = times_preempted();
    start.meet();
    warmed_up?;
    let (begun, mut done) = (Instant::now(), 0u64);
    let ended = loop {
        work.repeat(batch)?;
        done += batch;
        let now = Instant::now();
        if now.duration_since(begun) >= length {
            break now;
        }
    };
    let lost = u128::try_from(times_preempted() - switches).unwrap_or_default();
    let undisturbed = lost <= ended.duration_since(begun).as_millis() / RARELY.as_millis();
    work.check()?;
    Ok(Run { begun, ended, done, undisturbed })
}

/// How often this thread has lost its processor to another.
fn times_preempted() -> i64 {
    // SAFETY: `rusage` is plain numbers, for which zero is valid, and the kernel writes one.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nivcsw
    }
}
