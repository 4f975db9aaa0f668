//! The questions that decide everything: may this key be used so, may this object be made or changed so, and may one come from
//! another token.

use super::class::Class;
use super::facts::{Caller, Facts, Login, Usage};
use super::grant::Grant;
use super::kind::KeyType;
use crate::error::{Error, Result};

/// Whether a key may be used, asked before every `C_*Init`, wrap and unwrap. The order of the checks is part of the answer:
/// visible, login, understood, class and type, usage, dates, allowed mechanisms, size, trust, PIN at every use. PKCS#11 3.2, section 5.1.6, ranks type before permission.
#[inline(always)]
pub fn permit(caller: &Caller, asked: &Use<'_>) -> Result<Grant> {
    let Use { purpose, fit, key, other } = asked;
    if !visible(caller, key.private) {
        return Err(purpose.no_such_key());
    }
    if key.is_sealed() && caller.login != Login::User {
        return Err(Error::UserNotLoggedIn);
    }
    if key.of_later_version || other.is_some_and(|other| other.key.of_later_version) {
        return Err(Error::LaterVersion);
    }
    if !fit.key_types.contains(&key.key_type) || key.class != purpose.class_of(key.key_type) {
        return Err(purpose.wrong_type());
    }
    if let Some(usage) = purpose.usage().filter(|usage| !key.may(*usage)) {
        return Err(Error::KeyFunctionNotPermitted(usage.name()));
    }
    if let Some(today) = caller.today {
        key.dates.allow(today, purpose.makes_something_new())?;
    }
    if key.allowed_mechanisms.as_ref().is_some_and(|allowed| !allowed.contains(&fit.mechanism)) {
        return Err(purpose.not_allowed(fit.mechanism));
    }
    if !fit.sizes.contains(&key.size) {
        return Err(purpose.wrong_size());
    }
    if let Some(other) = other {
        release(caller, *purpose, key, *other)?;
    }
    // A PIN is asked for between the Init and the use of a key; these have no such moment, so there is no leave either.
    if key.always_authenticate && matches!(purpose, Purpose::Unwrap | Purpose::Derive) {
        return Err(Error::UserNotLoggedIn);
    }
    Ok(Grant::new(*purpose, key.id, other.map(|other| other.key.id)))
}

/// Whether an object may be made, changed, copied or destroyed. `standing` describes a new object as it will be, any other as
/// it is.
pub fn admit(caller: &Caller, act: Act, standing: &Standing) -> Result<()> {
    if standing.class.is_built_in() {
        return Err(Error::ActionProhibited("it says what the token is"));
    }
    if standing.private && caller.login != Login::User {
        return Err(Error::UserNotLoggedIn);
    }
    if standing.of_later_version && act != Act::Destroy {
        return Err(Error::LaterVersion);
    }
    if act == Act::CopyFrom {
        // The object itself stays as it is, so a read-only session will do. A token key is the user's, and no copy makes it another's.
        if standing.token && standing.class.is_secret() && caller.login != Login::User {
            return Err(Error::UserNotLoggedIn);
        }
        return if standing.copyable { Ok(()) } else { Err(Error::ActionProhibited("CKA_COPYABLE is false")) };
    }
    if standing.token && !caller.read_write {
        return Err(Error::SessionReadOnly);
    }
    // Sealing a token key needs the master key, and so does the MAC of a verified public object. Whom to trust is said by somebody.
    let needs_login = standing.sealed || standing.class == Class::Trust;
    if standing.token && needs_login && caller.login == Login::Public {
        return Err(Error::UserNotLoggedIn);
    }
    match act {
        Act::Create if standing.trusted && caller.login != Login::So => Err(Error::AttributeReadOnly("CKA_TRUSTED")),
        // PKCS#11 3.2, section 4.6.2: "Trusted certificates cannot be modified." Who gave the trust may take it back.
        Act::Change if standing.class == Class::Certificate && standing.trusted && caller.login != Login::So => {
            Err(Error::ActionProhibited("it is a trusted certificate"))
        }
        Act::Change if !standing.modifiable => Err(Error::ActionProhibited("CKA_MODIFIABLE is false")),
        Act::Destroy if !standing.destroyable => Err(Error::ActionProhibited("CKA_DESTROYABLE is false")),
        _ => Ok(()),
    }
}

/// Whether a caller may take in what another token of a domain had: objects with their history, and the end of objects.
pub fn adopt(caller: &Caller) -> Result<()> {
    match (caller.login, caller.read_write) {
        (Login::User, true) => Ok(()),
        (Login::User, false) => Err(Error::SessionReadOnly),
        _ => Err(Error::UserNotLoggedIn),
    }
}

