//! Keys wrapped under RSA keys. PKCS#11 3.2, sections 5.18.3, 5.18.4 and 6.1.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    secret_keys_travel,
    pkcs1_unwrapping_rejects_implicitly_where_the_length_is_known,
    pkcs1_unwrapping_names_every_fault_alike_where_it_is_not,
    blobs_of_a_wrong_length_are_named_so,
    oaep_faults_have_one_code,
    keys_that_are_too_long_are_named_so,
    keys_of_a_kind_that_does_not_fit_are_named_so,
    rsa_aes_takes_every_kind_of_key_and_refuses_each_changed_bit,
    rsa_aes_takes_three_lengths_of_key,
];

fn secret_keys_travel() {
    let keys = RsaPair::new();
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), oaep(), rsa_aes(256)] {
        for length in [16, 24, 32] {
            let value = message(length);
            let target = ok!(keys.session.aes_key_of(&value, template![CKA_EXTRACTABLE => true]));
            let wrapped = ok!(keys.session.wrap(&mechanism, keys.public, target));
            assert_eq!(wrapped.len(), if wrapped.len() > 256 { 256 + 8 + length } else { 256 });
            for more in [template![], template![CKA_VALUE_LEN => length as CK_ULONG]] {
                let key = ok!(keys.session.unwrap(&mechanism, keys.private, &wrapped, &readable(CKK_AES).and(more)));
                assert_eq!(ok!(keys.session.value(key, CKA_VALUE)), value);
                assert!(!ok!(keys.session.flag(key, CKA_LOCAL)));
                assert!(!ok!(keys.session.flag(key, CKA_ALWAYS_SENSITIVE)));
                assert!(!ok!(keys.session.flag(key, CKA_NEVER_EXTRACTABLE)));
            }
        }
    }
}

/// A wrong padding, or a plaintext of another length, gives a key all the same: one that nobody knows, and always the same
/// one for the same blob.
fn pkcs1_unwrapping_rejects_implicitly_where_the_length_is_known() {
    let keys = RsaPair::new();
    let value = message(32);
    let fine = blob(&keys, &[vec![0, 2], vec![0xaa; 221], vec![0], value.clone()].concat());
    let bad = [
        blob(&keys, &[vec![0, 1], vec![0xaa; 221], vec![0], value.clone()].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 3], vec![0], vec![0xaa; 250]].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 254]].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 222], vec![0], message(31)].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 253], vec![0]].concat()),
        blob(&keys, &[0; 256]),
    ];
    let length = template![CKA_VALUE_LEN => 32];
    for template in [readable(CKK_AES).and(length.clone()), readable(CKK_GENERIC_SECRET).and(length)] {
        let unwrapped = |blob: &[u8]| {
            let key = keys.session.unwrap(&Mechanism::plain(CKM_RSA_PKCS), keys.private, blob, &template)?;
            keys.session.value(key, CKA_VALUE)
        };
        assert_eq!(ok!(unwrapped(&fine)), value);
        let mut seen = vec![value.clone()];
        for (place, blob) in bad.iter().enumerate() {
            let invented = ok!(unwrapped(blob), "blob {place}");
            assert_eq!(invented.len(), 32, "blob {place}");
            assert_eq!(ok!(unwrapped(blob)), invented, "blob {place}: the same again");
            assert!(!seen.contains(&invented), "blob {place}: a key of its own");
            seen.push(invented);
        }
    }
}

fn pkcs1_unwrapping_names_every_fault_alike_where_it_is_not() {
    let keys = RsaPair::new();
    let value = message(20);
    let mechanism = Mechanism::plain(CKM_RSA_PKCS);
    let fine = blob(&keys, &[vec![0, 2], vec![0xaa; 233], vec![0], value.clone()].concat());
    let key = ok!(keys.session.unwrap(&mechanism, keys.private, &fine, &readable(CKK_GENERIC_SECRET)));
    assert_eq!(ok!(keys.session.value(key, CKA_VALUE)), value);
    let bad = [
        blob(&keys, &[vec![0, 1], vec![0xaa; 233], vec![0], value.clone()].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 3], vec![0], vec![0xaa; 250]].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 254]].concat()),
        blob(&keys, &[vec![0, 2], vec![0xaa; 253], vec![0]].concat()),
        blob(&keys, &[0; 256]),
    ];
    for blob in &bad {
        let outcome = keys.session.unwrap(&mechanism, keys.private, blob, &readable(CKK_GENERIC_SECRET));
        fails!(outcome, CKR_WRAPPED_KEY_INVALID);
    }
}

