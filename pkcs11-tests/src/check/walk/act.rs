//! The module's side of a step.

use std::ptr;

use cryptoki_sys::*;

use super::super::arrangement::data;
use super::super::both::PAIRS;
use super::super::guard::Guarded;
use super::super::key::{Key, generate, generate_pair, secret_template};
use super::super::mechanism::Known;
use super::super::module::call;
use super::super::operation::{Purpose, Raw};
use super::super::template::Template;
use super::super::trial::ok;
use super::super::verdict::Outcome;
use super::super::world::{SO_PIN, Session, World};
use super::model::{Can, Model};
use super::step::{Room, Step, Who};

/// The bytes of a block: every input is so many of them, of the same byte.
pub const BLOCK: usize = 16;
/// Enough for every result.
const ROOM: usize = 512;

/// What came of a step.
#[derive(Default)]
pub struct Seen {
    /// The code.
    pub code: CK_RV,
    /// The new session or object.
    pub handle: CK_ULONG,
    /// The state of the session.
    pub state: CK_STATE,
    /// The result.
    pub bytes: Vec<u8>,
}

/// The module, and the token keys as they are called now.
pub struct Act<'a> {
    world: &'a World,
    can: Can,
    aes: CK_OBJECT_HANDLE,
    generic: CK_OBJECT_HANDLE,
    rsa: Key,
    /// A block that decrypts to [`PLAIN`].
    sealed: [u8; BLOCK],
    /// What gives back so many blocks.
    recoverable: Vec<Vec<u8>>,
    was_user: bool,
}

/// A block of an input.
const PLAIN: [u8; BLOCK] = [0x5a; BLOCK];

const AES_LABEL: &[u8] = b"pkcs11-tests walk aes";
const GENERIC_LABEL: &[u8] = b"pkcs11-tests walk generic";
const PUBLIC_LABEL: &[u8] = b"pkcs11-tests walk public";
const PRIVATE_LABEL: &[u8] = b"pkcs11-tests walk private";

impl<'a> Act<'a> {
    /// Makes the keys, private token objects, unless a walk before has.
    pub fn new(world: &'a World) -> Outcome<Self> {
        let can = Can {
            cancel: world.module.is_3(),
            both: world.does_two_at_once().is_ok(),
            recover: world.lists(CKM_RSA_PKCS, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER).is_ok(),
        };
        let (sealed, recoverable, rsa) = Default::default();
        let mut own = Self { world, can, aes: 0, generic: 0, rsa, sealed, recoverable, was_user: false };
        own.find_keys()?;
        let rows = [
            (own.aes, AES_LABEL, CKM_AES_KEY_GEN, secret_template(CKK_AES, 16)),
            (own.generic, GENERIC_LABEL, CKM_GENERIC_SECRET_KEY_GEN, secret_template(CKK_GENERIC_SECRET, 64)),
        ];
        for (key, label, mechanism, template) in rows {
            if key == 0 {
                let usage = match mechanism {
                    CKM_AES_KEY_GEN => [CKA_ENCRYPT, CKA_DECRYPT],
                    _ => [CKA_SIGN, CKA_VERIFY],
                };
                let template = template.flags(&[CKA_TOKEN, CKA_PRIVATE]).flags(&usage).bytes(CKA_LABEL, label);
                ok("C_GenerateKey", generate(world, world.holder(), mechanism, template).0)?;
            }
        }
        if can.recover && own.rsa.private == 0 {
            let of_token =
                |label, usage| Template::default().flags(&[CKA_TOKEN, CKA_PRIVATE, usage]).bytes(CKA_LABEL, label);
            let public = of_token(PUBLIC_LABEL, CKA_VERIFY_RECOVER).number(CKA_MODULUS_BITS, 2048);
            let public = public.bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
            generate_pair(world, CKM_RSA_PKCS_KEY_PAIR_GEN, public, of_token(PRIVATE_LABEL, CKA_SIGN_RECOVER))?;
        }
        own.find_keys()?;
        own.prepare()?;
        Ok(own)
    }

    /// What the module need not have.
    pub fn can(&self) -> Can {
        self.can
    }

    /// Inputs of which it is known what comes out.
    fn prepare(&mut self) -> Outcome {
        let session = self.world.session()?;
        let whole = |purpose: Purpose, input: &[u8]| {
            let [init, function, ..] = purpose.functions();
            ok(init, self.init(&session, purpose))?;
            let mut buffer = Guarded::new(ROOM);
            let (code, length) = session.whole(purpose, input, &mut buffer, ROOM);
            ok(function, code)?;
            Ok(buffer.first(length).to_vec())
        };
        let sealed = whole(Purpose::Encrypt, &PLAIN)?;
        let blocks = if self.can.recover { 0..4 } else { 0..0 };
        let signed = blocks.map(|blocks| whole(Purpose::SignRecover, &PLAIN.repeat(blocks)));
        self.recoverable = signed.collect::<Outcome<_>>()?;
        self.sealed = sealed.first_chunk().copied().unwrap_or_default();
        Ok(())
    }

