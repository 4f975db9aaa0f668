//! The codes that the standard allows a step, where the module should be.

use cryptoki_sys::*;

use super::super::both::PAIRS;
use super::super::operation::Purpose;
use super::act::BLOCK;
use super::model::{Model, State, User};
use super::step::{Room, Step, Who};

impl Model {
    /// The codes that are right for a step.
    pub fn expected(&self, step: &Step) -> Vec<CK_RV> {
        if !self.is_initialised() {
            return vec![if *step == Step::Initialize { CKR_OK } else { CKR_CRYPTOKI_NOT_INITIALIZED }];
        }
        if step.who() == Some(Who::Closed) {
            // It outranks what else is wrong. PKCS#11 3.2, section 5.1.7.
            return vec![CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED];
        }
        match *step {
            Step::Initialize => vec![CKR_CRYPTOKI_ALREADY_INITIALIZED],
            Step::Finalize | Step::CloseAll | Step::Close(_) | Step::Info(_) => vec![CKR_OK],
            Step::Cancel(..) | Step::CancelByNull(..) => vec![CKR_OK],
            Step::Open { write } if !write && self.login == Some(User::So) => vec![CKR_SESSION_READ_WRITE_SO_EXISTS],
            Step::Open { .. } => vec![CKR_OK],
            Step::Login { so, right, .. } => self.login_codes(so, right),
            Step::Logout(_) => vec![if self.login.is_some() { CKR_OK } else { CKR_USER_NOT_LOGGED_IN }],
            Step::Create { private: true, .. } if !self.is_user() => vec![CKR_USER_NOT_LOGGED_IN],
            Step::Create { .. } => vec![CKR_OK],
            Step::Size(_, place) | Step::Destroy(_, place) => {
                vec![if self.is_alive(place) { CKR_OK } else { CKR_OBJECT_HANDLE_INVALID }]
            }
            Step::Both(who, place, _) => self.both_codes(who, place),
            Step::Init(who, purpose) => self.init_codes(who, purpose),
            Step::Whole(who, purpose, ..) | Step::Update(who, purpose, _) => self.goes_on(step, who, purpose),
            Step::Final(who, purpose, _) | Step::Bad(who, purpose) => self.goes_on(step, who, purpose),
        }
    }

    fn login_codes(&self, so: bool, right: bool) -> Vec<CK_RV> {
        let read_only = self.open.iter().any(|session| !session.write);
        match (self.login, so) {
            (Some(User::So), true) | (Some(User::User), false) => vec![CKR_USER_ALREADY_LOGGED_IN],
            (Some(User::User), true) if read_only => {
                vec![CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_SESSION_READ_ONLY_EXISTS]
            }
            (Some(_), _) => vec![CKR_USER_ANOTHER_ALREADY_LOGGED_IN],
            (None, true) if read_only && right => vec![CKR_SESSION_READ_ONLY_EXISTS],
            (None, true) if read_only => vec![CKR_SESSION_READ_ONLY_EXISTS, CKR_PIN_INCORRECT],
            _ => vec![if right { CKR_OK } else { CKR_PIN_INCORRECT }],
        }
    }

    fn init_codes(&self, who: Who, purpose: Purpose) -> Vec<CK_RV> {
        let needs_key = !matches!(purpose, Purpose::Digest | Purpose::Find);
        let first = match self.state(who, purpose) {
            Some(State::Active { .. }) => return vec![CKR_OPERATION_ACTIVE],
            _ if needs_key && !self.is_user() => vec![CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN],
            _ => vec![CKR_OK],
        };
        // A module need not run operations of several kinds in one session.
        let others = self.session(who).is_some_and(|session| !session.operations.is_empty());
        first.into_iter().chain(others.then_some(CKR_OPERATION_ACTIVE)).collect()
    }

    fn goes_on(&self, step: &Step, who: Who, purpose: Purpose) -> Vec<CK_RV> {
        let right = match (*step, purpose) {
            (Step::Bad(..), _) => vec![CKR_ARGUMENTS_BAD],
            (Step::Update(..), _) | (_, Purpose::Find) => vec![CKR_OK],
            (Step::Whole(_, _, room, blocks), Purpose::Verify) => self.verify_codes(room, blocks * BLOCK),
            (Step::Final(_, _, room), Purpose::Verify) => self.verify_codes(room, self.fed(who, purpose)),
            // Nothing is left for Final of a cipher without padding, and nothing fits everywhere.
            (Step::Final(..), Purpose::Encrypt | Purpose::Decrypt)
            | (Step::Whole(_, Purpose::Encrypt | Purpose::Decrypt, _, 0), _)
            // Nothing recovered fits everywhere too.
            | (Step::Whole(_, Purpose::VerifyRecover, _, 0), _) => vec![CKR_OK],
            (Step::Whole(_, _, Room::Short, _) | Step::Final(_, _, Room::Short), _) => vec![CKR_BUFFER_TOO_SMALL],
            _ => vec![CKR_OK],
        };
        match self.state(who, purpose) {
            // Neither of the two outranks the other.
            None if matches!(step, Step::Bad(..)) => vec![CKR_OPERATION_NOT_INITIALIZED, CKR_ARGUMENTS_BAD],
            None => vec![CKR_OPERATION_NOT_INITIALIZED],
            Some(State::Active { .. }) => right,
            Some(State::Unknown) => {
                let fails = [CKR_OPERATION_NOT_INITIALIZED, CKR_USER_NOT_LOGGED_IN, CKR_KEY_HANDLE_INVALID];
                let verifies = [CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE];
                right.into_iter().chain(fails).chain(verifies).collect()
            }
        }
    }

    fn both_codes(&self, who: Who, place: usize) -> Vec<CK_RV> {
        let states = PAIRS.get(place).map(|both| [self.state(who, both.cipher), self.state(who, both.second)]);
        match states {
            Some([Some(State::Active { .. }), Some(State::Active { .. })]) => vec![CKR_OK],
            Some([Some(_), Some(_)]) => {
                vec![CKR_OK, CKR_OPERATION_NOT_INITIALIZED, CKR_USER_NOT_LOGGED_IN, CKR_KEY_HANDLE_INVALID]
            }
            _ => vec![CKR_OPERATION_NOT_INITIALIZED],
        }
    }

    fn verify_codes(&self, room: Room, bytes: usize) -> Vec<CK_RV> {
        match room {
            Room::Enough if self.result(Purpose::Sign, bytes).is_some() => vec![CKR_OK],
            Room::Short => vec![CKR_SIGNATURE_LEN_RANGE],
            _ => vec![CKR_SIGNATURE_INVALID],
        }
    }
}
