//! What a check works with: the module, a token that is made for it, a session that keeps the user logged in, and keys.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::ptr;

use cryptoki_sys::*;

use super::code;
use super::key::{Key, Kind};
use super::module::{Module, call};
use super::template::Template;
use super::trial::{ok, skip};
use super::verdict::{Deviation, Outcome, Stop};

/// What a child process is told.
pub struct Settings {
    /// The module.
    pub module: PathBuf,
    /// A token that somebody else made, and leave to use it; else one is made.
    pub given: Option<Given>,
    /// Steps of a walk.
    pub steps: u64,
    /// Seed of a walk.
    pub seed: u64,
}

/// A token that somebody else made.
pub struct Given {
    /// Its slot.
    pub slot: CK_SLOT_ID,
    /// The user's PIN.
    pub pin: String,
}

/// A module with all that checks need.
pub struct World {
    /// The module.
    pub module: Module,
    /// What this process was told.
    pub settings: Settings,
    made: Cell<bool>,
    slot: Cell<CK_SLOT_ID>,
    holder: Cell<CK_SESSION_HANDLE>,
    keys: RefCell<HashMap<Kind, Key>>,
}

/// A session, closed with the value.
pub struct Session<'a> {
    /// The world that it belongs to.
    pub world: &'a World,
    /// What the module calls it.
    pub handle: CK_SESSION_HANDLE,
}

/// The PINs and the label of the token that is made here.
pub const SO_PIN: &[u8] = b"so-pin-8642";
/// The user's PIN.
pub const USER_PIN: &[u8] = b"user-pin-1357";
const LABEL: &[u8; 32] = b"pkcs11-tests                    ";

impl World {
    /// The world round a module that is loaded and not initialised.
    pub fn new(module: Module, settings: Settings) -> Self {
        let (slot, holder) = (Cell::new(0), Cell::new(0));
        Self { module, settings, made: Cell::new(false), slot, holder, keys: RefCell::default() }
    }

    /// Makes sure that the module is initialised and the user logged in, whatever the check before has left.
    pub fn prepare(&self) -> Outcome {
        if self.state_of(self.holder.get()) == Some(CKS_RW_USER_FUNCTIONS) {
            return Ok(());
        }
        self.keys.borrow_mut().clear();
        call!(self.module, C_Finalize(ptr::null_mut()));
        self.initialize()?;
        if self.settings.given.is_none() && !self.made.get() {
            self.make_token()?;
            self.made.set(true);
            // Some modules move a new token to another slot now.
            ok("C_Finalize", call!(self.module, C_Finalize(ptr::null_mut())))?;
            self.initialize()?;
        }
        self.find_token()?;
        self.holder.set(self.open(CKF_RW_SESSION)?);
        ok("C_Login", self.login(self.holder.get(), CKU_USER, &self.user_pin()))
    }

    /// `C_Initialize`, for many threads.
    pub fn initialize(&self) -> Outcome {
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        ok("C_Initialize", call!(self.module, C_Initialize((&raw mut arguments).cast())))
    }

    /// The slot of the token.
    pub fn slot(&self) -> CK_SLOT_ID {
        self.slot.get()
    }

    /// The session that owns the keys and keeps the login.
    pub fn holder(&self) -> CK_SESSION_HANDLE {
        self.holder.get()
    }

    /// The token was made here, so that everything may be done to it.
    pub fn owns_token(&self) -> Outcome {
        match self.settings.given {
            None => Ok(()),
            Some(_) => skip("needs a token that was made for it"),
        }
    }

    /// The user's PIN.
    pub fn user_pin(&self) -> Vec<u8> {
        self.settings.given.as_ref().map_or(USER_PIN.to_vec(), |given| given.pin.as_bytes().to_vec())
    }