    /// After a login the keys have new handles.
    pub fn follow(&mut self, model: &Model) -> Outcome {
        let is_user = model.is_user();
        if is_user && !self.was_user {
            self.find_keys()?;
        }
        self.was_user = is_user;
        Ok(())
    }

    /// Takes a step.
    pub fn perform(&self, step: &Step, model: &Model) -> Seen {
        let mut seen = Seen::default();
        let module = &self.world.module;
        let handle = model.handle(step.who().unwrap_or(Who::Closed));
        // It is closed by the steps alone.
        let session = std::mem::ManuallyDrop::new(Session { world: self.world, handle });
        seen.code = match *step {
            Step::Initialize => self.initialize(),
            Step::Finalize => call!(module, C_Finalize(ptr::null_mut())),
            Step::Open { write } => {
                let flags = CKF_SERIAL_SESSION | if write { CKF_RW_SESSION } else { 0 };
                call!(module, C_OpenSession(self.world.slot(), flags, ptr::null_mut(), None, &mut seen.handle))
            }
            Step::Close(_) => call!(module, C_CloseSession(handle)),
            Step::CloseAll => call!(module, C_CloseAllSessions(self.world.slot())),
            Step::Info(_) => {
                let mut info = CK_SESSION_INFO::default();
                let code = call!(module, C_GetSessionInfo(handle, &mut info));
                seen.state = info.state;
                code
            }
            Step::Login { so, right, .. } => {
                let (user, pin) = if so { (CKU_SO, SO_PIN.to_vec()) } else { (CKU_USER, self.world.user_pin()) };
                self.world.login(handle, user, if right { &pin } else { b"a wrong PIN" })
            }
            Step::Logout(_) => call!(module, C_Logout(handle)),
            Step::Init(_, purpose) => self.init(&session, purpose),
            Step::Cancel(_, purpose) => call!(module, C_SessionCancel(handle, purpose.flag())),
            Step::CancelByNull(_, purpose) => session.init_raw(purpose, ptr::null_mut(), 0),
            Step::Create { private, .. } => {
                let mut template = data().flag(CKA_PRIVATE, private);
                let mut rows = template.rows();
                let count = rows.len() as CK_ULONG;
                call!(module, C_CreateObject(handle, rows.as_mut_ptr(), count, &mut seen.handle))
            }
            Step::Size(_, place) => call!(module, C_GetObjectSize(handle, model.object(place), &mut 0)),
            Step::Destroy(_, place) => call!(module, C_DestroyObject(handle, model.object(place))),
            Step::Both(_, place, blocks) => self.both(&session, place, blocks),
            Step::Whole(..) | Step::Update(..) | Step::Final(..) | Step::Bad(..) => {
                self.go_on(&session, step, model, &mut seen.bytes)
            }
        };
        seen
    }

    /// What is deciphered is what is enciphered, so that the second operation gets the same bytes either way.
    fn both(&self, session: &Session<'_>, place: usize, blocks: usize) -> CK_RV {
        let Some(both) = PAIRS.get(place) else { return CKR_OK };
        let block = if both.cipher == Purpose::Decrypt { self.sealed } else { PLAIN };
        let (mut buffer, mut room) = (Guarded::new(64), 64);
        session.both(both, &block.repeat(blocks), buffer.pointer(), &mut room)
    }

    fn go_on(&self, session: &Session<'_>, step: &Step, model: &Model, bytes: &mut Vec<u8>) -> CK_RV {
        let input = PLAIN.repeat(4);
        let raw = |blocks: usize, output, room: *mut CK_ULONG| Raw {
            input: input.as_ptr(),
            length: (blocks * BLOCK) as CK_ULONG,
            output,
            room,
        };
        let (mut buffer, mut room) = (Guarded::new(64), 64);
        match *step {
            Step::Update(_, purpose, blocks) => session.update_raw(purpose, raw(blocks, buffer.pointer(), &mut room)),
            Step::Bad(_, purpose) => {
                let bad = Raw { input: ptr::null(), ..raw(1, buffer.pointer(), &mut room) };
                session.update_raw(purpose, bad)
            }
            Step::Whole(_, purpose, size, blocks) => {
                let result = model.result(Purpose::Sign, blocks * BLOCK);
                let (mut buffer, output, mut room) = place(purpose, size, result);
                let output = output.map_or(buffer.pointer(), |()| ptr::null_mut());
                let mut raw = raw(blocks, output, &mut room);
                if let (Purpose::VerifyRecover, Some(signature)) = (purpose, self.recoverable.get(blocks)) {
                    (raw.input, raw.length) = (signature.as_ptr(), signature.len() as CK_ULONG);
                }
                let code = session.whole_raw(purpose, raw);
                bytes.extend_from_slice(buffer.first(room as usize));
                code
            }
            Step::Final(who, purpose, size) => {
                let result = model.result(Purpose::Sign, model.fed(who, purpose));
                let (mut buffer, output, mut room) = place(purpose, size, result);
                let output = output.map_or(buffer.pointer(), |()| ptr::null_mut());
                let code = session.finish_raw(purpose, output, &mut room);
                bytes.extend_from_slice(buffer.first(room as usize));
                code
            }
            _ => CKR_OK,
        }
    }

