//! One turn of one side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// Does its operation so many times.
pub type Work = Box<dyn FnMut(u64) -> Result<()> + Send>;

/// Makes work for so many threads, in threads that live at the same time: so the allocator gives each a heap of its own, and none
/// writes to a cache line that another uses. Contexts that happened to be neighbours have cost a third of what two threads do.
pub fn made_apart(threads: usize, make: impl Fn() -> Result<Work> + Sync) -> Result<Vec<Work>> {
    let all_made = Start { expected: threads, ready: AtomicUsize::new(0) };
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
    /// Whether every thread kept its processor.
    pub undisturbed: bool,
}

/// How many operations take long enough for the clock not to matter.
pub fn batch_size(work: &mut Work, turn: Duration) -> Result<u64> {
    // The first calls prepare keys and warm up.
    let begun = Instant::now();
    let mut calls = 0;
    while calls < 16 && begun.elapsed() < turn {
        work(1)?;
        calls += 1;
    }
    let mut batch = 1;
    loop {
        let begun = Instant::now();
        work(batch)?;
        if begun.elapsed() >= turn / 32 || batch >= 1 << 20 {
            return Ok(batch);
        }
        batch *= 2;
    }
}

/// Lets each of `works` run for `length`, all at once, each in a thread of its own.
pub fn take(works: &mut [Work], batch: u64, length: Duration) -> Result<Outcome> {
    let start = Start { expected: works.len(), ready: AtomicUsize::new(0) };
    if let [work] = works {
        return run(work, batch, &start, length);
    }
    let start = &start;
    let outcomes = in_threads(works.iter_mut().map(|work| move || run(work, batch, start, length)));
    let mut rate = 0.0;
    let mut undisturbed = true;
    for outcome in outcomes {
        let outcome = outcome?;
        rate += 1.0 / outcome.nanos;
        undisturbed &= outcome.undisturbed;
    }
    Ok(Outcome { nanos: 1.0 / rate, undisturbed })
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
}

impl Start {
    fn meet(&self) {
        self.ready.fetch_add(1, Ordering::AcqRel);
        while self.ready.load(Ordering::Acquire) < self.expected {
            std::hint::spin_loop();
        }
    }
}

/// A processor that was lost once in so long costs less than can be seen.
const RARELY: Duration = Duration::from_millis(25);

fn run(work: &mut Work, batch: u64, start: &Start, length: Duration) -> Result<Outcome> {
    // The first call of a thread may cost more; it is not what is measured. Whoever fails must not be waited for.
    let warmed_up = work(1);
    let switches = times_preempted();
    start.meet();
    warmed_up?;
    let begun = Instant::now();
    let mut done = 0u64;
    let taken = loop {
        work(batch)?;
        done += batch;
        let taken = begun.elapsed();
        if taken >= length {
            break taken;
        }
    };
    let lost = u128::try_from(times_preempted() - switches).unwrap_or_default();
    let undisturbed = lost <= taken.as_millis() / RARELY.as_millis();
    Ok(Outcome { nanos: taken.as_nanos() as f64 / done as f64, undisturbed })
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
