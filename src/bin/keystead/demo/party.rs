//! A token at work: what both sides of the demo do with theirs, through the functions that the C entry points call.
//!
//! The values and PINs here protect nothing, and the demo prints some of them: they are not kept as secrets.

use std::path::Path;

use cryptoki_sys::*;
use keystead::config::{Config, Pins, Settings};
use keystead::crypto::{InOut, random};
use keystead::error::{Error, Result};
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::mechanism::Parameter;
use keystead::module::Module;
use keystead::object::attribute::CKA_KEYSTEAD_MASKABLE;
use keystead::object::{Given, Search};
use keystead::session::{Direction, Length, Output};
use serde::{Deserialize, Serialize};

use super::hex::{self, Hex};

/// A token with its user logged in.
pub struct Party {
    pub(super) module: Module,
    pub(super) session: Handle,
    /// Random, like the user's, and needed by nobody but the demo.
    pub(super) so_pin: String,
    /// The slot.
    pub slot: u64,
    /// The serial number.
    pub serial: String,
}

/// A text, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sealed {
    /// The initialisation vector.
    pub iv: Hex,
    /// The ciphertext, with the tag behind it where there is one.
    pub data: Hex,
}

/// How a text is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `CKM_AES_GCM`, a 96-bit IV and a 128-bit tag.
    Gcm,
    /// `CKM_AES_CBC_PAD`
    CbcPad,
}

/// What a key of the demo may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Seal and open texts, and reach other tokens of the domain, but leave in no other form.
    Texts,
    /// Wrap and unwrap keys, and stay.
    Keys,
}

/// The settings of both tokens: as users get them, but for the price of a PIN.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.pin = Pins { memory_kib: 64, passes: 1, ..settings.pin };
    settings
}

/// The AES keys that a session sees.
pub fn keys(module: &Module, session: Handle) -> Result<Vec<Handle>> {
    search(module, session, &[Given::new(CKA_CLASS, SECRET_KEY), Given::new(CKA_KEY_TYPE, AES)])
}