    /// A read-write session beside the holder.
    pub fn session(&self) -> Outcome<Session<'_>> {
        Ok(Session { world: self, handle: self.open(CKF_RW_SESSION)? })
    }

    /// `C_OpenSession`.
    pub fn open(&self, flags: CK_FLAGS) -> Outcome<CK_SESSION_HANDLE> {
        let mut session = 0;
        let flags = flags | CKF_SERIAL_SESSION;
        let code = call!(self.module, C_OpenSession(self.slot.get(), flags, ptr::null_mut(), None, &mut session));
        ok("C_OpenSession", code)?;
        Ok(session)
    }

    /// `C_Login`.
    pub fn login(&self, session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: &[u8]) -> CK_RV {
        call!(self.module, C_Login(session, user, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG))
    }

    /// The state of a session, if there is one.
    pub fn state_of(&self, session: CK_SESSION_HANDLE) -> Option<CK_STATE> {
        let mut info = CK_SESSION_INFO::default();
        (call!(self.module, C_GetSessionInfo(session, &mut info)) == CKR_OK).then_some(info.state)
    }

    /// The mechanisms of the token.
    pub fn mechanisms(&self) -> Outcome<Vec<CK_MECHANISM_TYPE>> {
        let mut count = 0;
        ok("C_GetMechanismList", call!(self.module, C_GetMechanismList(self.slot(), ptr::null_mut(), &mut count)))?;
        let mut list = vec![0; usize::try_from(count).unwrap_or_default()];
        ok("C_GetMechanismList", call!(self.module, C_GetMechanismList(self.slot(), list.as_mut_ptr(), &mut count)))?;
        Ok(list)
    }

    /// Goes on if the token lists a mechanism for this, `CKF_ENCRYPT` for instance.
    pub fn lists(&self, mechanism: CK_MECHANISM_TYPE, purpose: CK_FLAGS) -> Outcome {
        if !self.mechanisms()?.contains(&mechanism) {
            return skip("the token does not list the mechanism");
        }
        let mut info = CK_MECHANISM_INFO::default();
        ok("C_GetMechanismInfo", call!(self.module, C_GetMechanismInfo(self.slot(), mechanism, &mut info)))?;
        if info.flags & purpose == purpose { Ok(()) } else { skip("the token does not list the mechanism for this") }
    }

    /// A key of this kind, made once.
    pub fn key(&self, kind: Kind) -> Outcome<Key> {
        if let Some(key) = self.keys.borrow().get(&kind) {
            return Ok(*key);
        }
        let key = kind.generate(self)?;
        self.keys.borrow_mut().insert(kind, key);
        Ok(key)
    }

    /// `C_CreateObject` of a session object.
    pub fn create(&self, session: CK_SESSION_HANDLE, mut template: Template) -> Outcome<CK_OBJECT_HANDLE> {
        let (mut rows, mut object) = (template.rows(), 0);
        let (pointer, count) = (rows.as_mut_ptr(), rows.len() as CK_ULONG);
        ok("C_CreateObject", call!(self.module, C_CreateObject(session, pointer, count, &mut object)))?;
        Ok(object)
    }

    fn find_token(&self) -> Outcome {
        let slot = match &self.settings.given {
            Some(given) => Some(given.slot),
            None => self.slots()?.into_iter().find(|slot| is_ours(&self.token_info(*slot))),
        };
        self.slot.set(slot.ok_or_else(|| broken("C_GetSlotList", "the new token in a slot", "no such slot"))?);
        Ok(())
    }

    fn slots(&self) -> Outcome<Vec<CK_SLOT_ID>> {
        let mut count = 0;
        ok("C_GetSlotList", call!(self.module, C_GetSlotList(CK_TRUE, ptr::null_mut(), &mut count)))?;
        let mut slots = vec![0; usize::try_from(count).unwrap_or_default()];
        ok("C_GetSlotList", call!(self.module, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count)))?;
        slots.truncate(usize::try_from(count).unwrap_or_default());
        Ok(slots)
    }

    fn token_info(&self, slot: CK_SLOT_ID) -> CK_TOKEN_INFO {
        let mut info = CK_TOKEN_INFO::default();
        call!(self.module, C_GetTokenInfo(slot, &mut info));
        info
    }

    /// Makes a token in a module that keeps its tokens where the environment says, which is a scratch folder; in no other.
    fn make_token(&self) -> Outcome {
        let mut info = CK_INFO::default();
        ok("C_GetInfo", call!(self.module, C_GetInfo(&mut info)))?;
        let maker = String::from_utf8_lossy(&info.manufacturerID).into_owned();
        if !["Keystead", "SoftHSM"].iter().any(|known| maker.starts_with(known)) {
            return skip("no way is known to make a token for this module: name one by --slot and --pin");
        }
        let slots = self.slots()?;
        let is_initialised = |slot: &CK_SLOT_ID| self.token_info(*slot).flags & CKF_TOKEN_INITIALIZED != 0;
        if slots.iter().any(is_initialised) {
            return skip("the module does not keep its tokens in the scratch folder");
        }
        let slot = *slots.first().ok_or_else(|| broken("C_GetSlotList", "a slot with a blank token", "no slot"))?;
        let (so, length) = (SO_PIN.as_ptr().cast_mut(), SO_PIN.len() as CK_ULONG);
        ok("C_InitToken", call!(self.module, C_InitToken(slot, so, length, LABEL.as_ptr().cast_mut())))?;
        self.find_token()?;
        let session = self.open(CKF_RW_SESSION)?;
        ok("C_Login", self.login(session, CKU_SO, SO_PIN))?;
        let (pin, length) = (USER_PIN.as_ptr().cast_mut(), USER_PIN.len() as CK_ULONG);
        ok("C_InitPIN", call!(self.module, C_InitPIN(session, pin, length)))?;
        ok("C_CloseSession", call!(self.module, C_CloseSession(session)))
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        call!(self.world.module, C_CloseSession(self.handle));
    }
}

/// Something that the check stands on is not there.
pub fn broken(at: &str, expected: &str, seen: &str) -> Stop {
    Stop::Broken(Deviation { at: at.to_owned(), expected: expected.to_owned(), seen: seen.to_owned() })
}

fn is_ours(info: &CK_TOKEN_INFO) -> bool {
    info.flags & CKF_TOKEN_INITIALIZED != 0 && info.label == *LABEL
}

/// The name of a state, for people.
pub fn state_name(state: Option<CK_STATE>) -> String {
    let names = [
        (CKS_RO_PUBLIC_SESSION, "R/O public"),
        (CKS_RO_USER_FUNCTIONS, "R/O user"),
        (CKS_RW_PUBLIC_SESSION, "R/W public"),
        (CKS_RW_USER_FUNCTIONS, "R/W user"),
        (CKS_RW_SO_FUNCTIONS, "R/W SO"),
    ];
    let Some(state) = state else { return code::name(CKR_SESSION_HANDLE_INVALID) };
    names.iter().find(|(number, _)| *number == state).map_or(format!("state {state}"), |(_, name)| (*name).to_owned())
}
