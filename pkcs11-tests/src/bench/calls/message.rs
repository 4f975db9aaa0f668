//! Digests, MACs and AES.

use std::ptr;

use cryptoki_sys::*;

use super::{Maker, OnePart, equal, has, with_parameter};
use crate::bench::bare::KEY;
use crate::bench::bare::message::{self as bare, IV, Iv, Primitive};
use crate::bench::operation::{Hash, Message, Mode, Way};
use crate::bench::turn::Work;
use crate::failure::Result;
use crate::module::{Session, Table, check, plain};

/// The work on messages of so many bytes. Fails where the module lacks the mechanism.
pub(super) fn maker(session: &Session, message: Message, size: usize) -> Result<Maker> {
    let session = has(session, mechanism(message))?;
    let key = match message {
        Message::Digest(_) => 0,
        Message::Hmac => session.create_secret(CKK_GENERIC_SECRET, &KEY, &[CKA_SIGN])?,
        Message::Cmac => session.create_secret(CKK_AES, &KEY, &[CKA_SIGN])?,
        Message::Cipher(_, Way::Decrypt) => session.create_secret(CKK_AES, &KEY, &[CKA_DECRYPT])?,
        Message::Cipher(_, Way::Encrypt) | Message::GcmParts => session.create_secret(CKK_AES, &KEY, &[CKA_ENCRYPT])?,
    };
    Ok(Box::new(move |session| {
        let input = bare::input(message, size)?;
        let output = vec![0; input.len() + Message::MORE_OUTPUT];
        let functions = Functions::of(&session.module.table, message);
        let right = bare::primitive(message)?;
        Ok(Box::new(ModuleMessage { session, message, key, functions, iv: IV, input, output, written: 0, right }))
    }))
}

fn mechanism(message: Message) -> CK_MECHANISM_TYPE {
    match message {
        Message::Digest(Hash::Sha256) => CKM_SHA256,
        Message::Digest(Hash::Sha512) => CKM_SHA512,
        Message::Digest(Hash::Sha3) => CKM_SHA3_256,
        Message::Hmac => CKM_SHA256_HMAC,
        Message::Cmac => CKM_AES_CMAC,
        Message::Cipher(Mode::Ecb, _) => CKM_AES_ECB,
        Message::Cipher(Mode::Cbc, _) => CKM_AES_CBC,
        Message::Cipher(Mode::CbcPad, _) => CKM_AES_CBC_PAD,
        Message::Cipher(Mode::Ctr, _) => CKM_AES_CTR,
        Message::Cipher(Mode::Gcm, _) | Message::GcmParts => CKM_AES_GCM,
    }
}

