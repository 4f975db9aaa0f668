//! Wrapping by ciphers and by way of RSA, and private keys in every wrapped form. PKCS#11 3.2, sections 5.18.3, 5.18.4, 6.1,
//! 6.10.5, 6.13.3 and 6.16.

use cryptoki_sys::*;

use super::rsa::{openssl_key, pair, private_key_info};
use crate::support::*;

pub const TESTS: &[Test] = &tests![
    private_keys_travel_in_every_form_and_sign_again,
    private_keys_of_every_length_travel_by_key_wrap,
    only_key_wrap_has_zeros_behind_a_private_key,
    what_is_no_such_private_key_is_an_invalid_key,
    one_block_of_rsa_carries_no_private_key,
    secret_keys_travel_by_ciphers,
    a_cipher_wraps_what_it_encrypts,
    every_fault_of_a_cipher_has_one_code,
    a_wrong_length_tells_of_no_padding,
    gcm_takes_the_parameters_of_wrapping,
    rsa_aes_is_its_two_parts,
];

/// The mechanisms that carry private keys, under an AES key.
fn forms() -> [(&'static str, Mechanism); 6] {
    [
        ("key wrap", Mechanism::plain(CKM_AES_KEY_WRAP)),
        ("KWP", Mechanism::plain(CKM_AES_KEY_WRAP_KWP)),
        ("PKCS#7", Mechanism::plain(CKM_AES_KEY_WRAP_PKCS7)),
        ("PAD", Mechanism::plain(CKM_AES_KEY_WRAP_PAD)),
        ("CBC", cbc_pad()),
        ("GCM", gcm()),
    ]
}

fn private_keys_travel_in_every_form_and_sign_again() {
    let keys = Keys::new();
    let session = &keys.session;
    let (public, private) = ok!(pair(session, 2048, template![], template![CKA_EXTRACTABLE => true]));
    let signing = Mechanism::plain(CKM_SHA256_RSA_PKCS);
    let made = ok!(session.sign(&signing, private, b"text"));
    let (wrapping, unwrapping) = ok!(pair(session, 2048, template![], template![]));
    let under_aes = forms().map(|(name, mechanism)| (name, mechanism, keys.kek, keys.kek));
    for (name, mechanism, by, with) in under_aes.into_iter().chain([("RSA and AES", rsa_aes(), wrapping, unwrapping)]) {
        let wrapped = ok!(session.wrap(&mechanism, by, private), "{name}");
        let back = ok!(session.unwrap(&mechanism, with, &wrapped, &rsa()), "{name}");
        assert_eq!(ok!(session.sign(&signing, back, b"text")), made, "{name}");
        for number in [CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO] {
            assert_eq!(ok!(session.value(back, number)), ok!(session.value(public, number)), "{name}, {number:#x}");
        }
        for (flag, value) in [
            (CKA_LOCAL, false),
            (CKA_ALWAYS_SENSITIVE, false),
            (CKA_NEVER_EXTRACTABLE, false),
            (CKA_SENSITIVE, true),
            (CKA_EXTRACTABLE, true),
        ] {
            assert_eq!(ok!(session.flag(back, flag)), value, "{name}, {flag:#x}");
        }
        assert_eq!(ok!(session.number(back, CKA_KEY_GEN_MECHANISM)), CK_UNAVAILABLE_INFORMATION, "{name}");
    }
    let (_, fixed) = ok!(pair(session, 2048, template![], template![CKA_EXTRACTABLE => false]));
    for (name, mechanism) in forms() {
        fails!(session.wrap(&mechanism, keys.kek, fixed), CKR_KEY_UNEXTRACTABLE, "{name}");
        fails!(session.wrap(&mechanism, keys.kek, public), CKR_KEY_NOT_WRAPPABLE, "{name}");
    }
    fails!(session.wrap(&rsa_aes(), wrapping, fixed), CKR_KEY_UNEXTRACTABLE);
}

/// The bare form fills up to whole semiblocks. How long a `PrivateKeyInfo` is, depends on the numbers in it.
fn private_keys_of_every_length_travel_by_key_wrap() {
    let keys = Keys::new();
    let session = &keys.session;
    let mechanism = Mechanism::plain(CKM_AES_KEY_WRAP);
    let mut fillings = std::collections::BTreeSet::new();
    for exponent in
        [&[3][..], &[1, 1], &[1, 0, 1], &[1, 0, 0, 1], &[0xff, 0xff, 0xff, 0xff]].into_iter().cycle().take(60)
    {
        let public = template![CKA_PUBLIC_EXPONENT => exponent];
        let (_, private) = ok!(pair(session, 2048, public, template![CKA_EXTRACTABLE => true]));
        let wrapped = ok!(session.wrap(&mechanism, keys.kek, private));
        let value = ok!(session.decrypt(&cbc_pad(), keys.kek, &ok!(session.wrap(&cbc_pad(), keys.kek, private))));
        let filling = value.len().next_multiple_of(8) - value.len();
        assert_eq!(ok!(session.decrypt(&mechanism, keys.kek, &wrapped)), filled(&value, filling, 0));
        let back = ok!(session.unwrap(&mechanism, keys.kek, &wrapped, &rsa()));
        assert_eq!(ok!(session.wrap(&mechanism, keys.kek, back)), wrapped);
        fillings.insert(filling);
        if fillings.contains(&0) && fillings.len() > 3 {
            return;
        }
    }
    panic!("60 keys, and no other fillings than {fillings:?}");
}

/// PKCS#11 3.2, section 6.16.3. `CKM_AES_KEY_WRAP_PAD` opens what SoftHSM2 fills up before it pads.
fn only_key_wrap_has_zeros_behind_a_private_key() {
    let keys = Keys::new();
    let session = &keys.session;
    let key = openssl_key(2048);
    let filling = key.len().next_multiple_of(8) - key.len();
    for (name, mechanism) in forms() {
        let unwrap = |behind: usize, with: u8| {
            let sealed = session.encrypt(&mechanism, keys.kek, &filled(&key, behind, with))?;
            session.unwrap(&mechanism, keys.kek, &sealed, &rsa())
        };
        let takes_filling = ["key wrap", "PAD"].contains(&name);
        let exact = name != "key wrap";
        if exact || filling == 0 {
            ok!(unwrap(0, 0), "{name}, the key alone");
        }
        if filling > 0 {
            match takes_filling {
                true => drop(ok!(unwrap(filling, 0), "{name}, {filling} zeros")),
                false => fails!(unwrap(filling, 0), CKR_WRAPPED_KEY_INVALID, "{name}, {filling} zeros"),
            }
            fails!(unwrap(filling, 1), CKR_WRAPPED_KEY_INVALID, "{name}, {filling} ones");
        }
        fails!(unwrap(filling + 8, 0), CKR_WRAPPED_KEY_INVALID, "{name}, a semiblock of zeros");
    }
}

fn what_is_no_such_private_key_is_an_invalid_key() {
    let keys = Keys::new();
    let session = &keys.session;
    let key = openssl_key(2048);
    let ec = private_key_info(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    let mut damaged = key.clone();
    damaged[100] ^= 1;
    let cut = &key[..key.len() - 16];
    let bare = run("openssl", &["rsa", "-inform", "DER", "-outform", "DER", "-traditional"], &key);
    let blobs: [(&str, &[u8]); 6] = [
        ("another type", &ec),
        ("a changed number", &damaged),
        ("cut short", cut),
        ("without its PrivateKeyInfo", &bare),
        ("zeros", &[0; 64]),
        ("noise", &[0x5a; 1200]),
    ];
    for (name, mechanism) in forms() {
        for (what, blob) in blobs {
            let whole = filled(blob, blob.len().next_multiple_of(8) - blob.len(), 0);
            let blob = if name == "key wrap" { &whole } else { blob };
            let sealed = ok!(session.encrypt(&mechanism, keys.kek, blob));
            let outcome = session.unwrap(&mechanism, keys.kek, &sealed, &rsa());
            fails!(outcome, CKR_WRAPPED_KEY_INVALID, "{name}, {what}");
        }
        let fitting =
            if name == "key wrap" { filled(&ec, ec.len().next_multiple_of(8) - ec.len(), 0) } else { ec.clone() };
        let sealed = ok!(session.encrypt(&mechanism, keys.kek, &fitting));
        let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC];
        ok!(session.unwrap(&mechanism, keys.kek, &sealed, &class), "{name}");
    }
    assert!(ok!(session.find(&rsa())).is_empty(), "nothing came of any of them");
}

/// A template for one is refused before the block is opened: what comes of a bad block would tell of its padding.
fn one_block_of_rsa_carries_no_private_key() {
    let keys = Keys::new();
    let session = &keys.session;
    let (public, private) = ok!(pair(session, 2048, template![], template![]));
    let (_, movable) = ok!(pair(session, 2048, template![], template![CKA_EXTRACTABLE => true]));
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), oaep()] {
        fails!(session.wrap(&mechanism, public, movable), CKR_KEY_NOT_WRAPPABLE);
        fails!(session.wrap_into(&mechanism, public, movable, None).0, CKR_KEY_NOT_WRAPPABLE);
        let good = ok!(session.encrypt(&mechanism, public, &[1; 32]));
        for blob in [good, vec![1; 256]] {
            fails!(session.unwrap(&mechanism, private, &blob, &rsa()), CKR_TEMPLATE_INCONSISTENT);
        }
    }
}