fn blobs_of_a_wrong_length_are_named_so() {
    let keys = RsaPair::new();
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), oaep()] {
        for length in [0, 1, 128, 255, 257, 512] {
            let template = readable(CKK_AES).with(CKA_VALUE_LEN, 16);
            let outcome = keys.session.unwrap(&mechanism, keys.private, &vec![1; length], &template);
            fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE, "{length} bytes");
        }
    }
    for length in [0, 255, 256, 271] {
        let outcome = keys.session.unwrap(&rsa_aes(256), keys.private, &vec![1; length], &readable(CKK_AES));
        fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE, "{length} bytes");
    }
}

fn oaep_faults_have_one_code() {
    let keys = RsaPair::new();
    let target = ok!(keys.session.aes_key_of(&[3; 16], template![CKA_EXTRACTABLE => true]));
    let wrapped = ok!(keys.session.wrap(&oaep(), keys.public, target));
    let mut changed = wrapped.clone();
    changed[100] ^= 1;
    let another = Mechanism::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"another label");
    let v15 = ok!(keys.session.wrap(&Mechanism::plain(CKM_RSA_PKCS), keys.public, target));
    let modulus = &keys.key.modulus;
    for (mechanism, blob) in [(&oaep(), &changed), (&another, &wrapped), (&oaep(), &v15), (&oaep(), modulus)] {
        let outcome = keys.session.unwrap(mechanism, keys.private, blob, &readable(CKK_AES));
        fails!(outcome, CKR_WRAPPED_KEY_INVALID);
    }
    // A good blob of a length that the type does not have, or that the template says otherwise.
    let odd = ok!(keys.session.encrypt(&oaep(), keys.public, &[3; 17]));
    let outcome = keys.session.unwrap(&oaep(), keys.private, &odd, &readable(CKK_AES));
    fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE);
    let outcome = keys.session.unwrap(&oaep(), keys.private, &wrapped, &readable(CKK_AES).with(CKA_VALUE_LEN, 32));
    fails!(outcome, CKR_WRAPPED_KEY_LEN_RANGE);
}

fn keys_that_are_too_long_are_named_so() {
    let keys = RsaPair::new();
    for (mechanism, longest) in [(Mechanism::plain(CKM_RSA_PKCS), 245), (oaep(), 190)] {
        for (length, fits) in [(longest, true), (longest + 1, false), (300, false)] {
            let template = readable(CKK_GENERIC_SECRET).with(CKA_VALUE, &message(length));
            let target = ok!(keys.session.create(&template));
            match keys.session.wrap(&mechanism, keys.public, target) {
                Ok(_) if fits => {}
                Err(Rv(CKR_KEY_SIZE_RANGE)) if !fits => {}
                other => panic!("{length} bytes: {other:?}"),
            }
        }
    }
}