fn search(module: &Module, session: Handle, given: &[Given<'_>]) -> Result<Vec<Handle>> {
    let sessions = module.sessions();
    sessions.find_init(session, Search::new(given))?;
    let found = sessions.find_next(session, MOST);
    sessions.find_final(session)?;
    found
}

/// What hashing a PIN by Argon2id costs, in words.
pub fn cost(pins: &Pins) -> String {
    let passes = if pins.passes == 1 { "pass" } else { "passes" };
    format!("{} KiB and {} {passes}", pins.memory_kib, pins.passes)
}

impl Party {
    /// Makes a token in a new store, sets both PINs, and logs its user in.
    pub fn start(folder: &Path, label: &str) -> Result<Self> {
        let module = Module::open(Config::for_store(folder.to_owned(), settings()))?;
        module.slots().usable()?;
        let slot = module.slots().list(true).first().copied().ok_or(Error::SlotIdInvalid)?.into();
        if module.slots().state(slot)?.is_some() {
            return Err(Error::FunctionFailed("there is a token already, and the demo touches none".into()));
        }
        // Random PINs that nobody will ever need again.
        let (so_pin, pin) = (hex::digits(&random::bytes::<8>()?), hex::digits(&random::bytes::<8>()?));
        let mut padded = [b' '; 32];
        padded.iter_mut().zip(label.bytes()).for_each(|(to, from)| *to = from);
        module.slots().init_token(slot, so_pin.as_bytes(), padded)?;
        let state = module.slots().state(slot)?.ok_or(Error::SlotIdInvalid)?;
        let serial = String::from_utf8_lossy(&state.serial).into_owned();
        let session = module.open_session(slot, true)?;
        let sessions = module.sessions();
        sessions.login(session, Login::So, so_pin.as_bytes())?;
        sessions.init_pin(session, pin.as_bytes())?;
        sessions.logout(session)?;
        sessions.login(session, Login::User, pin.as_bytes())?;
        Ok(Self { module, session, so_pin, slot, serial })
    }

    /// `C_GenerateRandom`
    pub fn random(&self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.module.sessions().random(self.session, &mut bytes)?;
        Ok(bytes)
    }

    /// `C_CreateObject` of an AES key whose value is known; inside it is sensitive like any other.
    pub fn import(&self, label: &str, purpose: Purpose, value: &[u8]) -> Result<Handle> {
        let given = [(CKA_CLASS, SECRET_KEY), (CKA_KEY_TYPE, AES), (CKA_VALUE, value)];
        self.module.sessions().create(self.session, &template(label, purpose, &given))
    }

    /// `C_GenerateKey` of a sensitive AES key.
    pub fn generate(&self, label: &str, length: usize) -> Result<Handle> {
        let length = (length as CK_ULONG).to_ne_bytes();
        let given = template(label, Purpose::Texts, &[(CKA_VALUE_LEN, &length)]);
        self.module.sessions().generate(self.session, self.module.mechanisms().find(CKM_AES_KEY_GEN)?, &given)
    }

    /// `C_WrapKey`
    pub fn wrap(&self, mechanism: CK_MECHANISM_TYPE, wrapping: Handle, key: Handle) -> Result<Vec<u8>> {
        let mechanism = self.module.mechanisms().find(mechanism)?;
        let mut wrapped = vec![0; ROOM];
        let output = &mut Output::Buffer(InOut::from_slices(&[], &mut wrapped));
        let keys = [wrapping, key];
        let told = self.module.sessions().wrap(self.session, mechanism, &Parameter::None, keys, output, 0)?;
        written(wrapped, told.length)
    }

    /// `C_DestroyObject`
    pub fn destroy(&self, key: Handle) -> Result<()> {
        self.module.sessions().destroy(self.session, key)
    }

    /// `CKA_UNIQUE_ID`
    pub fn unique_id(&self, key: Handle) -> Result<String> {
        let id = self.module.sessions().view(self.session, key)?.attribute(CKA_UNIQUE_ID)?;
        Ok(String::from_utf8_lossy(&id).into_owned())
    }

    /// Whether the key was made inside, has always been sensitive and was never extractable.
    pub fn has_its_history(&self, key: Handle) -> Result<bool> {
        let view = self.module.sessions().view(self.session, key)?;
        let history = [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE];
        history.into_iter().try_fold(true, |all, number| Ok(all && view.attribute(number)?.as_slice() == YES))
    }

    /// The key of this `CKA_UNIQUE_ID`.
    pub fn find(&self, unique_id: &str) -> Result<Handle> {
        let given = [Given::new(CKA_UNIQUE_ID, unique_id.as_bytes())];
        let found = search(&self.module, self.session, &given)?;
        found.first().copied().ok_or(Error::KeyHandleInvalid)
    }

    /// `C_GetAttributeValue` of `CKA_VALUE`, which is what must not succeed.
    pub fn value(&self, key: Handle) -> Result<Vec<u8>> {
        Ok(self.module.sessions().view(self.session, key)?.attribute(CKA_VALUE)?.to_vec())
    }

    /// `C_Encrypt` under a fresh IV.
    pub fn seal(&self, key: Handle, mode: Mode, text: &[u8]) -> Result<Sealed> {
        let iv = self.random(mode.iv_length())?;
        let data = self.crypt(Direction::Encrypt, key, mode, &iv, text)?;
        Ok(Sealed { iv: Hex(iv), data: Hex(data) })
    }

    /// `C_Decrypt`
    pub fn open(&self, key: Handle, mode: Mode, sealed: &Sealed) -> Result<Vec<u8>> {
        self.crypt(Direction::Decrypt, key, mode, &sealed.iv.0, &sealed.data.0)
    }

    fn crypt(&self, direction: Direction, key: Handle, mode: Mode, iv: &[u8], input: &[u8]) -> Result<Vec<u8>> {
        let (sessions, mechanism) = (self.module.sessions(), self.module.mechanisms().find(mode.mechanism())?);
        sessions.crypt_init(self.session, direction, mechanism, &mode.parameter(iv), key)?;
        // A block of padding or a tag more than the input.
        let mut result = vec![0; input.len().saturating_add(16)];
        let output = &mut Output::Buffer(InOut::from_slices(input, &mut result));
        let length = sessions.crypt_whole(self.session, direction, output)?;
        written(result, length)
    }
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Gcm, Self::CbcPad];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gcm => "GCM",
            Self::CbcPad => "CBC-PAD",
        }
    }

    fn mechanism(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Gcm => CKM_AES_GCM,
            Self::CbcPad => CKM_AES_CBC_PAD,
        }
    }

    fn iv_length(self) -> usize {
        match self {
            Self::Gcm => 12,
            Self::CbcPad => 16,
        }
    }

    fn parameter(self, iv: &[u8]) -> Parameter<'_> {
        match self {
            Self::Gcm => Parameter::Gcm { iv, aad: &[], tag_bits: 128 },
            Self::CbcPad => Parameter::Bytes(iv),
        }
    }
}

impl Purpose {
    /// What a template says beside class, type and value.
    fn attributes(self) -> [(CK_ATTRIBUTE_TYPE, &'static [u8]); 9] {
        let [texts, keys] = match self {
            Self::Texts => [YES, NO],
            Self::Keys => [NO, YES],
        };
        [
            (CKA_TOKEN, YES),
            (CKA_PRIVATE, YES),
            (CKA_SENSITIVE, YES),
            (CKA_EXTRACTABLE, NO),
            (CKA_KEYSTEAD_MASKABLE, texts),
            (CKA_ENCRYPT, texts),
            (CKA_DECRYPT, texts),
            (CKA_WRAP, keys),
            (CKA_UNWRAP, keys),
        ]
    }
}

/// More than the longest wrapped AES key.
const ROOM: usize = 64;

/// More keys than the demo makes.
const MOST: usize = 100;

const YES: &[u8] = &[CK_TRUE];
const NO: &[u8] = &[CK_FALSE];
const SECRET_KEY: &[u8] = &CKO_SECRET_KEY.to_ne_bytes();
const AES: &[u8] = &CKK_AES.to_ne_bytes();

/// A caller's template.
fn template<'a>(label: &'a str, purpose: Purpose, given: &[(CK_ATTRIBUTE_TYPE, &'a [u8])]) -> Vec<Given<'a>> {
    let more = [(CKA_LABEL, label.as_bytes())];
    let all = given.iter().copied().chain(purpose.attributes()).chain(more);
    all.map(|(number, value)| Given::new(number, value)).collect()
}

/// What a call has written into a buffer.
fn written(mut buffer: Vec<u8>, length: Length) -> Result<Vec<u8>> {
    let Length::Written(length) = length else {
        return Err(Error::BufferTooSmall);
    };
    buffer.truncate(length);
    Ok(buffer)
}
