//! Keys and ciphertexts exchanged with SoftHSM2, both ways: every form of wrapping that both have, and what one has
//! sealed or signed opened or verified by the other.
//!
//! SoftHSM2 runs in a peer with a store of its own; the test and the peer do the same work, asked for in lines. Both know
//! one wrapping key, whose value the test knows too.

use std::path::Path;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    every_common_form_of_wrapping_is_exchanged,
    aes_keys_travel_by_key_wrap,
    aes_keys_travel_by_key_wrap_pad,
    secrets_of_any_length_travel_by_key_wrap_pad,
    private_keys_travel_by_key_wrap_pad,
    what_one_has_damaged_the_other_refuses,
    what_one_has_wrapped_by_cbc_the_other_decrypts,
    what_one_has_sealed_the_other_opens,
    what_one_has_signed_the_other_verifies,
    digests_are_the_same,
];
pub const PEERS: &[Test] = &tests![softhsm];

/// So a form that a later SoftHSM2 brings is missed here.
fn every_common_form_of_wrapping_is_exchanged() {
    let mut pair = Pair::new(&message(32));
    let forms = |side: &str| -> Vec<u64> { side.split(' ').map(|number| number.parse().unwrap()).collect() };
    let (ours, theirs) = (forms(&pair.ours.answer("forms")), forms(&pair.theirs("forms")));
    let common: Vec<_> = ours.into_iter().filter(|form| theirs.contains(form)).collect();
    assert_eq!(common, [CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD]);
}

fn aes_keys_travel_by_key_wrap() {
    aes_keys_travel(&[(CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP)]);
}

/// Its pad mechanism is RFC 5649, which has a number of its own here as well.
fn aes_keys_travel_by_key_wrap_pad() {
    aes_keys_travel(&[(CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_PAD), (CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD)]);
}

/// Generated on one side, sensitive on both; the number of the form here and there.
fn aes_keys_travel(forms: &[(CK_MECHANISM_TYPE, CK_MECHANISM_TYPE)]) {
    for kek in [16, 24, 32] {
        let mut pair = Pair::new(&message(kek));
        for (here, there) in forms {
            for length in [16, 24, 32] {
                assert_eq!(pair.ours.answer(&format!("make {length}")), "made");
                let wrapped = pair.ours.answer(&format!("wrap {here}"));
                assert_eq!(pair.theirs(&format!("unwrap {there} {CKK_AES} {wrapped}")), "unwrapped");
                pair.holds_one_key();
                assert_eq!(pair.theirs(&format!("wrap {there}")), wrapped, "and back it is the same");

                assert_eq!(pair.theirs(&format!("make {length}")), "made");
                let wrapped = pair.theirs(&format!("wrap {there}"));
                assert_eq!(pair.ours.answer(&format!("unwrap {here} {CKK_AES} {wrapped}")), "unwrapped");
                pair.holds_one_key();
                assert_eq!(pair.ours.answer(&format!("wrap {here}")), wrapped, "and back it is the same");
            }
        }
    }
}

/// SoftHSM2 2.6.1 opens what RFC 5649 carries exactly, but fills a value up with zeros before it wraps it, so that from
/// there it arrives longer. It wants keys of HMAC to be as long as the hash.
fn secrets_of_any_length_travel_by_key_wrap_pad() {
    let mut pair = Pair::new(&message(32));
    let (sign, digest) = (format!("sign {CKM_SHA256_HMAC} {}", hex(b"text")), format!("digest-key {CKM_SHA256}"));
    for length in [32, 33, 39, 40, 41, 64, 100, 104, 200] {
        for (here, there) in
            [(CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_PAD), (CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD)]
        {
            let value = message(length);
            pair.both(&format!("import {CKK_GENERIC_SECRET} {}", hex(&value)), "imported");
            let expected = pair.ours.answer(&sign);
            let wrapped = pair.ours.answer(&format!("wrap {here}"));
            assert_eq!(pair.theirs(&format!("unwrap {there} {CKK_GENERIC_SECRET} {wrapped}")), "unwrapped");
            assert_eq!(pair.theirs(&sign), expected, "{length} bytes");

            let wrapped = pair.theirs(&format!("wrap {there}"));
            assert_eq!(pair.ours.answer(&format!("unwrap {here} {CKK_GENERIC_SECRET} {wrapped}")), "unwrapped");
            let filled = [value, vec![0; length.next_multiple_of(8) - length]].concat();
            let expected = pair.ours.answer(&format!("digest {CKM_SHA256} {}", hex(&filled)));
            assert_eq!(pair.ours.answer(&digest), expected, "{length} bytes, back");
        }
    }
}

