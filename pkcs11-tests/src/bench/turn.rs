//! One turn of one side.

use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// Does its operation so many times.
pub type Work = Box<dyn FnMut(u64) -> Result<()> + Send>;

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
    work(16)?;
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
    if let [work] = works {
        return run(work, batch, Instant::now() + START / 10, length);
    }
    let start = Instant::now() + START;
    let outcomes: Vec<Result<Outcome>> = thread::scope(|scope| {
        let threads: Vec<_> =
            works.iter_mut().map(|work| scope.spawn(move || run(work, batch, start, length))).collect();
        let panicked = |_| Err(Failure::new("a thread of the benchmark panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    let mut rate = 0.0;
    let mut undisturbed = true;
    for outcome in outcomes {
        let outcome = outcome?;
        rate += 1.0 / outcome.nanos;
        undisturbed &= outcome.undisturbed;
    }
    Ok(Outcome { nanos: 1.0 / rate, undisturbed })
}

/// Long enough for threads to be there.
const START: Duration = Duration::from_micros(300);

/// A thread that starts later than this was kept waiting for a processor.
const TOGETHER: Duration = Duration::from_micros(30);

fn run(work: &mut Work, batch: u64, start: Instant, length: Duration) -> Result<Outcome> {
    // The first call of a thread may cost more; it is not what is measured.
    work(1)?;
    let switches = times_preempted();
    while Instant::now() < start {
        std::hint::spin_loop();
    }
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
    let undisturbed = begun <= start + TOGETHER && times_preempted() == switches;
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
