//! The keys of domains and of requests: what nobody can do with them, and nobody can make.

use super::masked::two;
use super::*;
use crate::key::{CKK_KEYSTEAD_DOMAIN, CKK_KEYSTEAD_DOMAIN_REQUEST};
use crate::mechanism::CKM_KEYSTEAD_MASK;
use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;

/// The key of a domain masks and unmasks. It is no key for anything else, and nothing shows it or carries it out.
#[test]
fn a_domain_key_does_nothing_else() {
    let [here, _] = two();
    let (domain, sessions, session) = (here.domain(), &here.fixture.sessions, here.session);
    let target = here.key(&[(CKA_EXTRACTABLE, &[1])]);
    let wrapping = here.fixture.generate(session, &[(CKA_WRAP, &[1]), (CKA_UNWRAP, &[1])]).unwrap();
    for row in Mechanisms::new(&Settings::default()).all().iter().filter(|row| row.does.wrap.is_some()) {
        let parameter = Parameter::None;
        let wrap = |keys| sessions.wrap(session, row, &parameter, keys, &mut Output::Query(0), 0).err().unwrap();
        assert_eq!(wrap([domain, target]), Error::WrappingKeyTypeInconsistent, "{}", row.name);
        let unwrapped = sessions.unwrap(session, row, &parameter, domain, &[0; 32], &[]);
        assert_eq!(unwrapped, Err(Error::UnwrappingKeyTypeInconsistent), "{}", row.name);
    }
    assert!(matches!(here.wrap(CKM_AES_KEY_WRAP_KWP, wrapping, domain), Err(Error::KeyNotWrappable(_))));
    assert_eq!(here.wrap(CKM_KEYSTEAD_MASK, wrapping, target), Err(Error::WrappingKeyTypeInconsistent));
    let mask = mechanism(CKM_KEYSTEAD_MASK).unwrap();
    let unwrapped = sessions.unwrap(session, mask, &Parameter::None, wrapping, &[0; 32], &[]);
    assert_eq!(unwrapped, Err(Error::UnwrappingKeyTypeInconsistent));
    for row in Mechanisms::new(&Settings::default()).all() {
        let begun = [
            sessions.crypt_init(session, Direction::Encrypt, row, &Parameter::None, domain),
            sessions.crypt_init(session, Direction::Decrypt, row, &Parameter::None, domain),
            sessions.sign_init(session, SignPurpose::Sign, row, &Parameter::None, domain),
            sessions.sign_init(session, SignPurpose::Verify, row, &Parameter::None, domain),
            sessions.derive(session, row, &Parameter::None, domain, &[]).map(drop),
        ];
        assert!(begun.iter().all(Result::is_err), "{}", row.name);
    }
    sessions.digest_init(session, mechanism(CKM_SHA256).unwrap()).unwrap();
    assert_eq!(sessions.digest_key(session, domain), Err(Error::KeyIndigestible));
    assert!(matches!(sessions.copy(session, domain, &[]), Err(Error::ActionProhibited(_))));
    for (number, value) in [(CKA_LABEL, b"x".as_slice()), (CKA_EXTRACTABLE, &[1]), (CKA_KEYSTEAD_MASKABLE, &[1])] {
        assert!(here.set(domain, number, value).is_err());
    }
    let view = sessions.view(session, domain).unwrap();
    assert_eq!(view.attribute(CKA_VALUE).err(), Some(Error::AttributeSensitive("CKA_VALUE")));
}

/// No template makes what only the library makes: who knew a domain key could open what is masked.
#[test]
fn no_template_makes_a_key_of_the_domain() {
    let [here, _] = two();
    let (class, public) = (CKO_SECRET_KEY.to_ne_bytes(), CKO_PUBLIC_KEY.to_ne_bytes());
    let (session, sessions) = (here.session, &here.fixture.sessions);
    let kek = here.fixture.generate(session, &[(CKA_WRAP, &[1]), (CKA_UNWRAP, &[1])]).unwrap();
    let base = here.fixture.generate(session, &[(CKA_EXTRACTABLE, &[1]), (CKA_DERIVE, &[1])]).unwrap();
    let wrapped = here.wrap(CKM_AES_KEY_WRAP_KWP, kek, base).unwrap();
    for key_type in [CKK_KEYSTEAD_DOMAIN, CKK_KEYSTEAD_DOMAIN_REQUEST].map(u64::to_ne_bytes) {
        let named = [Given::new(CKA_CLASS, &class), Given::new(CKA_KEY_TYPE, &key_type)];
        let with = |more: &[Given<'static>]| [&named, more].concat();
        let created = sessions.create(session, &with(&[Given::new(CKA_VALUE, &[1; 32])]));
        assert_eq!(created, Err(Error::AttributeValueInvalid("CKA_KEY_TYPE")));
        let more: [(u64, &[u8]); 1] = [(CKA_KEY_TYPE, &key_type)];
        assert_eq!(here.fixture.generate(session, &more), Err(Error::TemplateInconsistent("CKA_KEY_TYPE")));
        let kwp = mechanism(CKM_AES_KEY_WRAP_KWP).unwrap();
        let unwrapped = sessions.unwrap(session, kwp, &Parameter::None, kek, &wrapped, &named);
        assert_eq!(unwrapped, Err(Error::AttributeValueInvalid("CKA_KEY_TYPE")));
        for row in Mechanisms::new(&Settings::default()).all().iter().filter(|row| row.does.derive.is_some()) {
            assert!(sessions.derive(session, row, &Parameter::None, base, &named).is_err());
        }
        let copied = sessions.copy(session, base, &[Given::new(CKA_KEY_TYPE, &key_type)]);
        assert_eq!(copied, Err(Error::AttributeReadOnly("CKA_KEY_TYPE")));
        let public = sessions.create(session, &[Given::new(CKA_CLASS, &public), named[1].clone()]);
        assert_eq!(public, Err(Error::AttributeValueInvalid("CKA_KEY_TYPE")));
    }
}
