//! Private keys travel wrapped, as PKCS#8: to another token, to SoftHSM2 and to openssl, and back. Whoever holds a key signs
//! as the others do.
//!
//! Another token is a peer with a store of its own; SoftHSM2 is one as well. The test and the peer do the same work, asked
//! for in lines. All know one wrapping key, and so does openssl.

use std::path::Path;

use cryptoki_sys::*;

use crate::support::*;

mod kind;
mod openssl;
mod side;

use kind::{KINDS, kinds, of_softhsm};
use openssl::Openssl;
use side::{KEK, PAD, Pair, Side, form, serve};

pub const TESTS: &[Test] = &tests![
    keys_travel_to_another_token_and_back,
    keys_travel_to_softhsm_and_back,
    keys_travel_to_openssl_and_back,
    keys_of_openssl_sign_the_same,
    montgomery_keys_agree_with_openssl,
    a_sensitive_key_stays_sensitive,
    damaged_keys_are_refused,
    well_wrapped_nonsense_is_refused,
];
pub const PEERS: &[Test] = &tests![another, softhsm];

fn keys_travel_to_another_token_and_back() {
    let mut pair = Pair::with(peer!(another));
    for kind in kinds() {
        for form in pair.ours.forms() {
            pair.travels(kind, form, form);
        }
    }
}

/// Its pad mechanism is RFC 5649 over a `PrivateKeyInfo` that zeros fill up, which `CKM_AES_KEY_WRAP_PAD` alone takes off. 2.6.1
/// neither wraps nor unwraps Edwards keys.
fn keys_travel_to_softhsm_and_back() {
    let mut pair = Pair::with(peer!(softhsm));
    for kind in of_softhsm() {
        pair.travels(kind, "pad", "pad");
    }
}

fn keys_travel_to_openssl_and_back() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        let signature = side.answer(&format!("sign {}", kind.name));
        for (form, cipher, iv) in side.openssl_forms() {
            let pkcs8 = openssl_enc("-d", cipher, &KEK, iv, &side.bytes(&format!("wrap {form}")));
            let key = Openssl::new(&pkcs8);
            key.verifies(kind, &signature);
            // What openssl signs, the token's public key verifies.
            let theirs = key.signs(kind);
            assert_eq!(side.answer(&format!("verify {} {theirs}", kind.name)), "verified", "{}, {form}", kind.name);
            let wrapped = hex(&openssl_enc("-e", cipher, &KEK, iv, &pkcs8));
            assert_eq!(side.answer(&format!("unwrap {form} {} {wrapped}", kind.name)), "unwrapped");
            key.verifies(kind, &side.answer(&format!("sign {}", kind.name)));
        }
    }
}

/// And it is the same key that comes out again.
fn keys_of_openssl_sign_the_same() {
    let side = &mut Side::new();
    for kind in kinds() {
        let pkcs8 = kind.pkcs8();
        let key = Openssl::new(&pkcs8);
        for (form, cipher, iv) in side.openssl_forms() {
            let wrapped = hex(&openssl_enc("-e", cipher, &KEK, iv, &pkcs8));
            assert_eq!(side.answer(&format!("unwrap {form} {} {wrapped}", kind.name)), "unwrapped", "{}", kind.name);
            let signature = side.answer(&format!("sign {}", kind.name));
            key.verifies(kind, &signature);
            if kind.repeats {
                assert_eq!(signature, key.signs(kind), "{}", kind.name);
            }
            let back = openssl_enc("-d", cipher, &KEK, iv, &side.bytes(&format!("wrap {form}")));
            assert_eq!(Openssl::new(&back).public(), key.public(), "{}", kind.name);
        }
    }
}

/// These do not sign, they agree: before they travelled and after.
fn montgomery_keys_agree_with_openssl() {
    if Module::is_softhsm() {
        return report("SoftHSM2 has no X25519");
    }
    let side = &mut Side::new();
    let curve = template![CKA_EC_PARAMS => b"\x13\x0acurve25519"];
    let template = template![CKA_DERIVE => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true];
    let (_, made) = ok!(side.session.pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, &curve, &template));
    side.key = made;
    let wrapped = side.bytes("wrap pad");
    let ours = Openssl::new(&openssl_enc("-d", PAD.1, &KEK, PAD.2, &wrapped));
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC_MONTGOMERY];
    let again = ok!(side.session.unwrap(&form("pad"), side.kek, &wrapped, &class.and(template)));

    let pem = run("openssl", &["genpkey", "-algorithm", "X25519"], &[]);
    let theirs = Openssl::new(&run("openssl", &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem));
    let spki = run("openssl", &["pkey", "-pubin", "-outform", "DER"], &theirs.public());
    // The parameter holds addresses of it.
    let point = &spki[spki.len() - 32..];
    let parameter = [CKD_NULL as usize, 0, 0, point.len(), point.as_ptr() as usize];
    let expected = theirs.agrees_with(&ours);
    for key in [made, again] {
        let mechanism = Mechanism::words(CKM_ECDH1_DERIVE, &parameter);
        assert_eq!(hex(&ok!(side.session.derived(&mechanism, key))), hex(&expected));
    }
}

