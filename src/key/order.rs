//! The gate's order of checks, line by line: something is wrong in every way, and one fault after the other is mended.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::Error;

const USER: Caller = Caller { login: Login::User, read_write: true, today: None };
const SO: Caller = Caller { login: Login::So, ..USER };
const PUBLIC: Caller = Caller { login: Login::Public, ..USER };

/// A key with which nothing can be done.
fn faulty(id: u8) -> Facts {
    Facts {
        id: [id; 16],
        class: Class::SecretKey,
        key_type: KeyType::GenericSecret,
        size: 64,
        private: true,
        token: true,
        verified: false,
        of_later_version: true,
        usage: 0,
        sensitive: true,
        maskable: false,
        extractable: false,
        always_sensitive: false,
        never_extractable: false,
        trusted: false,
        wrap_with_trusted: true,
        always_authenticate: true,
        allowed_mechanisms: Some(vec![8]),
        dates: Dates { start: Day::read(b"20270101"), end: Day::read(b"20261231") },
    }
}

type Mend = fn(&mut Facts);

/// Every check of `permit` for one key, in the order of its documentation.
#[test]
fn permit_checks_in_its_order() {
    let fit = || Fit { mechanism: 7, key_types: &[KeyType::Ec, KeyType::Aes], sizes: 16..=32 };
    let mends: [(Error, Mend); 9] = [
        (Error::UnwrappingKeyHandleInvalid, |key| key.private = false),
        (Error::UserNotLoggedIn, |key| key.token = false),
        (Error::LaterVersion, |key| key.of_later_version = false),
        (Error::UnwrappingKeyTypeInconsistent, |key| key.key_type = KeyType::Aes),
        (Error::KeyFunctionNotPermitted("CKA_UNWRAP"), |key| key.usage = Usage::Unwrap as u16),
        (Error::KeyOutOfDate("CKA_START_DATE"), |key| key.dates.start = None),
        (Error::MechanismInvalid(7), |key| key.allowed_mechanisms = None),
        (Error::UnwrappingKeySizeRange, |key| key.size = 32),
        (Error::UserNotLoggedIn, |key| key.always_authenticate = false),
    ];
    let mut key = faulty(1);
    let caller = Caller { today: Day::read(b"20261231"), ..PUBLIC };
    for (verdict, mend) in mends {
        let asked = Use { purpose: Purpose::Unwrap, fit: fit(), key: &key, other: None };
        assert_eq!(permit(&caller, &asked).unwrap_err(), verdict);
        mend(&mut key);
    }
    let asked = Use { purpose: Purpose::Unwrap, fit: fit(), key: &key, other: None };
    permit(&PUBLIC, &asked).unwrap();
    // The type is right and the class is not.
    let public = Facts { class: Class::PublicKey, key_type: KeyType::Ec, ..key };
    let asked = Use { purpose: Purpose::Unwrap, fit: fit(), key: &public, other: None };
    assert_eq!(permit(&PUBLIC, &asked).unwrap_err(), Error::UnwrappingKeyTypeInconsistent);
}

/// And those for the key that is to be wrapped, which come after those for the wrapping key.
#[test]
fn permit_checks_what_is_wrapped_in_its_order() {
    let good = Facts {
        key_type: KeyType::Aes,
        size: 32,
        private: false,
        token: false,
        of_later_version: false,
        usage: Usage::Wrap as u16,
        allowed_mechanisms: None,
        always_authenticate: false,
        ..faulty(1)
    };
    let (mut by, mut target, mut fits) = (Facts { size: 64, ..good }, faulty(2), false);
    target.class = Class::PublicKey;
    type MendPair = fn(&mut Facts, &mut Facts, &mut bool);
    let mends: [(Error, MendPair); 9] = [
        // Of either key, before anything about uses.
        (Error::LaterVersion, |_, target, _| target.of_later_version = false),
        (Error::WrappingKeySizeRange, |by, _, _| by.size = 32),
        (Error::KeyHandleInvalid, |_, target, _| target.private = false),
        (Error::KeyNotWrappable("it is neither a secret key nor a private key"), |_, target, _| {
            target.class = Class::SecretKey
        }),
        (Error::UserNotLoggedIn, |_, target, _| target.token = false),
        (Error::KeyUnextractable, |_, target, _| target.extractable = true),
        (Error::KeyHandleInvalid, |_, _, fits| *fits = true),
        (Error::KeyNotWrappable("no login stands behind the wrapping key"), |by, _, _| by.verified = true),
        (Error::KeyNotWrappable("CKA_WRAP_WITH_TRUSTED is true and the wrapping key is not trusted"), |by, _, _| {
            by.trusted = true
        }),
    ];
    for (verdict, mend) in mends {
        let fit = Fit { mechanism: 7, key_types: &[KeyType::Aes], sizes: 16..=32 };
        let other = Some(Other { key: &target, fits });
        assert_eq!(permit(&PUBLIC, &Use { purpose: Purpose::Wrap, fit, key: &by, other }).unwrap_err(), verdict);
        mend(&mut by, &mut target, &mut fits);
    }
    let fit = Fit { mechanism: 7, key_types: &[KeyType::Aes], sizes: 16..=32 };
    permit(&PUBLIC, &Use { purpose: Purpose::Wrap, fit, key: &by, other: Some(Other { key: &target, fits }) }).unwrap();
}