/// Of several lengths, for each has other numbers; from there one arrives with zeros behind it.
fn private_keys_travel_by_key_wrap_pad() {
    let mut pair = Pair::new(&message(32));
    let sign = format!("sign {CKM_SHA256_RSA_PKCS} {}", hex(b"text"));
    for _ in 0..8 {
        assert_eq!(pair.ours.answer("make-rsa"), "made");
        let wrapped = pair.ours.answer(&format!("wrap {CKM_AES_KEY_WRAP_PAD}"));
        assert_eq!(pair.theirs(&format!("unwrap-rsa {CKM_AES_KEY_WRAP_PAD} {wrapped}")), "unwrapped");
        assert_eq!(pair.theirs(&sign), pair.ours.answer(&sign));

        assert_eq!(pair.theirs("make-rsa"), "made");
        let wrapped = pair.theirs(&format!("wrap {CKM_AES_KEY_WRAP_PAD}"));
        assert_eq!(pair.ours.answer(&format!("unwrap-rsa {CKM_AES_KEY_WRAP_PAD} {wrapped}")), "unwrapped");
        assert_eq!(pair.ours.answer(&sign), pair.theirs(&sign), "back");
    }
}

fn what_one_has_damaged_the_other_refuses() {
    let mut pair = Pair::new(&message(32));
    for form in [CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD] {
        assert_eq!(pair.theirs("make 32"), "made");
        let wrapped = unhex(&pair.theirs(&format!("wrap {form}")));
        for bit in 0..wrapped.len() * 8 {
            let mut changed = wrapped.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let unwrap = format!("unwrap {form} {CKK_AES} {}", hex(&changed));
            assert_eq!(pair.ours.answer(&unwrap), "CKR_WRAPPED_KEY_INVALID", "bit {bit}");
            let theirs = pair.theirs(&unwrap);
            assert!(theirs.starts_with("CKR_"), "bit {bit}: {theirs}");
        }
    }
}

/// It wraps by `CKM_AES_CBC` too, but does not unwrap so, and Keystead does neither: the blob carries no length and no
/// check. It is a ciphertext, though.
fn what_one_has_wrapped_by_cbc_the_other_decrypts() {
    let kek = message(32);
    let mut pair = Pair::new(&kek);
    assert_eq!(pair.theirs("make 32"), "made");
    let wrapped = pair.theirs(&format!("wrap-cbc {}", hex(&CBC_IV)));
    assert_eq!(pair.ours.answer(&format!("import {CKK_AES} {}", hex(&kek))), "imported");
    let value = pair.ours.answer(&format!("open cbc {wrapped}"));
    assert_eq!(pair.ours.answer(&format!("import {CKK_AES} {}", &value[..64])), "imported", "{value}");
    pair.holds_one_key();
}

/// Under keys of every size, messages of telling lengths; where nothing is random, byte for byte.
fn what_one_has_sealed_the_other_opens() {
    let mut pair = Pair::new(&message(32));
    for key in [16, 24, 32] {
        pair.both(&format!("import {CKK_AES} {}", hex(&message(key))), "imported");
        for cipher in CIPHERS {
            for length in [0, 1, 15, 16, 17, 32, 100, 4096] {
                let whole_blocks = matches!(cipher, "ecb" | "cbc");
                // SoftHSM2 takes no empty input.
                if length == 0 || whole_blocks && length % 16 != 0 {
                    continue;
                }
                let text = hex(&message(length));
                let sealed = pair.ours.answer(&format!("seal {cipher} {text}"));
                assert_eq!(pair.theirs(&format!("open {cipher} {sealed}")), text, "{cipher}, {length} bytes");
                assert_eq!(pair.theirs(&format!("seal {cipher} {text}")), sealed, "{cipher}, {length} bytes");
                assert_eq!(pair.ours.answer(&format!("open {cipher} {sealed}")), text, "{cipher}, {length} bytes");
            }
        }
    }
}