fn a_sensitive_key_stays_sensitive() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        let secret = if kind.key_type == CKK_RSA { CKA_PRIVATE_EXPONENT } else { CKA_VALUE };
        let made = side.key;
        let wrapped = side.answer("wrap pad");
        assert_eq!(side.answer(&format!("unwrap pad {} {wrapped}", kind.name)), "unwrapped");
        for (key, expected) in [(made, [true, true, false]), (side.key, [false, false, false])] {
            assert_eq!(side.session.value(key, secret).map(|_| ()), Err(Rv(CKR_ATTRIBUTE_SENSITIVE)), "{}", kind.name);
            let history = [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE];
            assert_eq!(history.map(|flag| ok!(side.session.flag(key, flag))), expected, "{}", kind.name);
        }
        let template = kind.private().and(template![CKA_EXTRACTABLE => false]);
        let (_, private) = ok!(side.session.pair(kind.generate, &kind.public(), &template));
        let kept = side.session.wrap(&form("pad"), side.kek, private);
        assert_eq!(kept, Err(Rv(CKR_KEY_UNEXTRACTABLE)), "{}", kind.name);
    }
}

fn damaged_keys_are_refused() {
    let side = &mut Side::new();
    for kind in kinds() {
        assert_eq!(side.answer(&format!("make {}", kind.name)), "made");
        for form in side.forms() {
            let wrapped = side.bytes(&format!("wrap {form}"));
            // CBC tells of damage in the last block by its padding, and before that only by what PKCS#8 is.
            let bits = if form == "cbc-pad" { (0..8).step_by(1) } else { (0..wrapped.len() * 8).step_by(101) };
            for bit in bits {
                let mut changed = wrapped.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                side.refuses(&format!("unwrap {form} {} {}", kind.name, hex(&changed)));
            }
            for length in [0, 8, 16, wrapped.len() - 8] {
                side.refuses(&format!("unwrap {form} {} {}", kind.name, hex(&wrapped[..length])));
            }
        }
    }
}

/// Wrapped without a fault, but no key, or not the one that was asked for.
fn well_wrapped_nonsense_is_refused() {
    if Module::is_softhsm() {
        return report("SoftHSM2 takes bytes behind a key");
    }
    let side = &mut Side::new();
    let wrap = |pkcs8: &[u8]| hex(&openssl_enc("-e", PAD.1, &KEK, PAD.2, pkcs8));
    for kind in kinds() {
        let pkcs8 = kind.pkcs8();
        for other in kinds().filter(|other| other.key_type != kind.key_type) {
            side.refuses(&format!("unwrap pad {} {}", other.name, wrap(&pkcs8)));
        }
        let longer = [&pkcs8[..], &[0; 8]].concat();
        // What stands inside is not it: RFC 8017's RSAPrivateKey, RFC 5915's ECPrivateKey, RFC 8410's CurvePrivateKey.
        let inside = &pkcs8[if kind.key_type == CKK_RSA { 26 } else { 20 }..];
        for nonsense in [&message(64)[..], &[0x30, 0x80], &pkcs8[..pkcs8.len() - 1], &longer, inside] {
            side.refuses(&format!("unwrap pad {} {}", kind.name, wrap(nonsense)));
        }
    }
    // EC keys whose number is 0, or above the order.
    for (kind, head, length) in [(&KINDS[1], [0x04, 0x20], 32), (&KINDS[2], [0x04, 0x30], 48)] {
        let pkcs8 = kind.pkcs8();
        let at = pkcs8.windows(2).position(|window| window == head).expect("the number's head") + 2;
        for byte in [0, 0xff] {
            let changed = [&pkcs8[..at], &vec![byte; length], &pkcs8[at + length..]].concat();
            side.refuses(&format!("unwrap pad {} {}", kind.name, wrap(&changed)));
        }
    }
}

/// The peer that is another token of the module under test.
fn another() {
    serve();
}

/// The peer that is SoftHSM2.
fn softhsm() {
    let place = SOFTHSM.into_iter().find(|place| Path::new(place).exists());
    let place = place.unwrap_or_else(|| panic!("no SoftHSM2 in {SOFTHSM:?}; `make test` installs it"));
    set_variable("KEYSTEAD_MODULE", Some(place));
    serve();
}

const SOFTHSM: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