/// Every check of `admit`, for each act.
#[test]
fn admit_checks_in_its_order() {
    let faulty = Standing {
        class: Class::Data,
        token: true,
        private: true,
        modifiable: false,
        copyable: false,
        destroyable: false,
        trusted: true,
        of_later_version: true,
        sealed: true,
    };
    let own = [
        (Act::Create, Error::AttributeReadOnly("CKA_TRUSTED")),
        (Act::Change, Error::ActionProhibited("CKA_MODIFIABLE is false")),
        (Act::Destroy, Error::ActionProhibited("CKA_DESTROYABLE is false")),
    ];
    for (act, last) in own {
        let mut standing = faulty;
        let read_only = Caller { read_write: false, ..PUBLIC };
        assert_eq!(admit(&read_only, act, &standing), Err(Error::UserNotLoggedIn));
        assert_eq!(admit(&SO, act, &standing), Err(Error::UserNotLoggedIn), "nor is it the SO's");
        standing.private = false;
        if act != Act::Destroy {
            assert_eq!(admit(&read_only, act, &standing), Err(Error::LaterVersion));
        }
        standing.of_later_version = act == Act::Destroy;
        assert_eq!(admit(&read_only, act, &standing), Err(Error::SessionReadOnly));
        assert_eq!(admit(&PUBLIC, act, &standing), Err(Error::UserNotLoggedIn), "it is sealed");
        assert_eq!(admit(&USER, act, &standing), Err(last));
        let (modifiable, destroyable, trusted) = (true, true, false);
        assert_eq!(admit(&USER, act, &Standing { modifiable, destroyable, trusted, ..standing }), Ok(()));
        assert_eq!(
            admit(&read_only, act, &Standing { token: false, modifiable, destroyable, trusted, ..standing }),
            Ok(())
        );
        let unsealed = Standing { sealed: false, modifiable, destroyable, trusted, ..standing };
        assert_eq!(admit(&PUBLIC, act, &unsealed), Ok(()));
    }
    let mut standing = faulty;
    let read_only = Caller { read_write: false, ..PUBLIC };
    assert_eq!(admit(&read_only, Act::CopyFrom, &standing), Err(Error::UserNotLoggedIn));
    standing.private = false;
    assert_eq!(admit(&read_only, Act::CopyFrom, &standing), Err(Error::LaterVersion));
    standing.of_later_version = false;
    assert_eq!(admit(&read_only, Act::CopyFrom, &standing), Err(Error::ActionProhibited("CKA_COPYABLE is false")));
    standing.copyable = true;
    assert_eq!(admit(&read_only, Act::CopyFrom, &standing), Ok(()), "the original stays as it is");
}

/// Only the SO makes what is trusted.
#[test]
fn trust_is_the_sos() {
    let trusted = Standing {
        class: Class::Data,
        token: false,
        private: false,
        modifiable: true,
        copyable: true,
        destroyable: true,
        trusted: true,
        of_later_version: false,
        sealed: false,
    };
    assert_eq!(admit(&SO, Act::Create, &trusted), Ok(()));
    for caller in [USER, PUBLIC] {
        assert_eq!(admit(&caller, Act::Create, &trusted), Err(Error::AttributeReadOnly("CKA_TRUSTED")));
    }
}
