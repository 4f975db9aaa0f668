//! Keys that travel: made in one token, opened in another of another process and store, and by OpenSSL.
//!
//! Two peers hold a token each, in a store of their own, and do what the test says in lines. Each has the same wrapping
//! key, whose value the test knows; the keys that travel are generated inside and sensitive. What the test learns of
//! them it learns by opening the wrapped key with the openssl command.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    key_wrap_travels_by_a_128_bit_key,
    key_wrap_travels_by_a_192_bit_key,
    key_wrap_travels_by_a_256_bit_key,
    padded_key_wrap_travels_by_a_128_bit_key,
    padded_key_wrap_travels_by_a_192_bit_key,
    padded_key_wrap_travels_by_a_256_bit_key,
    a_key_goes_round_and_stays_the_same,
];
pub const PEERS: &[Test] = &tests![holder];

fn key_wrap_travels_by_a_128_bit_key() {
    travels(&KW, 16);
}

fn key_wrap_travels_by_a_192_bit_key() {
    travels(&KW, 24);
}

fn key_wrap_travels_by_a_256_bit_key() {
    travels(&KW, 32);
}

fn padded_key_wrap_travels_by_a_128_bit_key() {
    travels(&KWP, 16);
}

fn padded_key_wrap_travels_by_a_192_bit_key() {
    travels(&KWP, 24);
}

fn padded_key_wrap_travels_by_a_256_bit_key() {
    travels(&KWP, 32);
}

/// A form of wrapping: its name between test and peer, its mechanism, what openssl calls it, and the IV.
struct Form {
    name: &'static str,
    mechanism: CK_MECHANISM_TYPE,
    openssl: &'static str,
    iv: &'static str,
}

/// RFC 3394
const KW: Form = Form { name: "kw", mechanism: CKM_AES_KEY_WRAP, openssl: "wrap", iv: "a6a6a6a6a6a6a6a6" };
/// RFC 5649
const KWP: Form = Form { name: "kwp", mechanism: CKM_AES_KEY_WRAP_KWP, openssl: "wrap-pad", iv: "a65959a6" };

/// Keys of every size, from A to B and from B to A.
fn travels(form: &Form, kek_length: usize) {
    let kek = run("openssl", &["rand", &kek_length.to_string()], &[]);
    let (mut a, mut b) = (Holder::start(&kek), Holder::start(&kek));
    let mut values = vec![kek.clone()];
    for length in [16, 24, 32] {
        values.push(one_way(form, &kek, length, &mut a, &mut b));
        values.push(one_way(form, &kek, length, &mut b, &mut a));
    }
    for holder in [&a, &b] {
        let all = files(&holder.store);
        assert!(all.iter().any(|(_, bytes)| bytes.len() > 4096), "there is a store in {}", holder.store.display());
        for (path, bytes) in all {
            for value in &values {
                let forms = [value.clone(), hex(value).into_bytes(), value[..value.len() / 2].to_vec()];
                assert!(!forms.iter().any(|form| contains(&bytes, form)), "{} holds a key", path.display());
            }
        }
    }
    a.peer.finish();
    b.peer.finish();
}

/// One key made in `from` opens in `to` what `from` sealed, and the other way round. Its value, which only the test knows.
fn one_way(form: &Form, kek: &[u8], length: usize, from: &mut Holder, to: &mut Holder) -> Vec<u8> {
    let (text, answer) = (b"sealed where the key was made".as_slice(), b"sealed where it came to".as_slice());
    assert_eq!(from.ask("make", &length.to_string()), "made");
    let wrapped = from.ask(&format!("wrap-{}", form.name), "");
    let sealed = ["gcm", "cbc"].map(|cipher| from.ask(&format!("seal-{cipher}"), &hex(text)));

    for bit in [0, 70, 8 * length + 63] {
        let mut changed = unhex(&wrapped);
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(to.ask(&format!("unwrap-{}", form.name), &hex(&changed)), "CKR_WRAPPED_KEY_INVALID");
    }
    assert_eq!(to.ask(&format!("unwrap-{}", form.name), &wrapped), "unwrapped");
    for (cipher, sealed) in ["gcm", "cbc"].iter().zip(&sealed) {
        assert_eq!(to.ask(&format!("open-{cipher}"), sealed), hex(text), "{cipher}");
        let back = to.ask(&format!("seal-{cipher}"), &hex(answer));
        assert_eq!(from.ask(&format!("open-{cipher}"), &back), hex(answer), "{cipher}");
    }
    for holder in [from, to] {
        assert_eq!(holder.ask("read", ""), "CKR_ATTRIBUTE_SENSITIVE");
    }

    let unwrap = format!("id-aes{}-{}", kek.len() * 8, form.openssl);
    let value = openssl_enc("-d", &unwrap, kek, form.iv, &unhex(&wrapped));
    assert_eq!(value.len(), length);
    assert_eq!(hex(&openssl_enc("-e", &unwrap, kek, form.iv, &value)), wrapped);
    let cbc = format!("aes-{}-cbc", length * 8);
    assert_eq!(openssl_enc("-d", &cbc, &value, &hex(&CBC_IV), &unhex(&sealed[1])), text);
    assert_eq!(libcrypto_gcm_open(&value, &GCM_IV, AAD, &unhex(&sealed[0])).as_deref(), Some(text));
    value
}

