//! `CKA_START_DATE` and `CKA_END_DATE`. PKCS#11 3.2, section 4.8: they restrict nothing, unless the configuration says so.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_date_is_a_day_of_the_calendar,
    dates_restrict_nothing_by_themselves,
    a_key_whose_days_are_over_makes_nothing_new,
    a_key_whose_days_have_not_begun_does_nothing,
    a_changed_date_holds_from_the_next_use_on,
    pairs_and_wrapping_keys_are_held_to_their_dates,
];

fn a_date_is_a_day_of_the_calendar() {
    let token = Token::new();
    let session = token.user();
    for date in ["19000101", "20240229", "20000229", "99991231", ""] {
        ok!(session.aes_key(16, template![CKA_START_DATE => date]), "{date}");
    }
    let bad =
        ["18991231", "20230229", "21000229", "20261301", "20260001", "20260431", "20260100", "00000000", "2026010a"];
    for date in bad {
        fails!(session.aes_key(16, template![CKA_END_DATE => date]), CKR_ATTRIBUTE_VALUE_INVALID, "{date}");
    }
}

const LONG_AGO: &[u8] = b"20000101";
const FAR_AHEAD: &[u8] = b"99990101";

fn enforcing() -> Token {
    Token::with(Config { dates: "enforce", ..Config::default() })
}

fn aes(session: &Session, dates: Template) -> CK_OBJECT_HANDLE {
    let uses = template![CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true, CKA_VERIFY => true];
    ok!(session.aes_key_of(&[7; 16], uses.and(dates)))
}

fn cmac() -> Mechanism {
    Mechanism::plain(CKM_AES_CMAC)
}

fn dates_restrict_nothing_by_themselves() {
    let token = Token::new();
    let session = token.user();
    let key = aes(&session, template![CKA_START_DATE => FAR_AHEAD, CKA_END_DATE => LONG_AGO]);
    assert_eq!(ok!(session.value(key, CKA_START_DATE)), FAR_AHEAD);
    assert_eq!(ok!(session.value(key, CKA_END_DATE)), LONG_AGO);
    let tag = ok!(session.sign(&cmac(), key, b"message"));
    ok!(session.verify(&cmac(), key, b"message", &tag));
    ok!(session.encrypt(&cbc(), key, &[0; 16]));
}

/// What it made is still opened and checked.
fn a_key_whose_days_are_over_makes_nothing_new() {
    let token = enforcing();
    let session = token.user();
    let (valid, over) = (aes(&session, template![]), aes(&session, template![CKA_END_DATE => LONG_AGO]));
    fails!(session.encrypt(&cbc(), over, &[0; 16]), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(session.sign(&cmac(), over, b"message"), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let sealed = ok!(session.encrypt(&cbc(), valid, &[5; 16]));
    assert_eq!(ok!(session.decrypt(&cbc(), over, &sealed)), [5; 16]);
    let tag = ok!(session.sign(&cmac(), valid, b"message"));
    ok!(session.verify(&cmac(), over, b"message", &tag));
    // To be without a date, or within its dates, is as before.
    let within = aes(&session, template![CKA_START_DATE => LONG_AGO, CKA_END_DATE => FAR_AHEAD]);
    ok!(session.encrypt(&cbc(), within, &[0; 16]));
    let empty = aes(&session, template![CKA_START_DATE => "", CKA_END_DATE => ""]);
    ok!(session.sign(&cmac(), empty, b"message"));
}

fn a_key_whose_days_have_not_begun_does_nothing() {
    let token = enforcing();
    let session = token.user();
    let (valid, early) = (aes(&session, template![]), aes(&session, template![CKA_START_DATE => FAR_AHEAD]));
    let sealed = ok!(session.encrypt(&cbc(), valid, &[5; 16]));
    let tag = ok!(session.sign(&cmac(), valid, b"message"));
    fails!(session.encrypt(&cbc(), early, &[0; 16]), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(session.decrypt(&cbc(), early, &sealed), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(session.sign(&cmac(), early, b"message"), CKR_KEY_FUNCTION_NOT_PERMITTED);
    fails!(session.verify(&cmac(), early, b"message", &tag), CKR_KEY_FUNCTION_NOT_PERMITTED);
    ok!(session.value(early, CKA_START_DATE));
    ok!(session.destroy(early));
}

fn a_changed_date_holds_from_the_next_use_on() {
    let token = enforcing();
    let session = token.user();
    for on_token in [false, true] {
        let key = aes(&session, template![CKA_TOKEN => on_token]);
        ok!(session.encrypt(&cbc(), key, &[0; 16]));
        ok!(session.set(key, &template![CKA_END_DATE => LONG_AGO]));
        fails!(session.encrypt(&cbc(), key, &[0; 16]), CKR_KEY_FUNCTION_NOT_PERMITTED);
        ok!(session.set(key, &template![CKA_END_DATE => ""]));
        ok!(session.encrypt(&cbc(), key, &[0; 16]));
    }
}

/// A key that is wrapped is not used: its own dates do not matter.
fn pairs_and_wrapping_keys_are_held_to_their_dates() {
    let token = enforcing();
    let session = token.user();
    let over = || template![CKA_END_DATE => LONG_AGO];
    let curve = template![CKA_EC_PARAMS => CURVES[1].params];
    let (public, private) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &curve, &over()));
    let ecdsa = Mechanism::plain(CKM_ECDSA);
    fails!(session.sign(&ecdsa, private, &[1; 32]), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let ecdh = Mechanism::ecdh_plain(&octets(&ok!(session.value(public, CKA_EC_POINT))));
    let secret = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_GENERIC_SECRET];
    fails!(session.derive(&ecdh, private, &secret), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let by = |dates: Template| {
        let uses = template![CKA_WRAP => true, CKA_UNWRAP => true];
        ok!(session.aes_key_of(&[9; 32], uses.and(dates)))
    };
    let (valid, late) = (by(template![]), by(over()));
    let target = ok!(session.aes_key(16, over().with(CKA_EXTRACTABLE, true)));
    let wrap = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    fails!(session.wrap(&wrap, late, target), CKR_KEY_FUNCTION_NOT_PERMITTED);
    let wrapped = ok!(session.wrap(&wrap, valid, target));
    let key = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES];
    ok!(session.unwrap(&wrap, late, &wrapped, &key));
}