    fn init(&self, session: &Session<'_>, purpose: Purpose) -> CK_RV {
        let Some(name) = purpose.usual() else { return session.init_raw(purpose, ptr::null_mut(), 0) };
        let key = match purpose {
            Purpose::Encrypt | Purpose::Decrypt => self.aes,
            Purpose::Sign | Purpose::Verify => self.generic,
            Purpose::SignRecover | Purpose::VerifyRecover => purpose.half(self.rsa),
            Purpose::Digest | Purpose::Find => 0,
        };
        Known::named(name).map_or(CKR_MECHANISM_INVALID, |known| session.init(purpose, known, key))
    }

    fn initialize(&self) -> CK_RV {
        call!(self.world.module, C_Initialize(ptr::null_mut()))
    }

    fn find_keys(&mut self) -> Outcome {
        let session = self.world.session()?;
        self.aes = find(&session, AES_LABEL)?;
        self.generic = find(&session, GENERIC_LABEL)?;
        self.rsa = Key { public: find(&session, PUBLIC_LABEL)?, private: find(&session, PRIVATE_LABEL)? };
        Ok(())
    }
}

impl Step {
    /// The session of a step, where it has one.
    pub fn who(&self) -> Option<Who> {
        match *self {
            Self::Initialize | Self::Finalize | Self::Open { .. } | Self::CloseAll => None,
            Self::Login { who, .. } | Self::Create { who, .. } => Some(who),
            Self::Close(who) | Self::Info(who) | Self::Logout(who) | Self::Both(who, ..) => Some(who),
            Self::Init(who, _) | Self::Whole(who, ..) | Self::Update(who, ..) | Self::Final(who, ..) => Some(who),
            Self::Bad(who, _) | Self::Cancel(who, _) | Self::CancelByNull(who, _) => Some(who),
            Self::Size(who, _) | Self::Destroy(who, _) => Some(who),
        }
    }

    /// The operation of a step, where it has one.
    pub fn purpose(&self) -> Option<Purpose> {
        match *self {
            Self::Init(_, purpose) | Self::Whole(_, purpose, ..) | Self::Update(_, purpose, _) => Some(purpose),
            Self::Final(_, purpose, _) | Self::Bad(_, purpose) => Some(purpose),
            Self::Cancel(_, purpose) | Self::CancelByNull(_, purpose) => Some(purpose),
            _ => None,
        }
    }
}

/// The buffer of a call, whether the call is given NULL instead, and the length that it is told. Of a verification, the
/// signature.
fn place(purpose: Purpose, room: Room, signature: Option<&Vec<u8>>) -> (Guarded, Option<()>, CK_ULONG) {
    match (purpose, room, signature) {
        (Purpose::Verify, Room::Enough, Some(signature)) => {
            (Guarded::holding(signature, 64), None, signature.len() as CK_ULONG)
        }
        (Purpose::Verify, Room::Short, _) => (Guarded::new(1), None, 1),
        (Purpose::Verify, ..) => (Guarded::new(32), None, 32),
        (_, Room::Query, _) => (Guarded::new(ROOM), Some(()), 0),
        (_, Room::Short, _) => (Guarded::new(1), None, 1),
        (_, Room::Enough, _) => (Guarded::new(ROOM), None, ROOM as CK_ULONG),
    }
}

fn find(session: &Session<'_>, label: &[u8]) -> Outcome<CK_OBJECT_HANDLE> {
    let (module, mut template) = (&session.world.module, Template::default().bytes(CKA_LABEL, label));
    let (mut rows, mut object, mut count) = (template.rows(), 0, 0);
    ok("C_FindObjectsInit", call!(module, C_FindObjectsInit(session.handle, rows.as_mut_ptr(), 1)))?;
    ok("C_FindObjects", call!(module, C_FindObjects(session.handle, &mut object, 1, &mut count)))?;
    ok("C_FindObjectsFinal", call!(module, C_FindObjectsFinal(session.handle)))?;
    Ok(object)
}
