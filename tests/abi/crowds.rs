//! Many at once on one token: processes, threads, and copies of the library.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_hundred_processes_share_a_token,
    sixteen_threads_make_token_keys,
    two_copies_and_another_process_lose_nothing,
    killed_members_of_a_crowd_hold_nobody_up,
    who_waits_for_a_stopped_process_gives_up_and_names_it,
    a_lock_file_cut_off_under_writers_costs_nothing,
];
pub const PEERS: &[Test] = &tests![one_of_many, reopening, writer];

/// All start, log in, make keys and destroy some at the same time.
fn a_hundred_processes_share_a_token() {
    let token = Token::new();
    let session = token.user();
    let mut peers: Vec<Peer> = (0..100).map(|number| peer!(one_of_many, number.to_string())).collect();
    peers.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "ready"));
    let begun = Instant::now();
    peers.iter_mut().for_each(|peer| peer.say("go"));
    let (mut all, mut worst) = (BTreeSet::new(), Duration::ZERO);
    for mut peer in peers {
        loop {
            let said = peer.hear();
            match said.strip_prefix("worst ") {
                Some(micros) => {
                    worst = worst.max(Duration::from_micros(micros.parse().unwrap()));
                    break;
                }
                None => assert!(all.insert(said)),
            }
        }
        peer.finish();
    }
    report(format_args!(
        "{} keys by 100 processes in {:?}; the longest that one waited for its turn and its commit: {worst:?}",
        all.len(),
        begun.elapsed()
    ));
    assert_eq!(all.len(), 100 * rounds(5, 100));
    // 150 ms are aimed at; the machine may be busy.
    assert!(worst < Duration::from_secs(5), "{worst:?}");
    all_work(&session, &all);
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "short-lived"])).len(), 0);
    token.is_sound();
}

/// Says the label of each key that it made and did not destroy, then its longest wait.
fn one_of_many() {
    let number = &arguments()[0];
    let module = Module::load();
    say("ready");
    hear();
    ok!(module.initialize());
    let slot = Token::find(&module, LABEL);
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let mut worst = Duration::ZERO;
    for count in 0..rounds(5, 100) {
        let label = format!("process {number} key {count}");
        let begun = Instant::now();
        ok!(session.aes_key(32, token_key(&label)));
        worst = worst.max(begun.elapsed());
        say(&label);
        let key = ok!(session.aes_key(16, token_key("short-lived")));
        let begun = Instant::now();
        ok!(session.destroy(key));
        worst = worst.max(begun.elapsed());
    }
    ok!(module.finalize());
    say(format_args!("worst {}", worst.as_micros()));
}

fn sixteen_threads_make_token_keys() {
    let token = Token::new();
    let session = token.user();
    let all = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (all, token) = (&all, &token);
            scope.spawn(move || {
                let session = token.session();
                for count in 0..rounds(20, 2_000) {
                    let label = format!("thread {thread} key {count}");
                    let key = ok!(session.aes_key(32, token_key(&label)));
                    works(&session, key);
                    assert!(all.lock().unwrap().insert(label));
                    if count % 4 == 0 {
                        let pair = ok!(session.aes_key(16, token_key("short-lived")));
                        ok!(session.destroy(pair));
                    }
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert_eq!(all.len(), 16 * rounds(20, 2_000));
    all_work(&session, &all);
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).len(), all.len());
    token.is_sound();
}

/// An upgraded package under a running host: the copies have paths of their own, and a SQLite each.
fn two_copies_and_another_process_lose_nothing() {
    let token = Token::new();
    ok!(token.module.finalize());
    let copies = ["one.so", "two.so"].map(|name| token.home.path().join(name));
    for copy in &copies {
        std::fs::copy(Module::path(), copy).unwrap();
    }
    let peer = peer!(reopening, "peer");
    let mut all = BTreeSet::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = copies
            .iter()
            .enumerate()
            .map(|(number, copy)| scope.spawn(move || reopened(copy, &format!("copy {number}"))))
            .collect();
        threads.into_iter().for_each(|thread| all.extend(thread.join().unwrap()));
    });
    all.extend(peer.finish().lines().map(str::to_owned));
    assert_eq!(all.len(), 3 * REOPENED * rounds(1, 50));
    ok!(token.module.initialize());
    all_work(&token.user(), &all);
    token.is_sound();
}

