//! Decryption by RSA.

use std::ptr;

use cryptoki_sys::*;

use super::output::Output;
use super::pair::{generated, public};
use super::{Maker, equal, with_parameter};
use crate::bench::operation::{Act, Pair};
use crate::bench::turn::Work;
use crate::failure::Result;
use crate::module::{Session, check};

pub(super) fn decrypt(session: &Session, pair: Pair) -> Result<Maker> {
    let [public_key, key] = generated(session, pair, Act::Decrypt)?;
    let ciphertext = public(session, pair, public_key)?.encrypt(&pair.message())?;
    Ok(Box::new(move |session| {
        Ok(Box::new(Decrypt { session, pair, key, ciphertext: ciphertext.clone(), plaintext: Output::EMPTY }))
    }))
}

struct Decrypt {
    session: Session,
    pair: Pair,
    key: CK_OBJECT_HANDLE,
    ciphertext: Vec<u8>,
    plaintext: Output,
}

impl Work for Decrypt {
    fn repeat(&mut self, count: u64) -> Result<()> {
        let table = &self.session.module.table;
        for _ in 0..count {
            let mut parameter = parameter();
            let mut mechanism = with_parameter(CKM_RSA_PKCS_OAEP, &mut parameter);
            // SAFETY: the mechanism is valid.
            let code = unsafe { (table.decrypt_init)(self.session.handle, &mut mechanism, self.key) };
            check("C_DecryptInit", code)?;
            self.plaintext.write("C_Decrypt", table.decrypt, &self.session, &mut self.ciphertext)?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        equal("the plaintext", Some(self.plaintext.written()), &self.pair.message())
    }
}

fn parameter() -> CK_RSA_PKCS_OAEP_PARAMS {
    CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: CKM_SHA_1,
        mgf: CKG_MGF1_SHA1,
        source: CKZ_DATA_SPECIFIED,
        pSourceData: ptr::null_mut(),
        ulSourceDataLen: 0,
    }
}
