//! Two operations at once, called the same way. PKCS#11 3.2, section 5.17.

use cryptoki_sys::*;

use super::module::call;
use super::operation::Purpose;
use super::trial::{ok, skip};
use super::verdict::Outcome;
use super::world::{Session, World};

/// A cipher, and what gets its plaintext.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Both {
    /// The function.
    pub name: &'static str,
    /// The direction of the cipher.
    pub cipher: Purpose,
    /// The other.
    pub second: Purpose,
}

/// All there are.
pub const PAIRS: &[Both] = &[
    Both { name: "C_DigestEncryptUpdate", cipher: Purpose::Encrypt, second: Purpose::Digest },
    Both { name: "C_DecryptDigestUpdate", cipher: Purpose::Decrypt, second: Purpose::Digest },
    Both { name: "C_SignEncryptUpdate", cipher: Purpose::Encrypt, second: Purpose::Sign },
    Both { name: "C_DecryptVerifyUpdate", cipher: Purpose::Decrypt, second: Purpose::Verify },
];

impl Session<'_> {
    /// The function of two operations.
    pub fn both(&self, both: &Both, input: &[u8], to: *mut u8, room: *mut CK_ULONG) -> CK_RV {
        let (module, session) = (&self.world.module, self.handle);
        let (from, length) = (input.as_ptr().cast_mut(), input.len() as CK_ULONG);
        match (both.cipher, both.second) {
            (Purpose::Encrypt, Purpose::Digest) => {
                call!(module, C_DigestEncryptUpdate(session, from, length, to, room))
            }
            (Purpose::Encrypt, _) => call!(module, C_SignEncryptUpdate(session, from, length, to, room)),
            (_, Purpose::Digest) => call!(module, C_DecryptDigestUpdate(session, from, length, to, room)),
            _ => call!(module, C_DecryptVerifyUpdate(session, from, length, to, room)),
        }
    }
}

impl World {
    /// Skips what needs two operations at once, unless the token claims to run them.
    pub fn does_two_at_once(&self) -> Outcome {
        let mut info = CK_TOKEN_INFO::default();
        ok("C_GetTokenInfo", call!(self.module, C_GetTokenInfo(self.slot(), &mut info)))?;
        if info.flags & CKF_DUAL_CRYPTO_OPERATIONS == 0 {
            return skip("CKF_DUAL_CRYPTO_OPERATIONS is not claimed");
        }
        Ok(())
    }
}
