//! Signatures of key pairs.

use cryptoki_sys::*;

use super::Maker;
use super::output::Output;
use super::pair::{generated, public};
use crate::bench::bare::public::Public;
use crate::bench::operation::{Act, Pair};
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Session, check, plain};

pub(super) fn sign(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, key] = generated(session, pair, Act::Sign)?;
    Ok(Box::new(move |session| {
        let public = public(&session, pair, public_key)?;
        Ok(Box::new(Sign { session, pair, key, public, message: pair.message(), signature: Output::EMPTY }))
    }))
}

struct Sign {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    public: Public,
    message: Vec<u8>,
    signature: Output,
}

impl Work for Sign {
    fn repeat(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            let (mechanism, message) = (self.pair.signature(), &mut self.message);
            signed(&self.session, mechanism, self.key, message, &mut self.signature)?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        self.public.verify(&self.message, self.signature.written())
    }
}

pub(super) fn verify(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, private_key] = generated(session, pair, Act::Verify)?;
    let mut signature = Output::EMPTY;
    signed(session, pair.signature(), private_key, &mut pair.message(), &mut signature)?;
    let signature = signature.written().to_vec();
    public(session, pair, public_key)?.verify(&pair.message(), &signature)?;
    Ok(Box::new(move |session| {
        let (message, signature) = (pair.message(), signature.clone());
        Ok(Box::new(Verify { session, pair, key: public_key, message, signature }))
    }))
}

struct Verify {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Verify {
    fn once(&mut self) -> Result<()> {
        let table = &self.session.module.table;
        let mut mechanism = plain(self.pair.signature());
        let (message, signature) = (self.message.as_mut_slice(), self.signature.as_mut_slice());
        let (length, signature_length) = (message.len() as CK_ULONG, signature.len() as CK_ULONG);
        let (message, signature, session) = (message.as_mut_ptr(), signature.as_mut_ptr(), self.session.handle);
        // SAFETY: mechanism and buffers are valid for their lengths.
        unsafe {
            check("C_VerifyInit", (table.verify_init)(session, &mut mechanism, self.key))?;
            check("C_Verify", (table.verify)(session, message, length, signature, signature_length))
        }
    }

    fn change_message(&mut self) {
        if let Some(first) = self.message.first_mut() {
            *first ^= 1;
        }
    }
}

impl Work for Verify {
    fn repeat(&mut self, count: u64) -> Result<()> {
        (0..count).try_for_each(|_| self.once())
    }

    /// The signature is right, or the bare primitive would not have taken it: so one of another message is what may be taken
    /// wrongly.
    fn check(&mut self) -> Result<()> {
        self.change_message();
        let verdict = self.once();
        self.change_message();
        match verdict {
            Err(refused) if refused.code() == Some(CKR_SIGNATURE_INVALID) => Ok(()),
            Err(other) => Err(other),
            Ok(()) => Err(Failure::wrong_result("the signature of another message is taken")),
        }
    }
}

/// Signs a message.
pub(super) fn signed(
    session: &Session,
    mechanism: CK_MECHANISM_TYPE,
    key: CK_OBJECT_HANDLE,
    message: &mut [u8],
    signature: &mut Output,
) -> Result<()> {
    let table = &session.module.table;
    let mut mechanism = plain(mechanism);
    // SAFETY: the mechanism is valid.
    check("C_SignInit", unsafe { (table.sign_init)(session.handle, &mut mechanism, key) })?;
    signature.write("C_Sign", table.sign, session, message)
}
