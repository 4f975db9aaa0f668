//! `fork` in a host whose other threads are inside calls, and come and go.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] =
    &tests![parent_child_and_a_third_write_and_nothing_is_lost, threads_come_and_go_while_their_process_forks,];
pub const PEERS: &[Test] = &tests![parent_with_busy_threads, third];

/// The parent forks while its threads hold every kind of lock, goes on, and exits in the middle of it while the child
/// writes; a third process writes all the time.
fn parent_child_and_a_third_write_and_nothing_is_lost() {
    let token = Token::new();
    let session = token.user();
    let mut third = peer!(third);
    let mut count = 0;
    // A key that was acknowledged is there and works; then it makes room.
    let mut check = |label: &str| {
        let found = ok!(session.find(&template![CKA_LABEL => label]));
        assert_eq!(found.len(), 1, "{label} was acknowledged");
        let sealed = ok!(session.encrypt(&gcm(), found[0], b"text"), "{label}");
        assert_eq!(ok!(session.decrypt(&gcm(), found[0], &sealed)), b"text", "{label}");
        ok!(session.destroy(found[0]), "{label}");
        count += 1;
    };
    for round in 0..rounds(20, 1_000) {
        let said = peer!(parent_with_busy_threads, format!("round {round}")).finish();
        let (labels, done): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.starts_with("round"));
        assert!(done.contains(&"parent exits") && done.contains(&"child done"), "round {round}: {done:?}");
        assert_eq!(labels.iter().filter(|label| label.contains("child")).count(), CHILDS, "round {round}");
        labels.into_iter().for_each(&mut check);
        (0..10).for_each(|_| check(&third.hear()));
    }
    third.kill_and_hear().iter().for_each(|label| check(label));
    report(format_args!("{count} keys acknowledged by parents, children and a third process, all there"));
    token.is_sound();
}

/// How many keys a child makes.
const CHILDS: usize = 10;

fn parent_with_busy_threads() {
    let round = &arguments()[0];
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let make = |session: &Session, label: String| {
        session.aes_key(32, token_key(&label))?;
        tell(&label);
        Ok(())
    };
    let busy: [&(dyn Fn(u32) -> Result + Sync); 6] = [
        &|count| make(&session, format!("{round} a {count}")),
        &|count| {
            let own = module.read_write(slot)?;
            make(&own, format!("{round} b {count}"))?;
            own.close()
        },
        &|_| {
            // Session keys of other threads go at any time.
            let found = session.find(&template![CKA_CLASS => CKO_SECRET_KEY, CKA_TOKEN => true])?;
            found.last().map_or(Ok(()), |key| session.value(*key, CKA_LABEL).map(drop))
        },
        &|_| {
            module.slots(true)?;
            module.token_info(slot)?;
            refused(module.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED)
        },
        // Each leaves a line in the log.
        &|_| refused(session.destroy(0), CKR_OBJECT_HANDLE_INVALID),
        &|_| {
            let outcome = Mutex::new(Ok(()));
            in_a_thread(&|| *outcome.lock().unwrap() = come_and_go(&module, slot));
            outcome.into_inner().unwrap()
        },
    ];
    let counts = [const { AtomicU32::new(0) }; 6];
    let leaving = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (work, count) in busy.iter().zip(&counts) {
            let leaving = &leaving;
            scope.spawn(move || {
                let code = loop {
                    if let Err(code) = work(count.fetch_add(1, Ordering::Relaxed)) {
                        break code;
                    }
                };
                // Calls end when the process does; a panic here would not end it.
                if !leaving.load(Ordering::SeqCst) {
                    eprintln!("a call under load: {code}");
                    std::process::exit(101);
                }
            });
        }
        while counts.iter().any(|count| count.load(Ordering::Relaxed) < 3) {
            std::thread::yield_now();
        }
        let _outlives = Forked::start(|| {
            end_after(60);
            ok!(module.initialize());
            let session = ok!(module.read_write(slot));
            ok!(session.login(CKU_USER, USER_PIN));
            for count in 0..CHILDS {
                ok!(make(&session, format!("{round} child {count}")));
            }
            ok!(come_and_go(&module, slot));
            ok!(module.finalize());
            tell("child done");
            Vec::new()
        });
        std::thread::sleep(Duration::from_millis(30));
        tell("parent exits");
        leaving.store(true, Ordering::SeqCst);
        std::process::exit(0);
    });
}

fn refused<T>(outcome: Result<T>, expected: CK_RV) -> Result {
    match outcome {
        Err(Rv(code)) if code == expected => Ok(()),
        Err(code) => Err(code),
        Ok(_) => Err(Rv(CKR_OK)),
    }
}

/// Makes token keys until it is killed, and tells the label of each.
fn third() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for count in 0.. {
        let label = format!("third {count}");
        ok!(session.aes_key(32, token_key(&label)));
        tell(&label);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What leaves something with the libraries below for the end of the thread: randomness, and an error of theirs.
fn come_and_go(module: &Module, slot: CK_SLOT_ID) -> Result {
    let session = module.read_write(slot)?;
    session.random(16)?;
    let key = session.aes_key(16, template![CKA_ENCRYPT => true, CKA_DECRYPT => true])?;
    let mut sealed = session.encrypt(&gcm(), key, b"text")?;
    sealed[0] ^= 1;
    refused(session.decrypt(&gcm(), key, &sealed), CKR_ENCRYPTED_DATA_INVALID)?;
    session.close()
}

/// Threads that end while the process forks may hold, for a moment, locks of the libraries below that nobody resets.
fn threads_come_and_go_while_their_process_forks() {
    let token = Token::new();
    let (module, slot) = (token.module, token.slot);
    let busy = AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let busy = &busy;
            scope.spawn(move || {
                while busy.load(Ordering::Relaxed) {
                    in_a_thread(&|| ok!(come_and_go(&module, slot)));
                }
            });
        }
        for round in 0..rounds(100, 10_000) {
            let child = || {
                end_after(20);
                ok!(module.initialize());
                ok!(come_and_go(&module, slot));
                ok!(module.finalize());
                vec![1]
            };
            let outcome = Forked::start(child).outcome();
            if outcome.is_err() {
                busy.store(false, Ordering::Relaxed);
            }
            assert_eq!(outcome, Ok(vec![1]), "round {round}");
        }
        busy.store(false, Ordering::Relaxed);
    });
}