const REOPENED: usize = 60;

fn reopening() {
    reopened(&Module::path(), &arguments()[0]).into_iter().for_each(say);
}

/// Makes keys in ever new openings of the token; their labels.
fn reopened(copy: &Path, name: &str) -> Vec<String> {
    let module = Module::load_from(copy, libc::RTLD_NOW | libc::RTLD_LOCAL);
    let mut labels = Vec::new();
    for count in 0..REOPENED * rounds(1, 50) / 3 {
        ok!(module.initialize());
        let session = ok!(module.read_write(Token::find(&module, LABEL)));
        ok!(session.login(CKU_USER, USER_PIN));
        for key in 0..3 {
            let label = format!("{name} opening {count} key {key}");
            ok!(session.aes_key(32, token_key(&label)));
            labels.push(label);
        }
        ok!(module.finalize());
    }
    labels
}

fn killed_members_of_a_crowd_hold_nobody_up() {
    let token = Token::new();
    let session = token.user();
    let mut all = BTreeSet::new();
    for round in 0..rounds(5, 100) {
        let mut peers: Vec<Peer> = (0..6).map(|number| peer!(writer, format!("{round} {number}"))).collect();
        all.extend(peers.iter_mut().map(Peer::hear));
        // Most of them stand in the queue at any moment.
        let mut stays = peers.pop().unwrap();
        for peer in peers {
            all.extend(peer.kill_and_hear());
            let begun = Instant::now();
            ok!(session.aes_key(32, token_key("after a kill")));
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
        all.extend((0..3).map(|_| stays.hear()));
        all.extend(stays.kill_and_hear());
    }
    all_work(&session, &all);
    token.is_sound();
}

/// Stopped at random moments until it is one in which it has the lock.
fn who_waits_for_a_stopped_process_gives_up_and_names_it() {
    let home = Home::with(Config { wait_ms: 1_500, ..Config::default() });
    let log = home.log_to_file();
    let token = Token::new_in(home);
    let session = token.user();
    let mut peer = peer!(writer, "stopped");
    peer.hear();
    for tries in 1.. {
        std::thread::sleep(Duration::from_micros(700 * tries));
        peer.signal(libc::SIGSTOP);
        let begun = Instant::now();
        let outcome = session.aes_key(32, token_key("beside a stopped one"));
        let took = begun.elapsed();
        peer.signal(libc::SIGCONT);
        assert!(took < Duration::from_secs(4), "{took:?}");
        match outcome {
            Ok(_) => assert!(tries < 200, "it never had the lock"),
            Err(code) => {
                assert_eq!(code, Rv(CKR_DEVICE_ERROR));
                assert!(took >= Duration::from_millis(1_500));
                break;
            }
        }
    }
    let said = std::fs::read_to_string(log).unwrap();
    let sentence = format!("stayed locked for 1.5 s: process {} holds it", peer.id());
    assert!(said.contains(&sentence), "{said}");
    // It goes on, and so does everybody.
    ok!(session.aes_key(32, token_key("afterwards")));
    let labels = peer.kill_and_hear();
    all_work(&session, &labels);
    token.is_sound();
}

fn a_lock_file_cut_off_under_writers_costs_nothing() {
    let token = Token::new();
    let session = token.user();
    let lock = token.home.database().with_extension("lock");
    let mut peers: Vec<Peer> = (0..4).map(|number| peer!(writer, number.to_string())).collect();
    let mut all = BTreeSet::new();
    for damage in [&b""[..], b"kstqueue\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", &[0xff; 100]] {
        std::fs::write(&lock, damage).unwrap();
        peers.iter_mut().for_each(|peer| all.extend((0..5).map(|_| peer.hear())));
    }
    std::fs::remove_file(&lock).unwrap();
    peers.iter_mut().for_each(|peer| all.extend((0..5).map(|_| peer.hear())));
    peers.into_iter().for_each(|peer| all.extend(peer.kill_and_hear()));
    all_work(&session, &all);
    token.is_sound();
}

/// Makes token keys until it is killed, and says the label of each.
fn writer() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for count in 0.. {
        let label = format!("{} {count}", arguments()[0]);
        ok!(session.aes_key(32, token_key(&label)));
        say(label);
    }
}
