//! Masked objects between two tokens of one domain, as programs move them.

use super::*;
use crate::key::CKK_KEYSTEAD_DOMAIN;
use crate::mechanism::CKM_KEYSTEAD_MASK;
use crate::object::attribute::{self, CKA_KEYSTEAD_MASKABLE};
use crate::transfer::{DomainName, Lifetime};

/// A token that is in the domain, and its user's session.
pub(super) struct Member {
    pub(super) fixture: Fixture,
    pub(super) session: Handle,
}

/// Two tokens that share a domain.
pub(super) fn two() -> [Member; 2] {
    let name = DomainName::parse("production").unwrap();
    let [first, second] = [(); 2].map(|()| {
        let fixture = Fixture::new();
        let session = fixture.open();
        fixture.sessions.login(session, Login::User, PIN).unwrap();
        (fixture, session)
    });
    let [consent, other_consent] =
        [&first, &second].map(|(of, session)| of.sessions.approve(*session, SO_PIN).unwrap());
    let made = first.0.sessions.create_domain(first.1, &consent, &name).unwrap();
    let request = second.0.sessions.request_domain(second.1, Lifetime::DEFAULT).unwrap();
    let answer = first.0.sessions.grant_domain(first.1, &consent, made.id, &request).unwrap();
    let invitation = second.0.sessions.open_answer(second.1, &answer).unwrap();
    second.0.sessions.join_domain(second.1, &other_consent, invitation, &name).unwrap();
    [first, second].map(|(fixture, session)| Member { fixture, session })
}

impl Member {
    /// The key of the domain.
    pub(super) fn domain(&self) -> Handle {
        let key_type = CKK_KEYSTEAD_DOMAIN.to_ne_bytes();
        self.fixture.find(self.session, &[Given::new(CKA_KEY_TYPE, &key_type)]).unwrap()[0]
    }

    fn login(&self) {
        self.fixture.sessions.login(self.session, Login::User, PIN).unwrap();
    }

    fn logout(&self) {
        self.fixture.sessions.logout(self.session).unwrap();
    }

    /// An AES key on the token that must not leave but masked.
    pub(super) fn key(&self, more: &[(u64, &[u8])]) -> Handle {
        let place: [(u64, &[u8]); 3] = [(CKA_TOKEN, &[1]), (CKA_KEYSTEAD_MASKABLE, &[1]), (CKA_LABEL, b"key")];
        self.fixture.generate(self.session, &[&place, more].concat()).unwrap()
    }

    fn create(&self, given: &[(u64, &[u8])]) -> Handle {
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        self.fixture.sessions.create(self.session, &given).unwrap()
    }

    fn mask(&self, object: Handle) -> Result<Vec<u8>> {
        self.wrap(CKM_KEYSTEAD_MASK, self.domain(), object)
    }

    pub(super) fn wrap(&self, number: u64, by: Handle, object: Handle) -> Result<Vec<u8>> {
        let mut room = vec![0; 8192];
        let output = &mut Output::Buffer(InOut::from_slices(&[], &mut room));
        let wrapped =
            self.fixture.sessions.wrap(self.session, mechanism(number)?, &Parameter::None, [by, object], output, 0)?;
        let Length::Written(length) = wrapped.length else { panic!("{:?}", wrapped.length) };
        room.truncate(length);
        Ok(room)
    }

    fn unmask(&self, masked: &[u8], given: &[(u64, &[u8])]) -> Result<Handle> {
        let given: Vec<_> = given.iter().map(|(number, value)| Given::new(*number, value)).collect();
        let mask = mechanism(CKM_KEYSTEAD_MASK)?;
        self.fixture.sessions.unwrap(self.session, mask, &Parameter::None, self.domain(), masked, &given)
    }

    pub(super) fn set(&self, object: Handle, number: u64, value: &[u8]) -> Result<()> {
        self.fixture.sessions.change(self.session, object, &[Given::new(number, value)])
    }

    /// What the object shows, by attribute.
    fn shows(&self, object: Handle) -> Vec<(u64, Vec<u8>)> {
        let view = self.fixture.sessions.view(self.session, object).unwrap();
        let named = (0..0x900).chain([0x4000_0600, 0x4000_0211, CKA_KEYSTEAD_MASKABLE]);
        let known = named.filter(|number| attribute::name(*number).is_some());
        known.filter_map(|number| view.attribute(number).ok().map(|value| (number, value.to_vec()))).collect()
    }