fn what_one_has_signed_the_other_verifies() {
    let mut pair = Pair::new(&message(32));
    let hmacs = HASHES.iter().take(5).map(|hash| (hash.hmac, CKK_GENERIC_SECRET, [hash.length, 64, 200]));
    for (mechanism, key_type, keys) in hmacs.chain([(CKM_AES_CMAC, CKK_AES, [16, 24, 32])]) {
        for key in keys {
            pair.both(&format!("import {key_type} {}", hex(&message(key))), "imported");
            for length in [1, 16, 100, 1000] {
                let text = hex(&message(length));
                let ours = pair.ours.answer(&format!("sign {mechanism} {text}"));
                let theirs = pair.theirs(&format!("sign {mechanism} {text}"));
                assert_eq!(ours, theirs, "{mechanism:#x}");
                pair.both(&format!("verify {mechanism} {text} {ours}"), "verified");
                let mut changed = unhex(&ours);
                changed[length % 16] ^= 1;
                pair.both(&format!("verify {mechanism} {text} {}", hex(&changed)), "CKR_SIGNATURE_INVALID");
            }
        }
    }
}

fn digests_are_the_same() {
    let mut pair = Pair::new(&message(32));
    for hash in HASHES.iter().take(5) {
        for length in [1, 64, 1000] {
            let digest = format!("digest {} {}", hash.digest, hex(&message(length)));
            assert_eq!(pair.ours.answer(&digest), pair.theirs(&digest), "{}", hash.openssl);
        }
    }
}

const CIPHERS: [&str; 5] = ["ecb", "cbc", "cbc-pad", "ctr", "gcm"];
const CBC_IV: [u8; 16] = [0x32; 16];

/// This process with the module under test, and a peer with SoftHSM2.
struct Pair {
    ours: Side,
    peer: Peer,
}

impl Pair {
    /// Both with a new token and this wrapping key.
    fn new(kek: &[u8]) -> Pair {
        let _ = Module::load().finalize();
        let peer = peer!(softhsm, hex(kek));
        Pair { ours: Side::new(kek), peer }
    }

    /// What SoftHSM2 answers.
    fn theirs(&mut self, line: &str) -> String {
        self.peer.say(line);
        self.peer.hear()
    }

    /// Both answer the same.
    fn both(&mut self, line: &str, expected: &str) {
        assert_eq!(self.ours.answer(line), expected, "{line}");
        assert_eq!(self.theirs(line), expected, "{line}, SoftHSM2");
    }

    /// What either seals with its key, the other opens, though neither shows the key.
    fn holds_one_key(&mut self) {
        let text = hex(b"text");
        for cipher in ["gcm", "cbc-pad"] {
            let sealed = self.ours.answer(&format!("seal {cipher} {text}"));
            assert_eq!(self.theirs(&format!("open {cipher} {sealed}")), text, "{cipher}");
            let sealed = self.theirs(&format!("seal {cipher} {text}"));
            assert_eq!(self.ours.answer(&format!("open {cipher} {sealed}")), text, "{cipher}");
        }
        assert_eq!(self.ours.answer("read"), "CKR_ATTRIBUTE_SENSITIVE");
        assert_eq!(self.theirs("read"), "CKR_ATTRIBUTE_SENSITIVE");
    }
}

/// The peer: SoftHSM2 in a home of its own answers each line with one.
fn softhsm() {
    const PLACES: [&str; 4] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ];
    let place = PLACES.into_iter().find(|place| Path::new(place).exists());
    let place = place.unwrap_or_else(|| panic!("no SoftHSM2 in {PLACES:?}; `make test` installs it"));
    set_variable("KEYSTEAD_MODULE", Some(place));
    let mut side = Side::new(&unhex(&arguments()[0]));
    loop {
        let line = hear();
        if line.is_empty() {
            return;
        }
        say(side.answer(&line));
    }
}

/// A token with a wrapping key, and the key that is worked with.
struct Side {
    token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
}

impl Side {
    fn new(kek: &[u8]) -> Side {
        let token = Token::new();
        let session = token.user();
        let kek = ok!(session.aes_key_of(kek, template![CKA_WRAP => true, CKA_UNWRAP => true]));
        Side { token, session, kek, key: 0 }
    }

    /// Does what the line says; what came of it, or the code.
    fn answer(&mut self, line: &str) -> String {
        self.done(line).unwrap_or_else(|code| code.to_string())
    }