/// By one form into B, by the other back into A: the same key.
fn a_key_goes_round_and_stays_the_same() {
    let kek = message(32);
    let (mut a, mut b) = (Holder::start(&kek), Holder::start(&kek));
    for (there, back) in [("kw", "kwp"), ("kwp", "kw")] {
        assert_eq!(a.ask("make", "32"), "made");
        let sealed = a.ask("seal-gcm", &hex(b"text"));
        let wrapped = a.ask(&format!("wrap-{there}"), "");
        assert_eq!(b.ask(&format!("unwrap-{there}"), &wrapped), "unwrapped");
        let wrapped = b.ask(&format!("wrap-{back}"), "");
        assert_eq!(a.ask("make", "32"), "made", "another key in between");
        assert_eq!(a.ask("open-gcm", &sealed), "CKR_ENCRYPTED_DATA_INVALID");
        assert_eq!(a.ask(&format!("unwrap-{back}"), &wrapped), "unwrapped");
        assert_eq!(a.ask("open-gcm", &sealed), hex(b"text"));
    }
}

const GCM_IV: [u8; 12] = [0x31; 12];
const CBC_IV: [u8; 16] = [0x32; 16];
const AAD: &[u8] = b"portability";

/// A process with a token in a store of its own.
struct Holder {
    peer: Peer,
    store: std::path::PathBuf,
}

impl Holder {
    fn start(kek: &[u8]) -> Holder {
        let mut peer = peer!(holder, hex(kek));
        let store = peer.hear().into();
        Holder { peer, store }
    }

    fn ask(&mut self, what: &str, with: &str) -> String {
        self.peer.say(&format!("{what} {with}"));
        self.peer.hear()
    }
}

/// Answers each line with one: what came of it, or the code. Everything is kept on the token.
fn holder() {
    let token = Token::new();
    let session = token.user();
    let stays = || template![CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true];
    let wraps = template![CKA_TOKEN => true, CKA_WRAP => true, CKA_UNWRAP => true];
    let kek = ok!(session.aes_key_of(&unhex(&arguments()[0]), wraps));
    let (gcm, cbc) = (Mechanism::gcm(&GCM_IV, AAD, 128), Mechanism::with(CKM_AES_CBC_PAD, &CBC_IV));
    let [kw, kwp] = [KW, KWP].map(|form| Mechanism::plain(form.mechanism));
    let named = || template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES].and(stays());
    let mut key = 0;
    say(token.home.store().display());
    loop {
        let line = hear();
        let (what, with) = line.split_once(' ').unwrap_or((&line, ""));
        let told = |bytes: Vec<u8>| hex(&bytes);
        let outcome = match what {
            "make" => session.aes_key(with.parse().unwrap(), stays()).map(|made| {
                key = made;
                "made".to_owned()
            }),
            "unwrap-kw" | "unwrap-kwp" => {
                let form = if what == "unwrap-kw" { &kw } else { &kwp };
                session.unwrap(form, kek, &unhex(with), &named()).map(|unwrapped| {
                    key = unwrapped;
                    "unwrapped".to_owned()
                })
            }
            "wrap-kw" => session.wrap(&kw, kek, key).map(told),
            "wrap-kwp" => session.wrap(&kwp, kek, key).map(told),
            "seal-gcm" => session.encrypt(&gcm, key, &unhex(with)).map(told),
            "seal-cbc" => session.encrypt(&cbc, key, &unhex(with)).map(told),
            "open-gcm" => session.decrypt(&gcm, key, &unhex(with)).map(told),
            "open-cbc" => session.decrypt(&cbc, key, &unhex(with)).map(told),
            "read" => session.value(key, CKA_VALUE).map(told),
            _ => return,
        };
        say(outcome.unwrap_or_else(|code| code.to_string()));
    }
}
