//! What is left in the memory of a process whose user has logged out: in a core dump it would be in a file.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![no_pin_and_no_key_is_left_after_logout];
pub const PEERS: &[Test] = &tests![uses_keys_and_logs_out];

/// The values are known here and never in the process that is looked at, which finds the keys by their labels.
fn no_pin_and_no_key_is_left_after_logout() {
    let token = Token::new();
    let session = token.user();
    let open =
        |label: &str| template![CKA_TOKEN => true, CKA_LABEL => label, CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    let aes = ok!(session.aes_key(32, open("aes").with(CKA_ENCRYPT, true)));
    let length = 48 as CK_ULONG;
    let secret = open("secret").with(CKA_VALUE_LEN, length).with(CKA_SIGN, true);
    let secret = ok!(session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &secret));
    let half = |label: &str| open(label).with(CKA_SIGN, true);
    let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let on = |curve: &[u8]| template![CKA_TOKEN => true, CKA_EC_PARAMS => curve];
    let (_, p256) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &on(&p256), &half("pair")));
    let (_, edwards) = ok!(session.pair(CKM_EC_EDWARDS_KEY_PAIR_GEN, &on(ED25519), &half("edwards")));
    let modulus = template![CKA_TOKEN => true, CKA_MODULUS_BITS => 2048 as CK_ULONG];
    let (_, rsa) = ok!(session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &modulus, &half("rsa")));
    let mut wanted = vec![("the PIN", USER_PIN.as_bytes().to_vec())];
    for (what, key, attribute) in [
        ("aes", aes, CKA_VALUE),
        ("secret", secret, CKA_VALUE),
        ("pair", p256, CKA_VALUE),
        ("edwards", edwards, CKA_VALUE),
        ("rsa's exponent", rsa, CKA_PRIVATE_EXPONENT),
        ("rsa's prime", rsa, CKA_PRIME_1),
    ] {
        let value = ok!(session.value(key, attribute));
        assert!(value.len() >= 32);
        // Big numbers lie about in either order.
        wanted.push((what, value.iter().rev().copied().collect()));
        wanted.push((what, value));
    }
    let mut peer = peer!(uses_keys_and_logs_out);
    assert_eq!(peer.hear(), "logged in");
    let found = |peer: &Peer| {
        let mut found = Vec::new();
        for (place, bytes) in writable_memory(peer.id()) {
            // The PIN is shorter than a key, and longer than what is there by chance.
            let holds = |value: &[u8]| bytes.windows(value.len().min(16)).any(|window| value.starts_with(window));
            found.extend(wanted.iter().filter(|(_, value)| holds(value)).map(|(what, _)| format!("{what} in {place}")));
        }
        found
    };
    // What would be found if it were there: a key in use has to be somewhere.
    assert!(found(&peer).iter().any(|found| found.starts_with("secret in ")), "this test can see nothing");
    peer.say("log out");
    assert_eq!(peer.hear(), "logged out");
    assert_eq!(found(&peer), Vec::<String>::new());
    peer.say("end");
    peer.finish();
}

fn uses_keys_and_logs_out() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    let found =
        |class: CK_OBJECT_CLASS, label: &str| ok!(session.find(&template![CKA_CLASS => class, CKA_LABEL => label]))[0];
    let aes = found(CKO_SECRET_KEY, "aes");
    let secret = found(CKO_SECRET_KEY, "secret");
    let [private, edwards, rsa] = ["pair", "edwards", "rsa"].map(|label| found(CKO_PRIVATE_KEY, label));
    for _ in 0..3 {
        ok!(session.encrypt(&Mechanism::with(CKM_AES_CBC_PAD, &[0; 16]), aes, b"data"));
        ok!(session.encrypt(&gcm(), aes, b"data"));
        ok!(session.sign(&Mechanism::plain(CKM_SHA256_HMAC), secret, b"data"));
        ok!(session.sign(&Mechanism::plain(CKM_ECDSA_SHA256), private, b"data"));
        ok!(session.sign(&Mechanism::plain(CKM_EDDSA), edwards, b"data"));
        ok!(session.sign(&Mechanism::plain(CKM_SHA256_RSA_PKCS), rsa, b"data"));
    }
    say("logged in");
    hear();
    ok!(session.logout());
    say("logged out");
    hear();
}

/// What a core dump would have of a process: everything that it can write to, each part with its name.
fn writable_memory(process: u32) -> Vec<(String, Vec<u8>)> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem"));
    let Ok(memory) = memory else { skip("the system does not let a parent read its child's memory") };
    let mut parts = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut part = vec![0; (to - from) as usize];
        // A few of the kernel's own cannot be read.
        if memory.read_exact_at(&mut part, from).is_ok() {
            parts.push((line.to_owned(), part));
        }
    }
    assert!(parts.len() > 5, "{maps}");
    parts
}
