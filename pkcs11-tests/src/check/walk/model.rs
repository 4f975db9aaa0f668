//! The model: what the standard says of sessions, the login, operations and objects, and nothing of cryptography. Results
//! are compared with earlier ones for the same input.

use std::collections::HashMap;

use cryptoki_sys::*;

use super::super::both::PAIRS;
use super::super::operation::Purpose;
use super::super::world::state_name;
use super::act::{BLOCK, Seen};
use super::step::{Room, Step, Who};

/// Where the module should be.
pub struct Model {
    initialised: bool,
    pub(super) can: Can,
    pub(super) login: Option<User>,
    pub(super) open: Vec<Open>,
    /// Handles that were closed.
    closed: Vec<CK_SESSION_HANDLE>,
    objects: Vec<Object>,
    results: HashMap<(Purpose, usize), Vec<u8>>,
}

/// What a module need not have.
#[derive(Clone, Copy)]
pub struct Can {
    /// `C_SessionCancel`, and an Init with NULL that cancels: 3.0.
    pub cancel: bool,
    /// Two operations at once.
    pub both: bool,
    /// Signatures with recovery by `CKM_RSA_PKCS`.
    pub recover: bool,
}

/// An open session.
pub(super) struct Open {
    handle: CK_SESSION_HANDLE,
    pub(super) write: bool,
    pub(super) operations: HashMap<Purpose, State>,
}

/// An operation that is not over.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum State {
    /// So many bytes went in, by Updates or not.
    Active { fed: usize, in_parts: bool },
    /// After a logout it may go on or not. PKCS#11 3.2, section 5.6.10.
    Unknown,
}

struct Object {
    handle: CK_OBJECT_HANDLE,
    owner: CK_SESSION_HANDLE,
    private: bool,
    alive: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum User {
    So,
    User,
}

/// Objects beyond these are forgotten.
const OBJECTS: usize = 8;

impl Model {
    /// A module that is initialised.
    pub fn new(can: Can) -> Self {
        let (open, closed, objects, results) = Default::default();
        Self { initialised: true, can, login: None, open, closed, objects, results }
    }

    /// Whether the library is initialised.
    pub fn is_initialised(&self) -> bool {
        self.initialised
    }

    /// Whether the user is logged in.
    pub fn is_user(&self) -> bool {
        self.login == Some(User::User)
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.open.len()
    }

    /// Whether an operation goes on in parts, or may.
    pub fn is_in_parts(&self, who: Who, purpose: Purpose) -> bool {
        match self.state(who, purpose) {
            None => false,
            Some(State::Unknown) => true,
            Some(State::Active { in_parts, .. }) => in_parts,
        }
    }

    /// The handle of a session.
    pub fn handle(&self, who: Who) -> CK_SESSION_HANDLE {
        match who {
            Who::Open(place) => self.open.get(place).map_or(0, |session| session.handle),
            Who::Closed => self.closed.last().copied().unwrap_or_default(),
        }
    }

    /// Whether an object that was made is still there.
    pub fn is_alive(&self, place: usize) -> bool {
        self.objects.get(place).is_some_and(|object| object.alive)
    }

    /// The handle of an object that is or was.
    pub fn object(&self, place: usize) -> CK_OBJECT_HANDLE {
        self.objects.get(place).map_or(0, |object| object.handle)
    }

    /// How much an operation has been fed.
    pub fn fed(&self, who: Who, purpose: Purpose) -> usize {
        match self.state(who, purpose) {
            Some(State::Active { fed, .. }) => fed,
            _ => 0,
        }
    }

    /// The result for so many bytes, if it is known.
    pub fn result(&self, purpose: Purpose, bytes: usize) -> Option<&Vec<u8>> {
        self.results.get(&(purpose, bytes))
    }

    /// Follows a step that had a right code. What is not as it should be besides comes back as a sentence.
    pub fn follow(&mut self, step: &Step, seen: &Seen) -> Result<(), String> {
        if let Step::Both(who, place, blocks) = *step {
            self.follow_both(who, place, blocks, seen.code);
            return Ok(());
        }
        if let (Some(who), Some(purpose)) = (step.who(), step.purpose()) {
            return self.follow_operation(step, who, purpose, seen);
        }
        if seen.code != CKR_OK {
            return Ok(());
        }
        match *step {
            Step::Initialize => self.initialised = true,
            Step::Finalize => {
                self.close_all();
                self.initialised = false;
                // The next life of the library may use their numbers again.
                self.closed.clear();
                self.objects.clear();
            }
            Step::CloseAll => self.close_all(),
            Step::Close(who) => self.close(who),
            Step::Open { write } => {
                self.closed.retain(|handle| *handle != seen.handle);
                self.open.push(Open { handle: seen.handle, write, operations: HashMap::new() });
            }
            Step::Login { so, .. } => self.login = Some(if so { User::So } else { User::User }),
            Step::Logout(_) => self.logout(),
            Step::Info(who) => return self.check_state(who, seen.state),
            Step::Create { who, private } => {
                self.objects.retain(|object| object.handle != seen.handle);
                if self.objects.len() == OBJECTS {
                    self.objects.remove(0);
                }
                let (handle, owner) = (seen.handle, self.handle(who));
                self.objects.push(Object { handle, owner, private, alive: true });
            }
            Step::Destroy(_, place) => {
                self.objects.get_mut(place).into_iter().for_each(|object| object.alive = false);
            }
            _ => (),
        }
        Ok(())
    }