/// Whether a caller sees an object at all. PKCS#11 3.2, section 4.4: private objects only after the user's login.
pub fn visible(caller: &Caller, private: bool) -> bool {
    !private || caller.login == Login::User
}

/// What a key is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `C_EncryptInit`
    Encrypt,
    /// `C_DecryptInit`
    Decrypt,
    /// `C_SignInit`
    Sign,
    /// `C_VerifyInit`
    Verify,
    /// `C_SignRecoverInit`
    SignRecover,
    /// `C_VerifyRecoverInit`
    VerifyRecover,
    /// `C_WrapKey`, as the wrapping key
    Wrap,
    /// `C_UnwrapKey`, as the unwrapping key
    Unwrap,
    /// `C_WrapKey` of a masked object, as the domain key
    Mask,
    /// `C_UnwrapKey` of a masked object, as the domain key
    Unmask,
    /// Letting another token into a domain, as the domain key
    Share,
    /// Taking the key of a domain from an answer, as the key of the request
    Join,
    /// `C_DeriveKey`, as the base key
    Derive,
    /// `C_DigestKey`
    Digest,
}

/// One question to [`permit`].
pub struct Use<'a> {
    /// What for.
    pub purpose: Purpose,
    /// Which keys the mechanism takes.
    pub fit: Fit<'a>,
    /// The key that does the work.
    pub key: &'a Facts,
    /// The second key of the question, where there is one: the key to be wrapped.
    pub other: Option<Other<'a>>,
}

/// The key to be wrapped.
#[derive(Clone, Copy)]
pub struct Other<'a> {
    /// What is known of it.
    pub key: &'a Facts,
    /// Whether it has what the wrapping key's `CKA_WRAP_TEMPLATE` asks for.
    pub fits: bool,
}

/// Which keys a mechanism takes.
#[derive(Debug, Clone)]
pub struct Fit<'a> {
    /// The mechanism's number, for `CKA_ALLOWED_MECHANISMS`.
    pub mechanism: u64,
    /// The types.
    pub key_types: &'a [KeyType],
    /// The sizes, in the unit of [`Facts::size`].
    pub sizes: std::ops::RangeInclusive<usize>,
}

/// What is about to happen to an object, for [`admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is created, generated, unwrapped, or made as a copy.
    Create,
    /// Attributes of it change.
    Change,
    /// It is copied.
    CopyFrom,
    /// It is destroyed.
    Destroy,
}

/// What [`admit`] needs to know of an object.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// `CKA_CLASS`
    pub class: Class,
    /// `CKA_TOKEN`
    pub token: bool,
    /// `CKA_PRIVATE`
    pub private: bool,
    /// `CKA_MODIFIABLE`
    pub modifiable: bool,
    /// `CKA_COPYABLE`
    pub copyable: bool,
    /// `CKA_DESTROYABLE`
    pub destroyable: bool,
    /// `CKA_TRUSTED`
    pub trusted: bool,
    /// Whether a later version wrote something about it that one has to understand.
    pub of_later_version: bool,
    /// Whether keeping or removing it needs the token's keys: it has key material, or its MAC was made under a login.
    pub sealed: bool,
}

/// Whether `key` may carry `target` out. PKCS#11 3.2, section 5.18.3.
fn release(caller: &Caller, purpose: Purpose, key: &Facts, Other { key: target, fits }: Other<'_>) -> Result<()> {
    if !visible(caller, target.private) {
        return Err(Error::KeyHandleInvalid);
    }
    if target.is_sealed() && caller.login != Login::User {
        return Err(Error::UserNotLoggedIn);
    }
    if target.key_type.is_inside() {
        return Err(Error::KeyNotWrappable("it is what a domain itself rests on"));
    }
    // A masked object stays what it is; a wrapped key becomes what its template says.
    let masks = purpose == Purpose::Mask;
    if !masks && !target.class.is_wrapped() {
        return Err(Error::KeyNotWrappable("it is neither a secret key nor a private key"));
    }
    let may_leave = if masks { target.maskable } else { target.extractable };
    if !may_leave {
        return Err(Error::KeyUnextractable);
    }
    if !fits {
        return Err(Error::KeyHandleInvalid);
    }
    if !key.verified {
        return Err(Error::KeyNotWrappable("no login stands behind the wrapping key"));
    }
    // Who is in the domain was said by an SO.
    if !masks && target.wrap_with_trusted && !key.trusted {
        return Err(Error::KeyNotWrappable("CKA_WRAP_WITH_TRUSTED is true and the wrapping key is not trusted"));
    }
    Ok(())
}

