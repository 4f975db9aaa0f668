//! RSA signatures: PKCS #1 v1.5 and the bare primitive, and what holds for PSS too. PKCS#11 3.2, section 6.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    pkcs1_signs_what_openssl_verifies_and_the_reverse,
    pkcs1_takes_up_to_the_modulus_less_eleven_bytes,
    parameters_where_none_is_defined_are_refused,
    bare_primitive_fills_with_zeros_in_front,
    signatures_of_a_wrong_length_are_named_so,
    messages_come_in_parts_where_the_mechanism_hashes,
    a_size_query_and_a_short_buffer_change_nothing,
];

fn pkcs1_signs_what_openssl_verifies_and_the_reverse() {
    let keys = RsaPair::new();
    for (hash, [hashing, ..]) in SignatureHash::signing() {
        let mechanism = Mechanism::plain(hashing);
        let made = ok!(keys.session.sign(&mechanism, keys.private, MESSAGE));
        assert_eq!(keys.openssl.signs(&hash.openssl(), &[], MESSAGE), made, "{}", hash.name);
        ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &made), "{}", hash.name);
        let bare = Mechanism::plain(CKM_RSA_PKCS);
        assert_eq!(ok!(keys.session.sign(&bare, keys.private, &hash.digest_info(MESSAGE))), made, "{}", hash.name);
    }
}