    fn follow_operation(&mut self, step: &Step, who: Who, purpose: Purpose, seen: &Seen) -> Result<(), String> {
        let Some(before) = self.session(who).map(|_| self.state(who, purpose)) else { return Ok(()) };
        let fed = self.fed(who, purpose);
        let mut outcome = Ok(());
        let after = match (*step, seen.code) {
            (_, CKR_OPERATION_NOT_INITIALIZED) => None,
            (Step::Init(..), CKR_OK) => Some(State::Active { fed: 0, in_parts: false }),
            (Step::Init(..), _) => before,
            (Step::Cancel(..) | Step::CancelByNull(..) | Step::Bad(..), _) => None,
            (Step::Update(_, _, blocks), CKR_OK) => match before {
                Some(State::Active { .. }) => Some(State::Active { fed: fed + blocks * BLOCK, in_parts: true }),
                other => other,
            },
            // A search goes on until its Final.
            (Step::Whole(..), CKR_OK) if purpose == Purpose::Find => before,
            (Step::Whole(_, _, room, _) | Step::Final(_, _, room), code) => {
                let is_query = room == Room::Query && !matches!(purpose, Purpose::Verify | Purpose::Find);
                match (is_query && code == CKR_OK) || code == CKR_BUFFER_TOO_SMALL {
                    true => before,
                    false => {
                        // What went into an operation before a logout is not known any more.
                        if before != Some(State::Unknown) {
                            outcome = self.compare(step, purpose, fed, seen);
                        }
                        None
                    }
                }
            }
            _ => None,
        };
        if let Some(session) = self.session_mut(who) {
            match after {
                Some(state) => drop(session.operations.insert(purpose, state)),
                None => drop(session.operations.remove(&purpose)),
            }
        }
        outcome
    }

    /// Both were fed, or it is not known any more which of them goes on.
    fn follow_both(&mut self, who: Who, place: usize, blocks: usize, code: CK_RV) {
        let Some(both) = PAIRS.get(place) else { return };
        let Some(session) = self.session_mut(who) else { return };
        for purpose in [both.cipher, both.second] {
            if let Some(state) = session.operations.get_mut(&purpose) {
                *state = match *state {
                    State::Active { fed, .. } if code == CKR_OK => {
                        State::Active { fed: fed + blocks * BLOCK, in_parts: true }
                    }
                    _ => State::Unknown,
                };
            }
        }
    }

    /// The same input gives the same result, in parts or not.
    fn compare(&mut self, step: &Step, purpose: Purpose, fed: usize, seen: &Seen) -> Result<(), String> {
        if seen.code != CKR_OK
            || !matches!(purpose, Purpose::Sign | Purpose::Digest | Purpose::SignRecover | Purpose::VerifyRecover)
        {
            return Ok(());
        }
        let bytes = if let Step::Whole(_, _, _, blocks) = step { blocks * BLOCK } else { fed };
        match self.results.entry((purpose, bytes)) {
            std::collections::hash_map::Entry::Vacant(place) => drop(place.insert(seen.bytes.clone())),
            std::collections::hash_map::Entry::Occupied(known) if *known.get() != seen.bytes => {
                return Err(format!("another result than before for {bytes} bytes"));
            }
            std::collections::hash_map::Entry::Occupied(_) => (),
        }
        Ok(())
    }

    fn check_state(&self, who: Who, seen: CK_STATE) -> Result<(), String> {
        let write = self.session(who).is_some_and(|session| session.write);
        let right = match (self.login, write) {
            (None, false) => CKS_RO_PUBLIC_SESSION,
            (None, true) => CKS_RW_PUBLIC_SESSION,
            (Some(User::User), false) => CKS_RO_USER_FUNCTIONS,
            (Some(User::User), true) => CKS_RW_USER_FUNCTIONS,
            (Some(User::So), _) => CKS_RW_SO_FUNCTIONS,
        };
        if seen == right { Ok(()) } else { Err(format!("{}, not {}", state_name(Some(seen)), state_name(Some(right)))) }
    }

    fn logout(&mut self) {
        self.login = None;
        for object in self.objects.iter_mut().filter(|object| object.private) {
            object.alive = false;
        }
        for state in self.open.iter_mut().flat_map(|session| session.operations.values_mut()) {
            *state = State::Unknown;
        }
    }

    fn close(&mut self, who: Who) {
        let Who::Open(place) = who else { return };
        if place < self.open.len() {
            let session = self.open.remove(place);
            self.objects
                .iter_mut()
                .filter(|object| object.owner == session.handle)
                .for_each(|object| object.alive = false);
            self.closed.push(session.handle);
        }
        if self.open.is_empty() {
            self.logout();
        }
    }

    fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close(Who::Open(0));
        }
    }

    pub(super) fn session(&self, who: Who) -> Option<&Open> {
        if let Who::Open(place) = who { self.open.get(place) } else { None }
    }

    fn session_mut(&mut self, who: Who) -> Option<&mut Open> {
        if let Who::Open(place) = who { self.open.get_mut(place) } else { None }
    }

    pub(super) fn state(&self, who: Who, purpose: Purpose) -> Option<State> {
        self.session(who)?.operations.get(&purpose).copied()
    }
}
