//! The operations of a session, all called the same way.

use std::ptr;

use cryptoki_sys::*;

use super::guard::Guarded;
use super::key::{Key, Kind};
use super::mechanism::{Known, Parameter};
use super::module::call;
use super::trial::ok;
use super::verdict::Outcome;
use super::world::Session;

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// `C_EncryptInit`
    Encrypt,
    /// `C_DecryptInit`
    Decrypt,
    /// `C_DigestInit`
    Digest,
    /// `C_SignInit`
    Sign,
    /// `C_VerifyInit`
    Verify,
    /// `C_SignRecoverInit`: in one part alone.
    SignRecover,
    /// `C_VerifyRecoverInit`: in one part alone.
    VerifyRecover,
    /// `C_FindObjectsInit`
    Find,
}

impl Purpose {
    /// `CKF_*`, by which the mechanism's information speaks of it.
    pub fn flag(self) -> CK_FLAGS {
        match self {
            Self::Encrypt => CKF_ENCRYPT,
            Self::Decrypt => CKF_DECRYPT,
            Self::Digest => CKF_DIGEST,
            Self::Sign => CKF_SIGN,
            Self::Verify => CKF_VERIFY,
            Self::SignRecover => CKF_SIGN_RECOVER,
            Self::VerifyRecover => CKF_VERIFY_RECOVER,
            Self::Find => CKF_FIND_OBJECTS,
        }
    }

    /// In lower case, as a part of a check's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Digest => "digest",
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::SignRecover => "sign to recover",
            Self::VerifyRecover => "recover",
            Self::Find => "find",
        }
    }

    /// The functions: Init, one-shot, Update, Final.
    pub fn functions(self) -> [&'static str; 4] {
        match self {
            Self::Encrypt => ["C_EncryptInit", "C_Encrypt", "C_EncryptUpdate", "C_EncryptFinal"],
            Self::Decrypt => ["C_DecryptInit", "C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal"],
            Self::Digest => ["C_DigestInit", "C_Digest", "C_DigestUpdate", "C_DigestFinal"],
            Self::Sign => ["C_SignInit", "C_Sign", "C_SignUpdate", "C_SignFinal"],
            Self::Verify => ["C_VerifyInit", "C_Verify", "C_VerifyUpdate", "C_VerifyFinal"],
            // What there is not is named by what there is.
            Self::SignRecover => ["C_SignRecoverInit", "C_SignRecover", "C_SignRecover", "C_SignRecover"],
            Self::VerifyRecover => ["C_VerifyRecoverInit", "C_VerifyRecover", "C_VerifyRecover", "C_VerifyRecover"],
            Self::Find => ["C_FindObjectsInit", "C_FindObjects", "C_FindObjects", "C_FindObjectsFinal"],
        }
    }

    /// The section of the one-shot function.
    pub fn section(self) -> &'static str {
        match self {
            Self::Encrypt => "5.8.2",
            Self::Decrypt => "5.10.2",
            Self::Digest => "5.12.2",
            Self::Sign => "5.13.2",
            Self::Verify => "5.15.2",
            Self::SignRecover => "5.13.6",
            Self::VerifyRecover => "5.15.6",
            Self::Find => "5.7.8",
        }
    }

    /// Whether it takes its input in one call only, and has no Update and no Final.
    pub fn is_in_one_part(self) -> bool {
        matches!(self, Self::SignRecover | Self::VerifyRecover)
    }

    /// A mechanism that most modules have for it; none for a search.
    pub fn usual(self) -> Option<&'static str> {
        match self {
            Self::Encrypt | Self::Decrypt => Some("AES_ECB"),
            Self::Digest => Some("SHA256"),
            Self::Sign | Self::Verify => Some("SHA256_HMAC"),
            Self::SignRecover | Self::VerifyRecover => Some("RSA_PKCS"),
            Self::Find => None,
        }
    }

    /// The half of a pair that it uses.
    pub fn half(self, key: Key) -> CK_OBJECT_HANDLE {
        match self {
            Self::Decrypt | Self::Sign | Self::SignRecover => key.private,
            _ => key.public,
        }
    }
}

