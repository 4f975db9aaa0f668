//! How many token keys a second, by how many write at once, beside a bare append that is written to the disk.

use std::fs::File;
use std::io::Write;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![threads_share_writes_to_the_disk, processes_share_the_token];
pub const PEERS: &[Test] = &tests![writer];

/// Rounds of all in turn, so that a slow moment of the machine meets each.
fn threads_share_writes_to_the_disk() {
    let token = Token::new();
    let session = token.user();
    let numbers = [1, 8, 16];
    let (mut keys, mut bare, mut alone) = ([0; 3], Vec::new(), Vec::new());
    for _ in 0..rounds(4, 40) {
        bare.extend(appended(&token, TURN));
        let until = Instant::now() + TURN;
        while Instant::now() < until {
            let begun = Instant::now();
            ok!(session.aes_key(32, token_key("alone")));
            alone.push(begun.elapsed());
        }
        for (place, threads) in numbers.iter().enumerate() {
            keys[place] += made_by_threads(&token, *threads, TURN);
        }
    }
    let rate = |place: usize| keys[place] as f64 / (TURN.as_secs_f64() * rounds(4, 40) as f64);
    let (bare, alone) = (median(bare), median(alone));
    report(format_args!(
        "token keys a second: {:.0} by one thread, {:.0} by 8 ({:.1} times), {:.0} by 16",
        rate(0),
        rate(1),
        rate(1) / rate(0),
        rate(2)
    ));
    report(format_args!("one token key alone {alone:?}, a bare append {bare:?}"));
    // On a disk that writes at once there is little to share.
    assert!(rate(1) > rate(0), "8 threads make fewer keys than one");
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "shared"])).len(), keys.iter().sum::<usize>());
}

fn processes_share_the_token() {
    let token = Token::new();
    let session = token.user();
    let mut all = 0;
    for processes in [1, 4] {
        let mut peers: Vec<Peer> = (0..processes).map(|_| peer!(writer)).collect();
        peers.iter_mut().for_each(|peer| assert_eq!(peer.hear(), "ready"));
        peers.iter_mut().for_each(|peer| peer.say("go"));
        let made: usize = peers.into_iter().map(|mut peer| peer.hear().parse::<usize>().unwrap()).sum();
        report(format_args!("token keys a second: {:.0} by {processes} processes", made as f64 / TURN.as_secs_f64()));
        all += made;
    }
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "shared"])).len(), all);
}

fn writer() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    say("ready");
    hear();
    let (begun, mut made) = (Instant::now(), 0);
    while begun.elapsed() < TURN {
        ok!(session.aes_key(32, token_key("shared")));
        made += 1;
    }
    say(made);
    hear();
}

const TURN: Duration = Duration::from_millis(250);

fn made_by_threads(token: &Token, threads: usize, time: Duration) -> usize {
    let (made, over, start) = (AtomicUsize::new(0), AtomicBool::new(false), Barrier::new(threads + 1));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let session = token.session();
                start.wait();
                while !over.load(Ordering::Relaxed) {
                    ok!(session.aes_key(32, token_key("shared")));
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        start.wait();
        std::thread::sleep(time);
        over.store(true, Ordering::Relaxed);
    });
    made.into_inner()
}

/// As many bytes as the key's pages in the log, appended to a file in the same folder.
fn appended(token: &Token, time: Duration) -> Vec<Duration> {
    let mut file = File::create(token.home.path().join("appended")).unwrap();
    let mut times = Vec::new();
    let until = Instant::now() + time;
    while Instant::now() < until {
        let begun = Instant::now();
        file.write_all(&[7; 1024]).unwrap();
        file.sync_data().unwrap();
        times.push(begun.elapsed());
    }
    times
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
