//! Operations that make objects: each one is destroyed when the next is to be made, so that the last is there to be looked at.

use cryptoki_sys::*;

use super::equal;
use crate::bench::bare::wrap;
use crate::bench::turn::Work;
use crate::failure::Result;
use crate::module::{Session, check, plain};

/// Makes `N` objects and destroys them.
pub(super) struct Making<const N: usize, M, C> {
    pub session: Session,
    /// What was made last.
    pub last: Option<[CK_OBJECT_HANDLE; N]>,
    pub make: M,
    /// Whether objects are what they should be.
    pub check: C,
}

impl<const N: usize, M, C> Work for Making<N, M, C>
where
    M: FnMut(&Session) -> Result<[CK_OBJECT_HANDLE; N]> + Send,
    C: FnMut(&Session, [CK_OBJECT_HANDLE; N]) -> Result<()> + Send,
{
    fn repeat(&mut self, count: u64) -> Result<()> {
        for _ in 0..count {
            for object in self.last.take().into_iter().flatten() {
                destroy(&self.session, object)?;
            }
            self.last = Some((self.make)(&self.session)?);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        self.last.map_or(Ok(()), |last| (self.check)(&self.session, last))
    }
}

fn destroy(session: &Session, object: CK_OBJECT_HANDLE) -> Result<()> {
    // SAFETY: handles are only numbers.
    check("C_DestroyObject", unsafe { (session.module.table.destroy_object)(session.handle, object) })
}

/// Whether an AES key has this value, which may not be read.
pub(super) fn has_value(session: &Session, key: CK_OBJECT_HANDLE, value: &[u8; 32]) -> Result<()> {
    equal("the key", Some(&encrypted_block(session, key)?), &wrap::encrypted_block(value)?)
}

/// A block of zeros, encrypted by this key.
pub(super) fn encrypted_block(session: &Session, key: CK_OBJECT_HANDLE) -> Result<[u8; 16]> {
    let table = &session.module.table;
    let (mut mechanism, mut input, mut output, mut written) = (plain(CKM_AES_ECB), [0; 16], [0; 16], 16);
    // SAFETY: mechanism and buffers are valid for their lengths.
    unsafe {
        check("C_EncryptInit", (table.encrypt_init)(session.handle, &mut mechanism, key))?;
        let (from, into) = (input.as_mut_ptr(), output.as_mut_ptr());
        check("C_Encrypt", (table.encrypt)(session.handle, from, 16, into, &mut written))?;
    }
    Ok(output)
}
