//! Threads that initialise, call and finalise at will, in one process and against others on the same store.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    finalize_ends_calls_that_wait_for_a_lock,
    a_call_waits_for_a_lock_through_interruptions,
    eight_threads_initialise_and_finalise_at_will,
];
pub const PEERS: &[Test] = &tests![hold_the_lock];

/// A commit waits for a program that holds the database; `C_Finalize` does not.
fn finalize_ends_calls_that_wait_for_a_lock() {
    let token = Token::new();
    let mut holder = peer!(hold_the_lock, token.home.database().to_str().unwrap());
    assert_eq!(holder.hear(), "held");
    let first = token.user();
    let waiting = AtomicU32::new(0);
    let elapsed = std::thread::scope(|scope| {
        for number in 0..8 {
            let (waiting, session) = (&waiting, ok!(token.module.read_write(token.slot)));
            scope.spawn(move || {
                waiting.fetch_add(1, Ordering::SeqCst);
                let outcome = match number % 2 {
                    0 => session.aes_key(16, template![CKA_TOKEN => true]).map(drop),
                    _ => session.set_pin(USER_PIN, "another-pin"),
                };
                fails!(outcome, CKR_CRYPTOKI_NOT_INITIALIZED);
            });
        }
        while waiting.load(Ordering::SeqCst) < 8 {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(200));
        let asked = Instant::now();
        ok!(token.module.finalize());
        asked.elapsed()
    });
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    fails!(first.info(), CKR_CRYPTOKI_NOT_INITIALIZED);
    holder.kill();
    ok!(token.module.initialize());
    let session = token.user();
    assert!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).is_empty(), "nothing was made behind the code");
    ok!(session.aes_key(16, template![CKA_TOKEN => true]));
}

fn hold_the_lock() {
    let database = rusqlite::Connection::open(&arguments()[0]).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    say("held");
    hear();
}

/// The timer interrupts every millisecond, and nothing restarts a call.
fn a_call_waits_for_a_lock_through_interruptions() {
    let token = Token::new();
    let session = token.user();
    let mut holder = peer!(hold_the_lock, token.home.database().to_str().unwrap());
    assert_eq!(holder.hear(), "held");
    let letting_go = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        holder.kill();
    });
    with_interrupting_timer(|| {
        let begun = Instant::now();
        ok!(session.aes_key(16, template![CKA_TOKEN => true, CKA_LABEL => "waited"]));
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}: the lock was held", begun.elapsed());
    });
    letting_go.join().unwrap();
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "waited"])).len(), 1);
}

/// Whatever the others do, each call succeeds or gets a code that says what the others did, and none takes long.
fn eight_threads_initialise_and_finalise_at_will() {
    let token = Token::new();
    let (module, slot) = (token.module, token.slot);
    let busy = AtomicBool::new(true);
    let (made, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8_usize {
            let (busy, made, ended) = (&busy, &made, &ended);
            scope.spawn(move || {
                for round in (thread..).take_while(|_| busy.load(Ordering::Relaxed)) {
                    // Without arguments it is as safe as with a wish for locks.
                    let initialize = || if thread % 2 == 0 { module.initialize() } else { module.initialize_null() };
                    if let Err(code) = timed(initialize) {
                        assert_eq!(code, Rv(CKR_CRYPTOKI_ALREADY_INITIALIZED));
                    }
                    if let Err(code) = some_calls(&module, slot, made) {
                        assert!(
                            GONE.contains(&code.0) || code.0 == CKR_SLOT_ID_INVALID,
                            "thread {thread}, round {round}: {code}"
                        );
                    }
                    if round % 5 == 0 {
                        match timed(|| module.finalize()) {
                            Ok(()) => ended.fetch_add(1, Ordering::Relaxed),
                            Err(code) => {
                                assert_eq!(code, Rv(CKR_CRYPTOKI_NOT_INITIALIZED));
                                0
                            }
                        };
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_secs(rounds(3, 120) as u64));
        busy.store(false, Ordering::Relaxed);
    });
    let (made, ended) = (made.into_inner(), ended.into_inner());
    report(format_args!("{made} keys acknowledged between {ended} ends of the library, all there"));
    assert!(made > 10 && ended > 10, "{made} keys, {ended} ends");
    let _ = module.initialize();
    let session = token.user();
    let found = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len();
    assert!(found >= made, "{found} keys of {made} that were acknowledged");
}

/// A session's life. Counts the token key as soon as it was acknowledged.
fn some_calls(module: &Module, slot: CK_SLOT_ID, made: &AtomicUsize) -> Result {
    let session = timed(|| module.read_write(slot))?;
    match timed(|| session.login(CKU_USER, USER_PIN)) {
        Err(Rv(CKR_USER_ALREADY_LOGGED_IN)) => {}
        other => other?,
    }
    let key = timed(|| session.aes_key(32, template![CKA_TOKEN => true, CKA_ENCRYPT => true]))?;
    made.fetch_add(1, Ordering::Relaxed);
    timed(|| session.encrypt(&gcm(), key, b"data"))?;
    timed(|| session.find(&template![CKA_CLASS => CKO_DATA]))?;
    timed(|| session.close())
}

/// A call that must come back soon.
fn timed<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let outcome = call();
    assert!(begun.elapsed() < Duration::from_secs(5), "a call took {:?}", begun.elapsed());
    outcome
}