/// Input and output of a call as raw as C has them.
#[derive(Clone, Copy)]
pub struct Raw {
    /// The input.
    pub input: *const u8,
    /// Its length.
    pub length: CK_ULONG,
    /// The output buffer or NULL; of a verification, the signature.
    pub output: *mut u8,
    /// Its length, or NULL.
    pub room: *mut CK_ULONG,
}

impl Session<'_> {
    /// An Init function, with a known mechanism.
    pub fn begin(&self, purpose: Purpose, known: &Known) -> Outcome {
        let key = self.world.key(known.key)?;
        let code = self.init(purpose, known, purpose.half(key));
        let [init, ..] = purpose.functions();
        ok(init, code)
    }

    /// An Init function, with any key.
    pub fn init(&self, purpose: Purpose, known: &Known, key: CK_OBJECT_HANDLE) -> CK_RV {
        let mut parameter = Parameter::of(known);
        self.init_raw(purpose, parameter.mechanism(known.number), key)
    }

    /// An Init function, with any mechanism or NULL.
    pub fn init_raw(&self, purpose: Purpose, mechanism: *mut CK_MECHANISM, key: CK_OBJECT_HANDLE) -> CK_RV {
        let (module, session) = (&self.world.module, self.handle);
        match purpose {
            Purpose::Encrypt => call!(module, C_EncryptInit(session, mechanism, key)),
            Purpose::Decrypt => call!(module, C_DecryptInit(session, mechanism, key)),
            Purpose::Digest => call!(module, C_DigestInit(session, mechanism)),
            Purpose::Sign => call!(module, C_SignInit(session, mechanism, key)),
            Purpose::Verify => call!(module, C_VerifyInit(session, mechanism, key)),
            Purpose::SignRecover => call!(module, C_SignRecoverInit(session, mechanism, key)),
            Purpose::VerifyRecover => call!(module, C_VerifyRecoverInit(session, mechanism, key)),
            Purpose::Find => call!(module, C_FindObjectsInit(session, ptr::null_mut(), 0)),
        }
    }

    /// Begins an operation with its usual mechanism.
    pub fn begin_any(&self, purpose: Purpose) -> Outcome {
        let [init, ..] = purpose.functions();
        ok(init, self.init_any(purpose)?)
    }

    /// An Init that may be refused, with the usual mechanism.
    pub fn init_any(&self, purpose: Purpose) -> Outcome<CK_RV> {
        let Some(name) = purpose.usual() else { return Ok(self.init_raw(purpose, ptr::null_mut(), 0)) };
        let known = Known::named(name)?;
        Ok(self.init(purpose, known, purpose.half(self.world.key(known.key)?)))
    }

    /// A one-shot function.
    pub fn whole_raw(&self, purpose: Purpose, raw: Raw) -> CK_RV {
        let Raw { input, length, output, room } = raw;
        let (module, session, input) = (&self.world.module, self.handle, input.cast_mut());
        match purpose {
            Purpose::Encrypt => call!(module, C_Encrypt(session, input, length, output, room)),
            Purpose::Decrypt => call!(module, C_Decrypt(session, input, length, output, room)),
            Purpose::Digest => call!(module, C_Digest(session, input, length, output, room)),
            Purpose::Sign => call!(module, C_Sign(session, input, length, output, room)),
            Purpose::Verify => call!(module, C_Verify(session, input, length, output, length_at(room))),
            Purpose::SignRecover => call!(module, C_SignRecover(session, input, length, output, room)),
            Purpose::VerifyRecover => call!(module, C_VerifyRecover(session, input, length, output, room)),
            Purpose::Find => self.find_once(),
        }
    }

    /// An Update function.
    pub fn update_raw(&self, purpose: Purpose, raw: Raw) -> CK_RV {
        let Raw { input, length, output, room } = raw;
        let (module, session, input) = (&self.world.module, self.handle, input.cast_mut());
        match purpose {
            Purpose::Encrypt => call!(module, C_EncryptUpdate(session, input, length, output, room)),
            Purpose::Decrypt => call!(module, C_DecryptUpdate(session, input, length, output, room)),
            Purpose::Digest => call!(module, C_DigestUpdate(session, input, length)),
            Purpose::Sign => call!(module, C_SignUpdate(session, input, length)),
            Purpose::Verify => call!(module, C_VerifyUpdate(session, input, length)),
            Purpose::SignRecover | Purpose::VerifyRecover => self.whole_raw(purpose, raw),
            Purpose::Find => self.find_once(),
        }
    }

    /// A Final function.
    pub fn finish_raw(&self, purpose: Purpose, output: *mut u8, room: *mut CK_ULONG) -> CK_RV {
        let (module, session) = (&self.world.module, self.handle);
        match purpose {
            Purpose::Encrypt => call!(module, C_EncryptFinal(session, output, room)),
            Purpose::Decrypt => call!(module, C_DecryptFinal(session, output, room)),
            Purpose::Digest => call!(module, C_DigestFinal(session, output, room)),
            Purpose::Sign => call!(module, C_SignFinal(session, output, room)),
            Purpose::Verify => call!(module, C_VerifyFinal(session, output, length_at(room))),
            Purpose::SignRecover | Purpose::VerifyRecover => {
                self.whole_raw(purpose, Raw { input: ptr::null(), length: 0, output, room })
            }
            Purpose::Find => call!(module, C_FindObjectsFinal(session)),
        }
    }

    /// A one-shot function with a guarded buffer of so many bytes, and the length that it tells.
    pub fn whole(&self, purpose: Purpose, input: &[u8], buffer: &mut Guarded, room: usize) -> (CK_RV, usize) {
        let mut length = room as CK_ULONG;
        let raw =
            Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output: buffer.pointer(), room: &mut length };
        let code = self.whole_raw(purpose, raw);
        (code, usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The whole operation in one call; the result.
    pub fn one_shot(&self, purpose: Purpose, known: &Known, input: &[u8]) -> Outcome<Vec<u8>> {
        self.begin(purpose, known)?;
        let room = input.len() + ENOUGH;
        let mut buffer = Guarded::new(room);
        let (code, length) = self.whole(purpose, input, &mut buffer, room);
        ok(purpose.functions()[1], code)?;
        Ok(buffer.first(length).to_vec())
    }

    /// Whether a verification of this signature succeeds.
    pub fn verify(&self, known: &Known, input: &[u8], signature: &[u8]) -> Outcome<CK_RV> {
        self.begin(Purpose::Verify, known)?;
        let mut length = signature.len() as CK_ULONG;
        let (output, room) = (signature.as_ptr().cast_mut(), &raw mut length);
        Ok(self
            .whole_raw(Purpose::Verify, Raw { input: input.as_ptr(), length: input.len() as CK_ULONG, output, room }))
    }

    fn find_once(&self) -> CK_RV {
        let (mut object, mut count) = (0, 0);
        call!(self.world.module, C_FindObjects(self.handle, &mut object, 1, &mut count))
    }
}

/// More bytes than any result here is longer than its input.
pub const ENOUGH: usize = 1024;

/// The key that a purpose begins with by [`Session::begin_any`].
pub fn any_key(purpose: Purpose) -> Kind {
    match purpose {
        Purpose::Encrypt | Purpose::Decrypt => Kind::Aes,
        Purpose::Sign | Purpose::Verify => Kind::Generic,
        Purpose::SignRecover | Purpose::VerifyRecover => Kind::Rsa,
        Purpose::Digest | Purpose::Find => Kind::None,
    }
}

fn length_at(room: *mut CK_ULONG) -> CK_ULONG {
    // SAFETY: a verification's length is always given, by this program.
    unsafe { room.as_ref() }.copied().unwrap_or_default()
}