    fn flag(&self, object: Handle, number: u64) -> bool {
        self.shows(object).contains(&(number, vec![1]))
    }

    fn encrypted(&self, key: Handle) -> Vec<u8> {
        let (ecb, mut into) = (mechanism(CKM_AES_ECB).unwrap(), [0; 16]);
        let sessions = &self.fixture.sessions;
        sessions.crypt_init(self.session, Direction::Encrypt, ecb, &Parameter::None, key).unwrap();
        let output = &mut Output::Buffer(InOut::from_slices(&[1; 16], &mut into));
        sessions.crypt_whole(self.session, Direction::Encrypt, output).unwrap();
        into.to_vec()
    }
}

fn refusal(outcome: Result<Handle>) -> String {
    match outcome {
        Err(Error::MaskedInvalid(why)) => why.into(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_goes_whole_with_its_history() {
    let [here, there] = two();
    let key = here.key(&[(CKA_ID, b"id")]);
    here.set(key, CKA_LABEL, b"renamed").unwrap();
    let arrived = there.unmask(&here.mask(key).unwrap(), &[]).unwrap();
    let shown = here.shows(key);
    assert_eq!(there.shows(arrived), shown);
    let history = [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SENSITIVE, CKA_PRIVATE, CKA_TOKEN];
    assert!(history.iter().all(|number| shown.contains(&(*number, vec![1]))));
    assert_eq!(there.encrypted(arrived), here.encrypted(key));
    // And back: it is the same there, and again here.
    assert_eq!(here.unmask(&there.mask(arrived).unwrap(), &[]), Ok(key));
    assert_eq!(there.unmask(&here.mask(key).unwrap(), &[]), Ok(arrived));
    let opened = here.fixture.token.opened(&here.fixture.token.caller(true), key).unwrap();
    assert_eq!(opened.object().version, 2);
}

#[test]
fn objects_of_all_classes_go() {
    let [here, there] = two();
    let ed25519 = b"\x06\x03\x2b\x65\x70".as_slice();
    let (token, maskable) = ((CKA_TOKEN, [1].as_slice()), (CKA_KEYSTEAD_MASKABLE, [1].as_slice()));
    let given = |pairs: &[(u64, &'static [u8])]| -> Vec<Given<'static>> {
        pairs.iter().map(|(number, value)| Given::new(*number, value)).collect()
    };
    let pairs = [
        (CKM_EC_EDWARDS_KEY_PAIR_GEN, (CKA_EC_PARAMS, ed25519)),
        (CKM_EC_KEY_PAIR_GEN, (CKA_EC_PARAMS, b"\x13\x05P-256".as_slice())),
    ];
    let halves = pairs.map(|(number, params)| {
        let public = [given(&[(CKA_TOKEN, &[1])]), vec![Given::new(params.0, params.1)]].concat();
        let private = given(&[(CKA_TOKEN, &[1]), (CKA_KEYSTEAD_MASKABLE, &[1])]);
        here.fixture.sessions.generate_pair(here.session, mechanism(number).unwrap(), [&public, &private]).unwrap()
    });
    let number = |value: u64| value.to_ne_bytes();
    let (data, secret, otp, generic, hotp) =
        (number(CKO_DATA), number(CKO_SECRET_KEY), number(CKO_OTP_KEY), number(CKK_GENERIC_SECRET), number(CKK_HOTP));
    let certificate = (number(CKO_CERTIFICATE), number(CKC_X_509));
    let made = [
        here.create(&[(CKA_CLASS, &data), token, (CKA_VALUE, b"some data"), (CKA_PRIVATE, &[1])]),
        here.create(&[(CKA_CLASS, &data), token, (CKA_VALUE, &[7; 4000])]),
        here.create(&[
            (CKA_CLASS, &certificate.0),
            (CKA_CERTIFICATE_TYPE, &certificate.1),
            token,
            (CKA_VALUE, b"no DER"),
            (CKA_SUBJECT, b"subject"),
        ]),
        here.create(&[(CKA_CLASS, &secret), (CKA_KEY_TYPE, &generic), token, maskable, (CKA_VALUE, b"a secret")]),
        here.create(&[
            (CKA_CLASS, &otp),
            (CKA_KEY_TYPE, &hotp),
            token,
            (CKA_EXTRACTABLE, &[1]),
            (CKA_VALUE, b"0123456789"),
            (CKA_OTP_LENGTH, &number(6)),
            (CKA_OTP_COUNTER, &[0; 8]),
        ]),
    ];
    for object in halves.into_iter().flatten().chain(made) {
        let arrived = there.unmask(&here.mask(object).unwrap(), &[]).unwrap();
        assert_eq!(there.shows(arrived), here.shows(object));
        assert_eq!(here.unmask(&there.mask(arrived).unwrap(), &[]), Ok(object));
    }
}

#[test]
fn only_what_may_travel_does() {
    let [here, _] = two();
    let stays = here.key(&[(CKA_KEYSTEAD_MASKABLE, &[1])]);
    here.set(stays, CKA_KEYSTEAD_MASKABLE, &[0]).unwrap();
    assert_eq!(here.mask(stays), Err(Error::KeyUnextractable));
    let unasked = here.fixture.generate(here.session, &[(CKA_TOKEN, &[1])]).unwrap();
    assert_eq!(here.mask(unasked), Err(Error::KeyUnextractable));
    let in_session = here.fixture.generate(here.session, &[(CKA_EXTRACTABLE, &[1])]).unwrap();
    assert!(matches!(here.mask(in_session), Err(Error::KeyNotWrappable(_))));
    assert!(matches!(here.mask(here.domain()), Err(Error::KeyNotWrappable(_))));
    assert_eq!(here.mask(Handle::NONE), Err(Error::KeyHandleInvalid));
    // What anybody can have written into the file must not look as if a login of this domain had.
    here.logout();
    let class = CKO_DATA.to_ne_bytes();
    let anybodys = here.create(&[(CKA_CLASS, &class), (CKA_TOKEN, &[1])]);
    here.login();
    assert!(matches!(here.mask(anybodys), Err(Error::KeyNotWrappable(_))));
}

#[test]
fn rooms_are_told_what_suffices() {
    let [here, there] = two();
    let (key, domain, mask) = (here.key(&[]), here.domain(), mechanism(CKM_KEYSTEAD_MASK).unwrap());
    let length = here.mask(key).unwrap().len();
    let into = |output: &mut Output<'_>| {
        here.fixture.sessions.wrap(here.session, mask, &Parameter::None, [domain, key], output, 0).unwrap().length
    };
    assert_eq!(into(&mut Output::Query(0)), Length::Needed(length));
    let mut room = vec![0; length];
    let short = room.get_mut(1..).unwrap();
    assert_eq!(into(&mut Output::Buffer(InOut::from_slices(&[], short))), Length::TooSmall(length));
    assert_eq!(into(&mut Output::Buffer(InOut::from_slices(&[], &mut room))), Length::Written(length));
    assert!(there.unmask(&room, &[]).is_ok());
}

#[test]
fn masking_needs_the_user_and_unmasking_a_read_write_session_too() {
    let [here, there] = two();
    let key = here.key(&[(CKA_PRIVATE, &[0])]);
    let masked = here.mask(key).unwrap();
    let (sessions, mask) = (&there.fixture.sessions, mechanism(CKM_KEYSTEAD_MASK).unwrap());
    let read_only = sessions.open(0, Arc::clone(&there.fixture.token), false).unwrap();
    let outcome = sessions.unwrap(read_only, mask, &Parameter::None, there.domain(), &masked, &[]);
    assert_eq!(outcome, Err(Error::SessionReadOnly));
    let domain = there.domain();
    there.logout();
    let outcome = sessions.unwrap(there.session, mask, &Parameter::None, domain, &masked, &[]);
    assert_eq!(outcome, Err(Error::UnwrappingKeyHandleInvalid));
    let domain = here.domain();
    here.logout();
    let output = &mut Output::Query(0);
    let outcome = here.fixture.sessions.wrap(here.session, mask, &Parameter::None, [domain, key], output, 0);
    assert_eq!(outcome.err(), Some(Error::WrappingKeyHandleInvalid));
}

/// The attributes are those that were masked: a template can name them, and cannot set them.
#[test]
fn a_template_changes_nothing() {
    let [here, there] = two();
    let masked = here.mask(here.key(&[])).unwrap();
    let class = CKO_SECRET_KEY.to_ne_bytes();
    let inconsistent: [(u64, &[u8]); 5] =
        [(CKA_EXTRACTABLE, &[1]), (CKA_SENSITIVE, &[0]), (CKA_TOKEN, &[0]), (CKA_LABEL, b"other"), (CKA_MODULUS, &[1])];
    for one in inconsistent {
        let name = attribute::name(one.0).unwrap();
        assert_eq!(there.unmask(&masked, &[one]), Err(Error::TemplateInconsistent(name)));
    }
    assert_eq!(there.unmask(&masked, &[(CKA_VALUE, &[0; 32])]), Err(Error::AttributeReadOnly("CKA_VALUE")));
    assert_eq!(there.unmask(&masked, &[(0x1234_5678, &[])]), Err(Error::AttributeTypeInvalid(0x1234_5678)));
    assert_eq!(there.unmask(&masked, &[(CKA_TOKEN, &[2])]), Err(Error::AttributeValueInvalid("CKA_TOKEN")));
    assert!(there.fixture.find(there.session, &[Given::new(CKA_LABEL, b"key")]).unwrap().is_empty());
    assert!(there.unmask(&masked, &[(CKA_CLASS, &class), (CKA_LABEL, b"key"), (CKA_EXTRACTABLE, &[0])]).is_ok());
}

/// No later setting frees a key, and no earlier state of it that somebody has kept.
#[test]
fn what_was_lowered_here_is_not_raised_by_what_was_masked_before() {
    for lowered in [CKA_KEYSTEAD_MASKABLE, CKA_EXTRACTABLE, CKA_COPYABLE] {
        let [here, there] = two();
        let key = here.key(&[(CKA_EXTRACTABLE, &[1])]);
        let before = here.mask(key).unwrap();
        there.unmask(&before, &[]).unwrap();
        here.set(key, lowered, &[0]).unwrap();
        assert!(refusal(here.unmask(&before, &[])).contains("a later state of it is here"));
        assert!(!here.flag(key, lowered));
        // Nor by what was changed elsewhere since, more often than here.
        let elsewhere = there.unmask(&before, &[]).unwrap();
        for label in [b"1", b"2", b"3"] {
            there.set(elsewhere, CKA_LABEL, label).unwrap();
        }
        assert_eq!(here.unmask(&there.mask(elsewhere).unwrap(), &[]), Ok(key));
        assert!(!here.flag(key, lowered));
        assert!(here.shows(key).contains(&(CKA_LABEL, b"3".to_vec())));
        let masked = here.mask(key);
        if lowered == CKA_KEYSTEAD_MASKABLE {
            assert_eq!(masked, Err(Error::KeyUnextractable));
        } else {
            // What binds more goes on to where it was not yet known.
            assert_eq!(there.unmask(&masked.unwrap(), &[]), Ok(elsewhere));
            assert_eq!(there.shows(elsewhere), here.shows(key));
        }
    }
}

#[test]
fn what_was_destroyed_stays_destroyed() {
    let [here, _] = two();
    let key = here.key(&[]);
    let masked = here.mask(key).unwrap();
    here.fixture.sessions.destroy(here.session, key).unwrap();
    assert!(refusal(here.unmask(&masked, &[])).contains("it was destroyed here"));
}

#[test]
fn what_is_no_masked_object_of_the_domain_is_refused_in_a_sentence() {
    let ([here, there], [foreign, _]) = (two(), two());
    let key = here.key(&[]);
    let masked = here.mask(key).unwrap();
    assert!(refusal(foreign.unmask(&masked, &[])).contains("it is masked for the domain"));
    assert!(refusal(there.unmask(b"", &[])).contains("it is no masked object"));
    for place in 0..masked.len() {
        let mut changed = masked.clone();
        changed[place] ^= 1;
        assert!(matches!(there.unmask(&changed, &[]), Err(Error::MaskedInvalid(_))), "byte {place}");
        assert!(matches!(there.unmask(&masked[..place], &[]), Err(Error::MaskedInvalid(_))), "{place} bytes");
    }
    assert!(there.unmask(&masked, &[]).is_ok());
}
