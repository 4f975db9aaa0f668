//! What was acknowledged is there, whatever happens to the process that wrote it.

use std::time::{Duration, Instant};

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    acknowledged_keys_survive_kill,
    acknowledged_keys_survive_kill_of_one_of_two_writers,
    destroyed_keys_stay_destroyed_after_kill,
    a_killed_initialisation_leaves_a_slot_that_works,
    two_processes_initialise_and_one_wins,
];
pub const PEERS: &[Test] = &tests![writer, destroyer, initialiser];

/// A writer is killed at a moment that nobody chose: 20 times, 200 in a soak. Then every key whose label it had told is
/// there, and works.
fn acknowledged_keys_survive_kill() {
    let token = Token::new();
    let session = token.user();
    let mut acknowledged = 0;
    for round in 0..rounds(20, 200) {
        let labels = killed_while_writing(&format!("round {round}"), moment(&session));
        all_work(&session, &labels);
        acknowledged += labels.len();
    }
    report(format_args!("{acknowledged} keys acknowledged before a kill, all there"));
    assert!(acknowledged >= rounds(20, 200), "the writers got to write");
    ok!(token.restart());
    let session = token.user();
    let found = ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY]));
    assert!(found.len() >= acknowledged);
    for key in found {
        works(&session, key);
    }
    token.is_sound();
}

/// The other writer goes on and loses nothing either.
fn acknowledged_keys_survive_kill_of_one_of_two_writers() {
    let token = Token::new();
    let session = token.user();
    for round in 0..rounds(3, 50) {
        let mut stays = peer!(writer, format!("stays {round}"));
        let labels = killed_while_writing(&format!("killed {round}"), moment(&session));
        all_work(&session, &labels);
        let seen: Vec<String> = (0..5).map(|_| stays.hear()).collect();
        all_work(&session, &seen);
        stays.kill();
        all_work(&session, &seen);
    }
    token.is_sound();
}

fn destroyed_keys_stay_destroyed_after_kill() {
    let token = Token::new();
    let session = token.user();
    for round in 0..rounds(3, 30) {
        for place in 0..40 {
            let label = format!("{round} {place}");
            ok!(session.aes_key(16, template![CKA_TOKEN => true, CKA_LABEL => label.as_str(), CKA_ID => "target"]));
        }
        let mut peer = peer!(destroyer, round.to_string());
        let told = Instant::now() + moment(&session);
        let mut gone = Vec::new();
        while Instant::now() < told && gone.len() < 30 {
            gone.push(peer.hear());
        }
        peer.kill();
        for label in &gone {
            assert!(ok!(session.find(&template![CKA_LABEL => label.as_str()])).is_empty(), "{label} was destroyed");
        }
        let left = ok!(session.find(&template![CKA_ID => "target"]));
        assert!(left.len() <= 40 * (round + 1) - gone.len());
        left.iter().for_each(|key| works(&session, *key));
    }
    token.is_sound();
}

/// The initialiser is killed somewhere in `C_InitToken`; the next one makes a token in what it left.
fn a_killed_initialisation_leaves_a_slot_that_works() {
    let mut made = 0;
    for round in 0..rounds(20, 200) {
        let home = Home::new();
        let mut peer = peer!(initialiser, "killed", "");
        assert_eq!(peer.hear(), "ready");
        std::thread::sleep(Duration::from_micros(1500 * (round % 20) as u64));
        peer.kill();
        let module = Module::load();
        ok!(module.initialize());
        let slots = ok!(module.slots(true));
        assert!(!slots.is_empty(), "round {round}");
        let blank = slots.iter().copied().find(|slot| {
            let info = module.token_info(*slot);
            info.is_ok_and(|info| info.flags & CKF_TOKEN_INITIALIZED == 0)
        });
        made += usize::from(slots.len() > 1);
        ok!(module.init_token(blank.expect("a blank token is offered"), SO_PIN, "after"), "round {round}");
        let session = ok!(module.read_write(Token::find(&module, "after")));
        ok!(session.login(CKU_SO, SO_PIN));
        ok!(module.finalize());
        drop(home);
    }
    report(format_args!("{made} of {} killed initialisations left a whole token", rounds(20, 200)));
}

/// Both wait for the word, then call `C_InitToken` on the blank slot with PINs of their own.
fn two_processes_initialise_and_one_wins() {
    let mut won = 0;
    for _ in 0..rounds(10, 100) {
        let home = Home::new();
        let mut peers = ["one-11111", "two-22222"].map(|pin| (pin, peer!(initialiser, pin, "wait")));
        for (_, peer) in &mut peers {
            assert_eq!(peer.hear(), "ready");
        }
        for (_, peer) in &mut peers {
            peer.say("go");
        }
        let outcomes = peers.map(|(pin, mut peer)| {
            let outcome = peer.hear();
            peer.finish();
            (pin, outcome)
        });
        let module = Module::load();
        ok!(module.initialize());
        let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome == "CKR_OK").collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        for (_, outcome) in outcomes.iter().filter(|(_, outcome)| outcome != "CKR_OK") {
            // Beaten to the slot, or so late that the other's token was there to be initialised anew.
            let clear = ["CKR_FUNCTION_FAILED", "CKR_PIN_INCORRECT"];
            assert!(clear.contains(&outcome.as_str()), "{outcome}");
        }
        let session = ok!(module.read_write(Token::find(&module, winners[0].0)));
        ok!(session.login(CKU_SO, winners[0].0), "the token opens with the winner's PIN");
        won += 1;
        ok!(module.finalize());
        drop(home);
    }
    assert_eq!(won, rounds(10, 100));
}

/// Makes token keys until it is killed, and tells the label of each when the call has returned.
fn writer() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for count in 0.. {
        let label = format!("{} {count}", arguments()[0]);
        let template = template![CKA_TOKEN => true, CKA_LABEL => label.as_str(), CKA_PRIVATE => count % 2 == 0];
        ok!(session.aes_key(32, template));
        say(label);
    }
}

/// Destroys the keys of its round until it is killed, and tells the label of each.
fn destroyer() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    for place in 0..40 {
        let label = format!("{} {place}", arguments()[0]);
        let key = ok!(session.find(&template![CKA_LABEL => label.as_str()]))[0];
        ok!(session.destroy(key));
        say(label);
    }
    hear();
}

/// Initialises the blank token; the argument is the PIN and the label. Tells what came of it.
fn initialiser() {
    let [pin, wait] = <[String; 2]>::try_from(arguments()).unwrap();
    let module = Module::load();
    ok!(module.initialize());
    let blank = ok!(module.slots(true))[0];
    say("ready");
    if !wait.is_empty() {
        hear();
    }
    match module.init_token(blank, &pin, &pin) {
        Ok(()) => say("CKR_OK"),
        Err(code) => say(code),
    }
}

/// Runs a writer, kills it that long after its first word, and gives the labels that it told.
fn killed_while_writing(name: &str, after: Duration) -> Vec<String> {
    let mut peer = peer!(writer, name);
    let mut labels = vec![peer.hear()];
    let until = Instant::now() + after;
    while Instant::now() < until {
        labels.push(peer.hear());
    }
    labels.extend(peer.kill_and_hear());
    labels
}

/// Between none and some 60 ms: a few commits, and somewhere inside one.
fn moment(session: &Session) -> Duration {
    let bytes = ok!(session.random(2));
    Duration::from_micros(u64::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}