fn keys_of_a_kind_that_does_not_fit_are_named_so() {
    let keys = RsaPair::new();
    let session = &keys.session;
    let (_, movable) = ok!(session.pair(
        CKM_EC_KEY_PAIR_GEN,
        &template![CKA_EC_PARAMS => CURVES[1].params],
        &template![CKA_EXTRACTABLE => true]
    ));
    let fixed = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => false]));
    let target = ok!(session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true]));
    for (mechanism, by) in [(rsa_aes(256), keys.public), (cbc_pad(), kek), (gcm(), kek)] {
        fails!(session.wrap(&mechanism, by, fixed), CKR_KEY_UNEXTRACTABLE);
        fails!(session.wrap_into(&mechanism, by, fixed, None).0, CKR_KEY_UNEXTRACTABLE);
        fails!(session.wrap(&mechanism, by, keys.public), CKR_KEY_NOT_WRAPPABLE, "a public key");
        fails!(session.wrap(&mechanism, by, 0), CKR_KEY_HANDLE_INVALID);
        ok!(session.wrap(&mechanism, by, movable));
    }
    for mechanism in [Mechanism::plain(CKM_RSA_PKCS), oaep()] {
        fails!(session.wrap(&mechanism, keys.public, movable), CKR_KEY_NOT_WRAPPABLE, "a private key");
        fails!(session.wrap(&mechanism, keys.public, keys.public), CKR_KEY_NOT_WRAPPABLE, "a public key");
        fails!(session.wrap(&mechanism, keys.public, fixed), CKR_KEY_UNEXTRACTABLE);
        fails!(session.wrap(&mechanism, keys.public, 0), CKR_KEY_HANDLE_INVALID);
        fails!(session.wrap(&mechanism, 0, target), CKR_WRAPPING_KEY_HANDLE_INVALID);
        fails!(session.wrap(&mechanism, keys.private, target), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
        fails!(session.wrap(&mechanism, target, target), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
        let unwrap = |key| session.unwrap(&mechanism, key, &[1; 256], &readable(CKK_AES).with(CKA_VALUE_LEN, 16));
        fails!(unwrap(0), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
        fails!(unwrap(keys.public), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
        let bare = ok!(session.create(&keys.key.public().with(CKA_WRAP, false)));
        fails!(session.wrap(&mechanism, bare, target), CKR_KEY_FUNCTION_NOT_PERMITTED);
        let bare = ok!(session.create(&keys.key.private().with(CKA_UNWRAP, false)));
        fails!(unwrap(bare), CKR_KEY_FUNCTION_NOT_PERMITTED);
    }
}

/// PKCS#11 3.2, section 6.1.21: OAEP of a temporary AES key, and the target under it by RFC 5649.
fn rsa_aes_takes_every_kind_of_key_and_refuses_each_changed_bit() {
    let keys = RsaPair::new();
    let session = &keys.session;
    let rsa = ok!(session.create(&keys.key.private().with(CKA_EXTRACTABLE, true)));
    let aes = ok!(session.aes_key_of(&[6; 16], template![CKA_EXTRACTABLE => true]));
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA];
    for (target, template) in [(rsa, class), (aes, readable(CKK_AES))] {
        let wrapped = ok!(session.wrap(&rsa_aes(256), keys.public, target));
        let again = ok!(session.wrap(&rsa_aes(256), keys.public, target));
        assert_ne!(wrapped[256..], again[256..], "the AES key is new each time");
        let temporary = ok!(session.decrypt(&oaep(), keys.private, &wrapped[..256]));
        assert_eq!(temporary.len(), 32);
        ok!(session.unwrap(&rsa_aes(256), keys.private, &wrapped, &template));
        for place in [0, 100, 255, 256, 263, 264, wrapped.len() - 1] {
            let mut changed = wrapped.clone();
            changed[place] ^= 1;
            let outcome = session.unwrap(&rsa_aes(256), keys.private, &changed, &template);
            fails!(outcome, CKR_WRAPPED_KEY_INVALID, "byte {place}");
        }
    }
}

fn rsa_aes_takes_three_lengths_of_key() {
    let keys = RsaPair::new();
    let target = ok!(keys.session.aes_key(16, template![CKA_EXTRACTABLE => true]));
    for bits in [128, 192, 256] {
        let wrapped = ok!(keys.session.wrap(&rsa_aes(bits), keys.public, target), "{bits} bits");
        ok!(keys.session.unwrap(&rsa_aes(bits), keys.private, &wrapped, &readable(CKK_AES)), "{bits} bits");
    }
    let null = Mechanism::plain(CKM_RSA_AES_KEY_WRAP);
    for wrong in [rsa_aes(0), rsa_aes(16), rsa_aes(64), rsa_aes(512), rsa_aes(usize::MAX), null] {
        fails!(keys.session.wrap(&wrong, keys.public, target), CKR_MECHANISM_PARAM_INVALID);
        let outcome = keys.session.unwrap(&wrong, keys.private, &[1; 280], &readable(CKK_AES));
        fails!(outcome, CKR_MECHANISM_PARAM_INVALID);
    }
}

fn oaep() -> Mechanism {
    Mechanism::oaep(CKM_SHA256, CKG_MGF1_SHA256, b"")
}

/// `CK_RSA_AES_KEY_WRAP_PARAMS` with OAEP as above.
fn rsa_aes(bits: usize) -> Mechanism {
    static OAEP: [usize; 5] = [CKM_SHA256 as usize, CKG_MGF1_SHA256 as usize, CKZ_DATA_SPECIFIED as usize, 0, 0];
    Mechanism::words(CKM_RSA_AES_KEY_WRAP, &[bits, OAEP.as_ptr().expose_provenance()])
}

/// A secret key whose value may be read.
fn readable(key_type: CK_KEY_TYPE) -> Template {
    template![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => key_type,
        CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    ]
}

/// A block as it is under the public key.
fn blob(keys: &RsaPair, block: &[u8]) -> Vec<u8> {
    ok!(keys.session.encrypt(&Mechanism::plain(CKM_RSA_X_509), keys.public, block))
}