fn secret_keys_travel_by_ciphers() {
    let keys = Keys::new();
    let session = &keys.session;
    for (mechanism, longer) in [(cbc_pad(), 0), (gcm(), 16)] {
        for length in 1..=70 {
            let key = ok!(session.create(&secret().with(CKA_VALUE, &message(length))));
            let wrapped = ok!(session.wrap(&mechanism, keys.kek, key), "{length} bytes");
            let expected = if longer == 0 { length / 16 * 16 + 16 } else { length + longer };
            assert_eq!(wrapped.len(), expected, "{length} bytes");
            for more in [template![], template![CKA_VALUE_LEN => length as CK_ULONG]] {
                let back = ok!(session.unwrap(&mechanism, keys.kek, &wrapped, &secret().and(more)), "{length} bytes");
                assert_eq!(ok!(session.value(back, CKA_VALUE)), message(length));
            }
        }
    }
}

/// The same bytes, in both directions, with the same key and parameter.
fn a_cipher_wraps_what_it_encrypts() {
    let keys = Keys::new();
    let session = &keys.session;
    let value = message(32);
    let key = ok!(session.aes_key_of(&value, template![CKA_EXTRACTABLE => true]));
    for mechanism in [cbc_pad(), gcm(), Mechanism::gcm(&[7; 20], b"bound", 96)] {
        let wrapped = ok!(session.wrap(&mechanism, keys.kek, key));
        assert_eq!(ok!(session.encrypt(&mechanism, keys.kek, &value)), wrapped);
        let back = ok!(session.unwrap(&mechanism, keys.kek, &wrapped, &aes()));
        assert_eq!(ok!(session.wrap(&mechanism, keys.kek, back)), wrapped);
    }
    let bound = ok!(session.wrap(&Mechanism::gcm(&[7; 12], b"bound", 128), keys.kek, key));
    let other = Mechanism::gcm(&[7; 12], b"other", 128);
    fails!(session.unwrap(&other, keys.kek, &bound, &aes()), CKR_WRAPPED_KEY_INVALID);
    for wrong in [Mechanism::plain(CKM_AES_CBC_PAD), Mechanism::plain(CKM_AES_GCM), Mechanism::gcm(&[], &[], 128)] {
        fails!(session.wrap(&wrong, keys.kek, key), CKR_MECHANISM_PARAM_INVALID);
        fails!(session.unwrap(&wrong, keys.kek, &bound, &aes()), CKR_MECHANISM_PARAM_INVALID);
    }
}