impl Purpose {
    /// The class of the key that does it.
    fn class_of(self, key_type: KeyType) -> Class {
        if !key_type.comes_in_pairs() {
            return Class::SecretKey;
        }
        match self {
            Self::Encrypt | Self::Verify | Self::VerifyRecover | Self::Wrap | Self::Mask | Self::Share => {
                Class::PublicKey
            }
            Self::Decrypt
            | Self::Sign
            | Self::SignRecover
            | Self::Unwrap
            | Self::Unmask
            | Self::Join
            | Self::Derive
            | Self::Digest => Class::PrivateKey,
        }
    }

    /// The attribute that allows it; none for digesting, which PKCS#11 3.2, section 5.12.4, allows with any secret key.
    fn usage(self) -> Option<Usage> {
        match self {
            Self::Encrypt => Some(Usage::Encrypt),
            Self::Decrypt => Some(Usage::Decrypt),
            Self::Sign => Some(Usage::Sign),
            Self::Verify => Some(Usage::Verify),
            Self::SignRecover => Some(Usage::SignRecover),
            Self::VerifyRecover => Some(Usage::VerifyRecover),
            Self::Wrap | Self::Mask | Self::Share => Some(Usage::Wrap),
            Self::Unwrap | Self::Unmask | Self::Join => Some(Usage::Unwrap),
            Self::Derive => Some(Usage::Derive),
            Self::Digest => None,
        }
    }

    /// Whether it makes what others are to rely on, and does not merely open or check what was made.
    fn makes_something_new(self) -> bool {
        match self {
            Self::Encrypt
            | Self::Sign
            | Self::SignRecover
            | Self::Wrap
            | Self::Mask
            | Self::Share
            | Self::Derive
            | Self::Digest => true,
            Self::Decrypt | Self::Verify | Self::VerifyRecover | Self::Unwrap | Self::Unmask | Self::Join => false,
        }
    }

    /// The code for a mechanism that `CKA_ALLOWED_MECHANISMS` leaves out. `C_DigestKey` names no mechanism.
    fn not_allowed(self, mechanism: u64) -> Error {
        if self == Self::Digest { Error::KeyIndigestible } else { Error::MechanismInvalid(mechanism) }
    }

    /// The code for a key that is not there. PKCS#11 3.2, sections 5.18.3 and 5.18.4, name their own.
    pub fn no_such_key(self) -> Error {
        match self {
            Self::Wrap | Self::Mask => Error::WrappingKeyHandleInvalid,
            Self::Unwrap | Self::Unmask => Error::UnwrappingKeyHandleInvalid,
            _ => Error::KeyHandleInvalid,
        }
    }

    /// The code for a key of a class or type that the mechanism does not take.
    pub fn wrong_type(self) -> Error {
        match self {
            Self::Wrap | Self::Mask => Error::WrappingKeyTypeInconsistent,
            Self::Unwrap | Self::Unmask => Error::UnwrappingKeyTypeInconsistent,
            Self::Digest => Error::KeyIndigestible,
            _ => Error::KeyTypeInconsistent,
        }
    }

