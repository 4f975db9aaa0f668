//! `fork` in a host whose other threads are inside calls, and come and go.

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
    let mut acknowledged = Vec::new();
    for round in 0..rounds(20, 1_000) {
        let said = peer!(parent_with_busy_threads, format!("round {round}")).finish();
        let (labels, done): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.starts_with("round"));
        assert!(done.contains(&"parent exits") && done.contains(&"child done"), "round {round}: {done:?}");
        assert!(labels.iter().filter(|label| label.contains("child")).count() == CHILDS, "round {round}");
        let of_round = labels.into_iter().map(str::to_owned).chain([third.hear()]).collect::<Vec<_>>();
        for label in &of_round {
            let found = ok!(session.find(&template![CKA_LABEL => label.as_str()]));
            assert_eq!(found.len(), 1, "{label} was acknowledged");
            let sealed = ok!(session.encrypt(&gcm(), found[0], b"text"), "{label}");
            assert_eq!(ok!(session.decrypt(&gcm(), found[0], &sealed)), b"text", "{label}");
        }
        acknowledged.extend(of_round);
    }
    acknowledged.extend(third.kill_and_hear());
    let found = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len();
    assert!(found >= acknowledged.len(), "{found} keys of {} that were acknowledged", acknowledged.len());
    report(format_args!(
        "{} keys acknowledged by parents, children and a third process, all there",
        acknowledged.len()
    ));
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
        ok!(session.aes_key(32, token_key(&label)), "{label}");
        tell(&label);
    };
    let busy: [&(dyn Fn(u32) + Sync); 6] = [
        &|count| make(&session, format!("{round} a {count}")),
        &|count| {
            let own = ok!(module.read_write(slot));
            make(&own, format!("{round} b {count}"));
            ok!(own.close());
        },
        &|_| {
            let found = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY]));
            if let Some(key) = found.last() {
                ok!(session.value(*key, CKA_LABEL));
            }
        },
        &|_| {
            ok!(module.slots(true));
            ok!(module.token_info(slot));
            fails!(module.initialize(), CKR_CRYPTOKI_ALREADY_INITIALIZED);
        },
        // Each leaves a line in the log.
        &|_| fails!(session.destroy(0), CKR_OBJECT_HANDLE_INVALID),
        &|_| in_a_thread(&|| come_and_go(&module, slot)),
    ];
    let counts = [const { AtomicU32::new(0) }; 6];
    std::thread::scope(|scope| {
        for (work, count) in busy.iter().zip(&counts) {
            scope.spawn(move || {
                loop {
                    work(count.fetch_add(1, Ordering::Relaxed));
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
                make(&session, format!("{round} child {count}"));
            }
            come_and_go(&module, slot);
            ok!(module.finalize());
            tell("child done");
            Vec::new()
        });
        std::thread::sleep(Duration::from_millis(30));
        tell("parent exits");
        std::process::exit(0);
    });
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

fn token_key(label: &str) -> Template {
    template![CKA_TOKEN => true, CKA_LABEL => label, CKA_ENCRYPT => true, CKA_DECRYPT => true]
}

/// What leaves something with the libraries below for the end of the thread: randomness, and an error of theirs.
fn come_and_go(module: &Module, slot: CK_SLOT_ID) {
    let session = ok!(module.read_write(slot));
    ok!(session.random(16));
    let key = ok!(session.aes_key(16, template![CKA_ENCRYPT => true, CKA_DECRYPT => true]));
    let mut sealed = ok!(session.encrypt(&gcm(), key, b"text"));
    sealed[0] ^= 1;
    fails!(session.decrypt(&gcm(), key, &sealed), CKR_ENCRYPTED_DATA_INVALID);
    ok!(session.close());
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
                    in_a_thread(&|| come_and_go(&module, slot));
                }
            });
        }
        for round in 0..rounds(100, 10_000) {
            let child = || {
                end_after(20);
                ok!(module.initialize());
                come_and_go(&module, slot);
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