fn pkcs1_takes_up_to_the_modulus_less_eleven_bytes() {
    let keys = RsaPair::new();
    let bare = Mechanism::plain(CKM_RSA_PKCS);
    for length in [0, 1, 100, 245] {
        let made = ok!(keys.session.sign(&bare, keys.private, &vec![7; length]), "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &vec![7; length], &made), "{length} bytes");
    }
    let made = ok!(keys.session.sign(&bare, keys.private, &[7; 245]));
    for length in [246, 256, 300] {
        fails!(keys.session.sign(&bare, keys.private, &vec![7; length]), CKR_DATA_LEN_RANGE, "{length} bytes");
        let outcome = keys.session.verify(&bare, keys.public, &vec![7; length], &made);
        fails!(outcome, CKR_DATA_LEN_RANGE, "{length} bytes");
    }
}

fn parameters_where_none_is_defined_are_refused() {
    let keys = RsaPair::new();
    let hashing = SignatureHash::signing().map(|(_, [hashing, ..])| hashing);
    for number in hashing.chain([CKM_RSA_PKCS, CKM_RSA_X_509]) {
        for outcome in keys.signing_inits(&Mechanism::with(number, &[0; 16])) {
            fails!(outcome, CKR_MECHANISM_PARAM_INVALID, "{number:#x}");
        }
    }
}

/// `CKM_RSA_X_509`: the input is a number below the modulus, the output always as long as the modulus.
fn bare_primitive_fills_with_zeros_in_front() {
    let keys = RsaPair::new();
    let bare = Mechanism::plain(CKM_RSA_X_509);
    for length in [0, 1, 32, 255] {
        let made = ok!(keys.session.sign(&bare, keys.private, &vec![9; length]), "{length} bytes");
        assert_eq!(made.len(), 256, "{length} bytes");
        let filled = [vec![0; 256 - length], vec![9; length]].concat();
        assert_eq!(ok!(keys.session.sign(&bare, keys.private, &filled)), made, "{length} bytes");
        let theirs = keys.openssl.pkeyutl("-decrypt", &["rsa_padding_mode:none"], &filled).unwrap();
        assert_eq!(theirs, made, "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &vec![9; length], &made), "{length} bytes");
        ok!(keys.session.verify(&bare, keys.public, &filled, &made), "{length} bytes");
    }
    let modulus = &keys.key.modulus;
    for high in [modulus.clone(), vec![0xff; 256]] {
        fails!(keys.session.sign(&bare, keys.private, &high), CKR_DATA_INVALID, "not below the modulus");
    }
    fails!(keys.session.sign(&bare, keys.private, &[0; 257]), CKR_DATA_LEN_RANGE);
}

fn signatures_of_a_wrong_length_are_named_so() {
    let keys = RsaPair::new();
    let hash = SignatureHash::named("SHA-256");
    let mechanisms = [
        Mechanism::plain(CKM_SHA256_RSA_PKCS),
        Mechanism::plain(CKM_RSA_PKCS),
        Mechanism::plain(CKM_RSA_X_509),
        hash.pss(CKM_SHA256_RSA_PKCS_PSS, hash, 32),
        hash.pss(CKM_RSA_PKCS_PSS, hash, 32),
    ];
    for mechanism in &mechanisms {
        let message = [5; 32];
        let made = ok!(keys.session.sign(mechanism, keys.private, &message));
        for wrong in [made[1..].to_vec(), made[..255].to_vec(), [vec![0], made.clone()].concat(), vec![], vec![1; 512]]
        {
            let outcome = keys.session.verify(mechanism, keys.public, &message, &wrong);
            fails!(outcome, CKR_SIGNATURE_LEN_RANGE, "{} bytes", wrong.len());
        }
        let mut changed = made.clone();
        changed[255] ^= 1;
        for wrong in [changed, vec![0; 256], vec![0xff; 256], keys.key.modulus.clone()] {
            fails!(keys.session.verify(mechanism, keys.public, &message, &wrong), CKR_SIGNATURE_INVALID);
        }
        fails!(keys.session.verify(mechanism, keys.public, &[6; 32], &made), CKR_SIGNATURE_INVALID);
        ok!(keys.session.verify(mechanism, keys.public, &message, &made));
    }
}

fn messages_come_in_parts_where_the_mechanism_hashes() {
    let keys = RsaPair::new();
    let text = message(1000);
    let (first, second) = text.split_at(333);
    for (hash, [pkcs1, of_pss, _]) in SignatureHash::signing() {
        // An empty salt, for the same signature again.
        for mechanism in [Mechanism::plain(pkcs1), hash.pss(of_pss, hash, 0)] {
            let whole = ok!(keys.session.sign(&mechanism, keys.private, &text), "{}", hash.name);
            let parts = Sign::parts(&keys.session, &mechanism, keys.private, [first, &[], second]);
            assert_eq!(ok!(parts), whole, "{}", hash.name);
            ok!(keys.session.verify_init(&mechanism, keys.public));
            ok!(keys.session.verify_update(first));
            ok!(keys.session.verify_update(second));
            ok!(keys.session.verify_final(&whole), "{}", hash.name);
            let nothing = ok!(Sign::parts(&keys.session, &mechanism, keys.private, []), "{}", hash.name);
            assert_eq!(ok!(keys.session.sign(&mechanism, keys.private, &[])), nothing, "{}", hash.name);
        }
    }
}

fn a_size_query_and_a_short_buffer_change_nothing() {
    let keys = RsaPair::new();
    for mechanism in [CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS, CKM_RSA_X_509].map(Mechanism::plain) {
        ok!(Sign::init(&keys.session, &mechanism, keys.private));
        assert_eq!(Sign::whole(&keys.session, MESSAGE, None), (Ok(()), 256));
        let mut short = [GUARD; 255];
        assert_eq!(Sign::whole(&keys.session, MESSAGE, Some(&mut short)), (Err(Rv(CKR_BUFFER_TOO_SMALL)), 256));
        assert_eq!(short, [GUARD; 255], "nothing is written");
        let mut room = [GUARD; 257];
        assert_eq!(Sign::whole(&keys.session, MESSAGE, Some(&mut room)), (Ok(()), 256));
        assert_eq!(room[256], GUARD);
        ok!(keys.session.verify(&mechanism, keys.public, MESSAGE, &room[..256]));
        let (after, _) = Sign::whole(&keys.session, MESSAGE, None);
        fails!(after, CKR_OPERATION_NOT_INITIALIZED);
    }
}

const MESSAGE: &[u8] = b"what is signed";