    fn wrong_size(self) -> Error {
        match self {
            Self::Wrap | Self::Mask => Error::WrappingKeySizeRange,
            Self::Unwrap | Self::Unmask => Error::UnwrappingKeySizeRange,
            _ => Error::KeySizeRange,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::key::{Dates, Day, KeyMaterial};
    use crate::secret::Secret;

    const USER: Caller = Caller { login: Login::User, read_write: true, today: None };
    const PUBLIC: Caller = Caller { login: Login::Public, ..USER };

    fn key(id: u8) -> Facts {
        Facts {
            id: [id; 16],
            class: Class::SecretKey,
            key_type: KeyType::Aes,
            size: 32,
            private: false,
            token: false,
            verified: true,
            of_later_version: false,
            usage: u16::MAX,
            sensitive: true,
            extractable: true,
            maskable: false,
            always_sensitive: false,
            never_extractable: false,
            trusted: false,
            wrap_with_trusted: false,
            always_authenticate: false,
            allowed_mechanisms: None,
            dates: Dates::default(),
        }
    }

    fn ask(caller: &Caller, purpose: Purpose, key: &Facts, other: Option<&Facts>) -> Result<Grant> {
        let other = other.map(|key| Other { key, fits: true });
        let fit = Fit { mechanism: 7, key_types: &[KeyType::Aes], sizes: 16..=32 };
        permit(caller, &Use { purpose, fit, key, other })
    }

    #[test]
    fn verdicts_come_in_the_documented_order() {
        let mut facts = key(1);
        facts.size = 64;
        facts.allowed_mechanisms = Some(vec![8]);
        facts.usage = 0;
        facts.key_type = KeyType::GenericSecret;
        facts.token = true;
        facts.private = true;
        let mut verdicts = vec![ask(&PUBLIC, Purpose::Encrypt, &facts, None).unwrap_err()];
        facts.private = false;
        verdicts.push(ask(&PUBLIC, Purpose::Encrypt, &facts, None).unwrap_err());
        verdicts.push(ask(&USER, Purpose::Encrypt, &facts, None).unwrap_err());
        facts.key_type = KeyType::Aes;
        verdicts.push(ask(&USER, Purpose::Encrypt, &facts, None).unwrap_err());
        facts.usage = u16::MAX;
        verdicts.push(ask(&USER, Purpose::Encrypt, &facts, None).unwrap_err());
        facts.allowed_mechanisms = Some(vec![7]);
        verdicts.push(ask(&USER, Purpose::Encrypt, &facts, None).unwrap_err());
        let expected = [
            Error::KeyHandleInvalid,
            Error::UserNotLoggedIn,
            Error::KeyTypeInconsistent,
            Error::KeyFunctionNotPermitted("CKA_ENCRYPT"),
            Error::MechanismInvalid(7),
            Error::KeySizeRange,
        ];
        assert_eq!(verdicts, expected);
        facts.size = 16;
        assert!(ask(&USER, Purpose::Encrypt, &facts, None).is_ok());
    }

    #[test]
    fn a_digest_asks_for_no_usage_but_for_everything_else() {
        let mut facts = key(1);
        facts.usage = 0;
        facts.extractable = false;
        assert!(ask(&USER, Purpose::Digest, &facts, None).is_ok());
        facts.allowed_mechanisms = Some(vec![8]);
        assert_eq!(ask(&USER, Purpose::Digest, &facts, None).unwrap_err(), Error::KeyIndigestible);
        facts.key_type = KeyType::GenericSecret;
        facts.allowed_mechanisms = None;
        assert_eq!(ask(&USER, Purpose::Digest, &facts, None).unwrap_err(), Error::KeyIndigestible);
        facts.token = true;
        assert_eq!(ask(&PUBLIC, Purpose::Digest, &facts, None).unwrap_err(), Error::UserNotLoggedIn);
        facts.private = true;
        assert_eq!(ask(&PUBLIC, Purpose::Digest, &facts, None).unwrap_err(), Error::KeyHandleInvalid);
    }

    #[test]
    fn an_unextractable_key_never_leaves() {
        let mut target = key(2);
        target.extractable = false;
        assert_eq!(ask(&USER, Purpose::Wrap, &key(1), Some(&target)).unwrap_err(), Error::KeyUnextractable);
    }

    #[test]
    fn a_key_that_wants_trust_leaves_only_under_a_trusted_one() {
        let (mut wrapping, mut target) = (key(1), key(2));
        target.wrap_with_trusted = true;
        assert!(matches!(ask(&USER, Purpose::Wrap, &wrapping, Some(&target)), Err(Error::KeyNotWrappable(_))));
        wrapping.trusted = true;
        assert!(ask(&USER, Purpose::Wrap, &wrapping, Some(&target)).is_ok());
    }

    #[test]
    fn each_half_of_a_pair_has_its_own_uses() {
        let fit = || Fit { mechanism: 7, key_types: KeyType::PAIRS, sizes: 0..=9999 };
        let ask = |purpose, key: &Facts| permit(&USER, &Use { purpose, fit: fit(), key, other: None });
        let private = Facts { class: Class::PrivateKey, key_type: KeyType::Rsa, ..key(1) };
        let public = Facts { class: Class::PublicKey, ..private.clone() };
        for purpose in [Purpose::Decrypt, Purpose::Sign, Purpose::SignRecover, Purpose::Unwrap, Purpose::Derive] {
            assert!(ask(purpose, &private).is_ok() && ask(purpose, &public).is_err());
        }
        for purpose in [Purpose::Encrypt, Purpose::Verify, Purpose::VerifyRecover, Purpose::Wrap] {
            assert!(ask(purpose, &public).is_ok() && ask(purpose, &private).is_err());
        }
    }

    #[test]
    fn a_key_that_asks_for_a_pin_at_every_use_has_no_other_uses() {
        let fit = || Fit { mechanism: 7, key_types: KeyType::PAIRS, sizes: 0..=9999 };
        let ask = |purpose, key: &Facts| permit(&USER, &Use { purpose, fit: fit(), key, other: None });
        let key = Facts { class: Class::PrivateKey, key_type: KeyType::Rsa, always_authenticate: true, ..key(1) };
        assert!(ask(Purpose::Sign, &key).is_ok() && ask(Purpose::Decrypt, &key).is_ok());
        for purpose in [Purpose::Unwrap, Purpose::Derive] {
            assert_eq!(ask(purpose, &key).unwrap_err(), Error::UserNotLoggedIn);
        }
    }

    #[test]
    fn a_key_whose_days_are_over_only_opens_and_checks() {
        let dates = Dates { start: None, end: Day::read(b"20200101") };
        let fit = || Fit { mechanism: 7, key_types: &[KeyType::Aes], sizes: 16..=32 };
        let ask = |today, purpose| {
            let caller = Caller { today, ..USER };
            permit(&caller, &Use { purpose, fit: fit(), key: &Facts { dates, ..key(1) }, other: None })
        };
        let new =
            [Purpose::Encrypt, Purpose::Sign, Purpose::SignRecover, Purpose::Wrap, Purpose::Derive, Purpose::Digest];
        for purpose in new {
            let verdict = ask(Day::read(b"20200102"), purpose);
            assert_eq!(verdict.unwrap_err(), Error::KeyOutOfDate("CKA_END_DATE"), "{purpose:?}");
            assert!(ask(None, purpose).is_ok(), "nobody asks for dates");
        }
        for purpose in [Purpose::Decrypt, Purpose::Verify, Purpose::VerifyRecover, Purpose::Unwrap] {
            assert!(ask(Day::read(b"20200102"), purpose).is_ok(), "{purpose:?}");
        }
    }

    #[test]
    fn nothing_leaves_under_a_key_that_anybody_can_have_written() {
        let wrapping = Facts { verified: false, ..key(1) };
        assert!(matches!(ask(&USER, Purpose::Wrap, &wrapping, Some(&key(2))), Err(Error::KeyNotWrappable(_))));
        assert!(ask(&USER, Purpose::Encrypt, &wrapping, None).is_ok());
    }

    #[test]
    fn a_grant_opens_only_the_doors_it_names() {
        let (one, two) = (KeyMaterial::new([1; 16], Secret::zeroed(16)), KeyMaterial::new([2; 16], Secret::zeroed(16)));
        let wrap = ask(&USER, Purpose::Wrap, &key(1), Some(&key(2))).unwrap();
        assert!(one.for_use(&wrap).is_ok() && two.for_wrapping(&wrap).is_ok());
        assert!(two.for_use(&wrap).is_err() && one.for_wrapping(&wrap).is_err());
        let encrypt = ask(&USER, Purpose::Encrypt, &key(1), None).unwrap();
        assert!(one.for_wrapping(&encrypt).is_err());
        assert!(one.for_reading(&key(1)).is_err());
    }

    #[test]
    fn what_says_what_the_token_is_is_nobodys_to_make_or_change() {
        let standing = |class| Standing {
            class,
            token: false,
            private: false,
            modifiable: true,
            copyable: true,
            destroyable: true,
            trusted: false,
            of_later_version: false,
            sealed: false,
        };
        for act in [Act::Create, Act::Change, Act::CopyFrom, Act::Destroy] {
            for class in Class::ALL {
                let verdict = admit(&USER, act, &standing(*class));
                assert_eq!(verdict.is_ok(), !class.is_built_in(), "{act:?} {class:?}");
            }
        }
    }

    #[test]
    fn a_key_of_one_time_passwords_does_nothing_and_goes_nowhere() {
        for key_type in KeyType::OTP {
            let otp = Facts { class: Class::OtpKey, key_type: *key_type, ..key(1) };
            let fit = || Fit { mechanism: 7, key_types: KeyType::OTP, sizes: 0..=9999 };
            for purpose in [Purpose::Sign, Purpose::Verify, Purpose::Wrap, Purpose::Derive, Purpose::Digest] {
                assert!(permit(&USER, &Use { purpose, fit: fit(), key: &otp, other: None }).is_err());
            }
            let wrapped = ask(&USER, Purpose::Wrap, &key(2), Some(&otp));
            assert!(matches!(wrapped, Err(Error::KeyNotWrappable(_))));
        }
    }
}