fn every_fault_of_a_cipher_has_one_code() {
    let keys = Keys::new();
    let session = &keys.session;
    let key = ok!(session.aes_key_of(&message(32), template![CKA_EXTRACTABLE => true]));
    let wrapped = ok!(session.wrap(&gcm(), keys.kek, key));
    for bit in 0..wrapped.len() * 8 {
        let mut changed = wrapped.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fails!(session.unwrap(&gcm(), keys.kek, &changed, &aes()), CKR_WRAPPED_KEY_INVALID, "bit {bit}");
    }
    for length in [0, 1, 15] {
        fails!(session.unwrap(&gcm(), keys.kek, &vec![1; length], &aes()), CKR_WRAPPED_KEY_LEN_RANGE);
    }
    // CBC carries no proof: what is behind the padding alone can be judged. The block before the last one changes it.
    let wrapped = ok!(session.wrap(&cbc_pad(), keys.kek, key));
    for bit in 16 * 8..32 * 8 {
        let mut changed = wrapped.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fails!(session.unwrap(&cbc_pad(), keys.kek, &changed, &aes()), CKR_WRAPPED_KEY_INVALID, "bit {bit}");
    }
    for length in [0, 1, 15, 17, 47] {
        fails!(session.unwrap(&cbc_pad(), keys.kek, &vec![1; length], &aes()), CKR_WRAPPED_KEY_LEN_RANGE);
    }
    assert!(ok!(session.find(&template![CKA_LOCAL => false, CKA_SENSITIVE => true])).len() == 1, "the key alone");
}

