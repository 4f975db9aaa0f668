//! What stops a synchronisation, and what works beside it, leaves every object whole.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::CKA_LABEL;

use super::{Siblings, counts};
use crate::home::{Home, PIN, SO_PIN, good, text};

/// That every row of every token is as its login wrote it.
fn sound(home: &Home) {
    let mut doctor = home.command(&["doctor", "--verify", "--json"]);
    let output = doctor.env("KEYSTEAD_PIN", PIN).env("KEYSTEAD_SO_PIN", SO_PIN).output().unwrap();
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<_> = findings.iter().filter(|finding| finding["severity"] == "error").collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Numbers below a million that look random.
fn numbers() -> impl Iterator<Item = u64> {
    let step = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(u64::from(std::process::id())), step).map(|state| (state >> 33) % 1_000_000)
}

#[test]
fn killed_at_any_moment_it_goes_on_from_there() {
    let kills = if std::env::var_os("KEYSTEAD_SOAK").is_some() { 200 } else { 20 };
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    let labels: Vec<String> = (0..300).map(|number| format!("key {number}")).collect();
    for label in &labels {
        a.key(label);
    }
    let begun = Instant::now();
    siblings.report(&["A", "B"]);
    let whole = begun.elapsed();
    let sealed: Vec<_> = labels.iter().map(|label| a.encrypt(label, label.as_bytes())).collect();

    let mut killed = 0;
    let mut rounds = 0;
    for moment in numbers() {
        // Something new for each round: of every fifth key the label is another one, and a key comes and goes.
        rounds += 1;
        for label in labels.iter().skip(rounds % 5).step_by(5) {
            a.change(a.only(label), CKA_LABEL, label.as_bytes()).unwrap();
        }
        a.key(&format!("round {rounds}"));
        a.destroy(&format!("round {}", rounds - 1));
        let mut child = siblings
            .command(&["sync", "A", "B", "--both"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(whole.mul_f64(moment as f64 / 1e6));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        if killed == kills {
            break;
        }
        assert!(rounds < 20 * kills, "{killed} of {rounds} were killed before their end");
    }
    siblings.report(&["A", "B"]);
    assert_eq!(siblings.report(&["A", "B"])["moved"], counts(0, 0, 0));
    assert!(siblings.alike("A", "B").is_some());
    let b = siblings.member(1);
    for (label, sealed) in labels.iter().zip(&sealed) {
        assert_eq!(b.decrypt(label, sealed).unwrap(), label.as_bytes());
    }
    sound(&siblings.0);
}

#[test]
fn where_the_disk_is_full_nothing_is_half_done() {
    let siblings = Siblings::new(&["A", "B"]);
    let a = siblings.member(0);
    let value = [7; 20_000];
    for number in 0..300 {
        a.data(&format!("data {number}"), true, &value);
    }
    // No file may grow beyond so many blocks of 512 bytes: about half of what is to come.
    let exe = env!("CARGO_BIN_EXE_keystead");
    let plain = siblings.command(&[]);
    let variables = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let limits = format!("ulimit -f 6000; exec {exe} sync A B");
    let limited = Command::new("sh").args(["-c", &limits]).env_clear().envs(variables).output().unwrap();
    assert_eq!(limited.status.code(), Some(1), "{limited:?}");
    assert!(text(&limited.stderr).contains("full"), "{}", text(&limited.stderr));
    sound(&siblings.0);
    let b = siblings.member(1);
    let came = (0..300).filter(|number| !b.find(&format!("data {number}")).is_empty()).count();
    assert!(came < 300, "{came}");
    assert_eq!(siblings.report(&["A", "B"])["moved"], counts(300 - came as u64, 0, 0));
    assert_eq!(siblings.alike("A", "B"), Some(300));
}

#[test]
fn two_at_once_do_no_harm() {
    let siblings = Siblings::new(&["A", "B"]);
    let (a, b) = (siblings.member(0), siblings.member(1));
    for number in 0..100 {
        a.key(&format!("a {number}"));
        b.key(&format!("b {number}"));
    }
    let ways = [["A", "B"], ["B", "A"], ["A", "B"], ["B", "A"]];
    let running = ways.map(|[from, to]| {
        let mut command = siblings.command(&["sync", from, to, "--both"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    running.into_iter().for_each(|child| drop(good(&child.wait_with_output().unwrap())));
    assert_eq!(siblings.alike("A", "B"), Some(200));
    sound(&siblings.0);
}

#[test]
fn programs_go_on_working_meanwhile() {
    let siblings = Siblings::new(&["A", "B"]);
    let done = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writers = [0, 1].map(|slot| {
            let (siblings, done) = (&siblings, &done);
            scope.spawn(move || {
                let member = siblings.member(slot);
                let mut written = 0;
                while !done.load(Ordering::Acquire) {
                    let label = format!("{slot} {written}");
                    member.key(&label);
                    if written % 3 == 1 {
                        member.rename(&label, &format!("{slot} renamed {written}"));
                    }
                    if written % 3 == 2 {
                        member.destroy(&label);
                    }
                    written += 1;
                    thread::sleep(Duration::from_millis(1));
                }
                written
            })
        });
        for _ in 0..6 {
            siblings.report(&["A", "B", "--both"]);
        }
        done.store(true, Ordering::Release);
        writers.map(|writer| writer.join().unwrap())
    });
    siblings.report(&["A", "B", "--both"]);
    assert_eq!(siblings.alike("A", "B"), Some(written.iter().sum()));
    sound(&siblings.0);
}