    fn done(&mut self, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |word: &str| word.parse::<CK_ULONG>().expect("a number");
        let session = self.session;
        let (key, said) = match words[..] {
            ["make", length] => (session.aes_key(number(length), uses()), "made"),
            ["import", key_type, value] => {
                let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => number(key_type)];
                (session.create(&class.and(uses()).with(CKA_VALUE, &unhex(value))), "imported")
            }
            ["unwrap", form, key_type, wrapped] => {
                let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => number(key_type)];
                let form = Mechanism::plain(number(form));
                (session.unwrap(&form, self.kek, &unhex(wrapped), &class.and(uses())), "unwrapped")
            }
            ["make-rsa"] => {
                let (public, private) = (template![CKA_VERIFY => true], template![CKA_SIGN => true]);
                let private = private.with(CKA_SENSITIVE, true).with(CKA_EXTRACTABLE, true);
                let exponent = public.with(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
                (super::rsa::pair(&session, 2048, exponent, private).map(|(_, private)| private), "made")
            }
            ["unwrap-rsa", form, wrapped] => {
                let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA, CKA_SIGN => true];
                let form = Mechanism::plain(number(form));
                (session.unwrap(&form, self.kek, &unhex(wrapped), &class), "unwrapped")
            }
            ["wrap", form] => return session.wrap(&Mechanism::plain(number(form)), self.kek, self.key).map(told),
            ["wrap-cbc", iv] => {
                return session.wrap(&Mechanism::with(CKM_AES_CBC, &unhex(iv)), self.kek, self.key).map(told);
            }
            ["seal", name, text] => return session.encrypt(&cipher(name), self.key, &unhex(text)).map(told),
            ["open", name, sealed] => return session.decrypt(&cipher(name), self.key, &unhex(sealed)).map(told),
            ["sign", form, text] => {
                return session.sign(&Mechanism::plain(number(form)), self.key, &unhex(text)).map(told);
            }
            ["verify", form, text, mac] => {
                let form = Mechanism::plain(number(form));
                return session.verify(&form, self.key, &unhex(text), &unhex(mac)).map(|()| "verified".to_owned());
            }
            ["digest", form, text] => return session.digest(number(form), &unhex(text)).map(told),
            ["digest-key", form] => return self.digest_key(&Mechanism::plain(number(form))).map(told),
            ["read"] => return session.value(self.key, CKA_VALUE).map(told),
            ["forms"] => return self.forms(),
            _ => panic!("what is {line:?}?"),
        };
        self.key = key?;
        Ok(said.to_owned())
    }

    fn digest_key(&self, form: &Mechanism) -> Result<Vec<u8>> {
        Digest::init(&self.session, form, 0)?;
        self.session.digest_key(self.key)?;
        let mut digest = vec![0; 64];
        let (outcome, length) = Digest::last(&self.session, Some(&mut digest));
        digest.truncate(length);
        outcome.map(|()| digest)
    }

    /// The AES mechanisms that wrap and unwrap, by their numbers.
    fn forms(&self) -> Result<String> {
        let mut all = self.token.module.mechanisms(self.token.slot)?;
        all.sort();
        let wraps = |number: &CK_MECHANISM_TYPE| {
            let info = ok!(self.token.module.mechanism_info(self.token.slot, *number));
            info.flags & (CKF_WRAP | CKF_UNWRAP) == CKF_WRAP | CKF_UNWRAP && info.ulMinKeySize <= 16
        };
        let found: Vec<_> = all.iter().filter(|number| wraps(number)).map(CK_ULONG::to_string).collect();
        Ok(found.join(" "))
    }
}

fn told(bytes: Vec<u8>) -> String {
    hex(&bytes)
}

/// What SoftHSM2 does not set by itself.
fn uses() -> Template {
    let ciphers = template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true, CKA_VERIFY => true];
    ciphers.and(template![CKA_SENSITIVE => true, CKA_EXTRACTABLE => true])
}

fn cipher(name: &str) -> Mechanism {
    match name {
        "ecb" => ecb(),
        "cbc" => Mechanism::with(CKM_AES_CBC, &CBC_IV),
        "cbc-pad" => Mechanism::with(CKM_AES_CBC_PAD, &CBC_IV),
        "ctr" => Mechanism::ctr(128, &[0x33; 16]),
        _ => Mechanism::gcm(&[0x31; 12], b"portability", 128),
    }
}