/// Where a padding says the length, good padding around something of another length is as bad as bad padding.
fn a_wrong_length_tells_of_no_padding() {
    let keys = Keys::new();
    let session = &keys.session;
    let (public, private) = ok!(pair(session, 2048, template![], template![]));
    for (mechanism, seal, open) in [(cbc_pad(), keys.kek, keys.kek), (Mechanism::plain(CKM_RSA_PKCS), public, private)]
    {
        for length in [1, 5, 15, 17, 20, 31, 33, 100] {
            let sealed = ok!(session.encrypt(&mechanism, seal, &message(length)));
            fails!(session.unwrap(&mechanism, open, &sealed, &aes()), CKR_WRAPPED_KEY_INVALID, "{length} bytes");
        }
        let sealed = ok!(session.encrypt(&mechanism, seal, &message(32)));
        ok!(session.unwrap(&mechanism, open, &sealed, &aes()));
    }
    let sealed = ok!(session.encrypt(&cbc_pad(), keys.kek, &message(32)));
    let other = aes().with(CKA_VALUE_LEN, 16);
    fails!(session.unwrap(&cbc_pad(), keys.kek, &sealed, &other), CKR_WRAPPED_KEY_INVALID);
    // Where the whole is proven, the length may be named.
    let sealed = ok!(session.encrypt(&gcm(), keys.kek, &message(17)));
    fails!(session.unwrap(&gcm(), keys.kek, &sealed, &aes()), CKR_WRAPPED_KEY_LEN_RANGE);
    let sealed = ok!(session.encrypt(&gcm(), keys.kek, &message(32)));
    fails!(session.unwrap(&gcm(), keys.kek, &sealed, &other), CKR_WRAPPED_KEY_LEN_RANGE);
}

/// `CK_GCM_WRAP_PARAMS`. The generator counts in wrapping alone; other functions do not know the structure.
fn gcm_takes_the_parameters_of_wrapping() {
    let keys = Keys::new();
    let session = &keys.session;
    let key = ok!(session.aes_key_of(&message(32), template![CKA_EXTRACTABLE => true]));
    let (iv, aad) = ([7; 12], b"bound");
    let with = |generator| Mechanism::gcm_wrap(&iv, generator, 0, aad, 128);
    let wrapped = ok!(session.wrap(&with(CKG_NO_GENERATE), keys.kek, key));
    assert_eq!(ok!(session.wrap(&Mechanism::gcm(&iv, aad, 128), keys.kek, key)), wrapped);
    for generator in [CKG_NO_GENERATE, CKG_GENERATE, CKG_GENERATE_COUNTER, CKG_GENERATE_RANDOM, 9] {
        ok!(session.unwrap(&with(generator), keys.kek, &wrapped, &aes()), "{generator}");
        fails!(Encrypt::init(session, &with(generator), keys.kek), CKR_MECHANISM_PARAM_INVALID, "{generator}");
        fails!(Decrypt::init(session, &with(generator), keys.kek), CKR_MECHANISM_PARAM_INVALID, "{generator}");
    }
}

/// OAEP of an AES key, and behind it the value under this key by RFC 5649: made by hand, it opens.
fn rsa_aes_is_its_two_parts() {
    let keys = Keys::new();
    let session = &keys.session;
    let (public, private) = ok!(pair(session, 2048, template![], template![]));
    let kwp = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let both = template![CKA_ENCRYPT => true, CKA_DECRYPT => true];
    for length in [16, 24, 32] {
        let value = message(length);
        let temporary = ok!(session.aes_key_of(&value, both.clone()));
        let front = ok!(session.encrypt(&oaep(), public, &value));
        let behind = ok!(session.encrypt(&kwp, temporary, &message(21)));
        let blob = [front, behind].concat();
        let outcome = session.unwrap(&rsa_aes(), private, &blob, &secret());
        if length == 32 {
            assert_eq!(ok!(session.value(ok!(outcome), CKA_VALUE)), message(21));
        } else {
            fails!(outcome, CKR_WRAPPED_KEY_INVALID, "not the length of key that the parameter says");
        }
    }
}

fn oaep() -> Mechanism {
    Mechanism::words(CKM_RSA_PKCS_OAEP, &OAEP)
}

/// With a temporary key of 256 bits.
fn rsa_aes() -> Mechanism {
    Mechanism::words(CKM_RSA_AES_KEY_WRAP, &[256, OAEP.as_ptr().expose_provenance()])
}

static OAEP: [usize; 5] = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];

fn rsa() -> Template {
    template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA]
}

fn aes() -> Template {
    template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES]
}

/// A generic secret whose value may be read.
fn secret() -> Template {
    template![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    ]
}

fn filled(bytes: &[u8], behind: usize, with: u8) -> Vec<u8> {
    [bytes, &vec![with; behind]].concat()
}

/// A session, and an AES key that does everything.
struct Keys {
    _token: Token,
    session: Session,
    kek: CK_OBJECT_HANDLE,
}

impl Keys {
    fn new() -> Keys {
        let token = Token::new();
        let session = token.user();
        let uses = template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_WRAP => true, CKA_UNWRAP => true];
        let kek = ok!(session.aes_key(32, uses));
        Keys { _token: token, session, kek }
    }
}