/// The functions of an operation with their names.
#[derive(Clone, Copy)]
struct Functions {
    init: (&'static str, Init),
    work: (&'static str, OnePart),
    /// Ends what is done in parts.
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum Init {
    WithKey(unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_MECHANISM, CK_OBJECT_HANDLE) -> CK_RV),
    WithoutKey(unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_MECHANISM) -> CK_RV),
}

type End = unsafe extern "C" fn(CK_SESSION_HANDLE, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV;

impl Functions {
    fn of(table: &Table, message: Message) -> Self {
        let (init, work): (_, (_, OnePart)) = match message {
            Message::Digest(_) => (("C_DigestInit", Init::WithoutKey(table.digest_init)), ("C_Digest", table.digest)),
            Message::Hmac | Message::Cmac => (("C_SignInit", Init::WithKey(table.sign_init)), ("C_Sign", table.sign)),
            Message::Cipher(_, Way::Decrypt) => {
                (("C_DecryptInit", Init::WithKey(table.decrypt_init)), ("C_Decrypt", table.decrypt))
            }
            Message::Cipher(_, Way::Encrypt) => {
                (("C_EncryptInit", Init::WithKey(table.encrypt_init)), ("C_Encrypt", table.encrypt))
            }
            Message::GcmParts => {
                (("C_EncryptInit", Init::WithKey(table.encrypt_init)), ("C_EncryptUpdate", table.encrypt_update))
            }
        };
        Self { init, work, end: (message == Message::GcmParts).then_some(table.encrypt_final) }
    }
}

/// What a mechanism's parameter points to.
enum Parameter {
    None,
    Iv(Iv),
    Counter(CK_AES_CTR_PARAMS),
    Gcm(CK_GCM_PARAMS),
}

struct ModuleMessage {
    session: Session,
    message: Message,
    key: CK_OBJECT_HANDLE,
    functions: Functions,
    iv: Iv,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes of `output` that the last operation wrote.
    written: usize,
    right: Box<dyn Primitive>,
}

impl ModuleMessage {
    fn parameter(&mut self) -> Parameter {
        match self.message {
            Message::Cipher(Mode::Gcm, _) | Message::GcmParts => Parameter::Gcm(CK_GCM_PARAMS {
                pIv: self.iv.as_mut_ptr(),
                ulIvLen: 12,
                ulIvBits: 96,
                pAAD: ptr::null_mut(),
                ulAADLen: 0,
                ulTagBits: 128,
            }),
            Message::Cipher(Mode::Ctr, _) => Parameter::Counter(CK_AES_CTR_PARAMS { ulCounterBits: 128, cb: self.iv }),
            Message::Cipher(Mode::Cbc | Mode::CbcPad, _) => Parameter::Iv(self.iv),
            Message::Cipher(Mode::Ecb, _) | Message::Digest(_) | Message::Hmac | Message::Cmac => Parameter::None,
        }
    }

    fn begin(&mut self) -> Result<()> {
        let (number, mut parameter) = (mechanism(self.message), self.parameter());
        let mut mechanism = match &mut parameter {
            Parameter::None => plain(number),
            Parameter::Iv(iv) => with_parameter(number, iv),
            Parameter::Counter(counter) => with_parameter(number, counter),
            Parameter::Gcm(gcm) => with_parameter(number, gcm),
        };
        let (name, init) = self.functions.init;
        // SAFETY: mechanism and parameter are valid.
        check(name, unsafe {
            match init {
                Init::WithKey(init) => init(self.session.handle, &mut mechanism, self.key),
                Init::WithoutKey(init) => init(self.session.handle, &mut mechanism),
            }
        })
    }

    /// Does a part of the input, or all of it, and tells how much was written.
    fn part(&mut self, from: usize, to: usize, at: usize) -> Result<usize> {
        let (Some(input), Some(output)) = (self.input.get_mut(from..to), self.output.get_mut(at..)) else {
            return Ok(0);
        };
        let (length, mut written) = (input.len() as CK_ULONG, output.len() as CK_ULONG);
        let (name, work) = self.functions.work;
        // SAFETY: input and output are valid for their lengths.
        let code = unsafe { work(self.session.handle, input.as_mut_ptr(), length, output.as_mut_ptr(), &mut written) };
        check(name, code).map(|()| written as usize)
    }

    fn parts(&mut self, end: End) -> Result<usize> {
        let (size, mut at) = (self.input.len(), 0);
        for part in 0..PARTS {
            at += self.part(size * part / PARTS, size * (part + 1) / PARTS, at)?;
        }
        let rest = self.output.get_mut(at..).unwrap_or_default();
        let mut written = rest.len() as CK_ULONG;
        // SAFETY: the output is valid for its length.
        check("C_EncryptFinal", unsafe { end(self.session.handle, rest.as_mut_ptr(), &mut written) })?;
        Ok(at + written as usize)
    }
}

const PARTS: usize = 4;

impl Work for ModuleMessage {
    fn repeat(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            if let Message::Cipher(_, Way::Encrypt) | Message::GcmParts = self.message {
                count_up(&mut self.iv);
            }
            self.begin()?;
            self.written = match self.functions.end {
                None => self.part(0, self.input.len(), 0)?,
                Some(end) => self.parts(end)?,
            };
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        let right = bare::output(&mut *self.right, &self.iv, &self.input)?;
        equal("the output", self.output.get(..self.written), &right)
    }
}

/// The next IV, in the bytes that GCM takes too.
fn count_up(iv: &mut Iv) {
    if let Some(low) = iv.get_mut(4..12).and_then(|low| <&mut [u8; 8]>::try_from(low).ok()) {
        *low = u64::from_be_bytes(*low).wrapping_add(1).to_be_bytes();
    }
}
