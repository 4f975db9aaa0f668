//! Random bytes.

use cryptoki_sys::*;

use super::Maker;
use crate::bench::turn::Work;
use crate::failure::{Failure, Result};
use crate::module::{Session, check};

pub(super) fn maker(size: usize) -> Maker {
    Box::new(move |session| Ok(Box::new(Random { session, output: vec![0; size], before: vec![0; size] })))
}

struct Random {
    session: Session,
    output: Vec<u8>,
    /// What was there at the last check.
    before: Vec<u8>,
}

impl Work for Random {
    fn repeat(&mut self, count: u64) -> Result<()> {
        let (generate, session) = (self.session.module.table.generate_random, self.session.handle);
        let (into, length) = (self.output.as_mut_ptr(), self.output.len() as CK_ULONG);
        // SAFETY: the buffer is valid for its length.
        (0..count).try_for_each(|_| check("C_GenerateRandom", unsafe { generate(session, into, length) }))
    }

    fn check(&mut self) -> Result<()> {
        // No 16 bytes are ever twice the same.
        let mut pieces = self.output.chunks_exact(16).zip(self.before.chunks_exact(16));
        if pieces.any(|(now, before)| now == before) {
            return Err(Failure::wrong_result("bytes are not random"));
        }
        self.before.copy_from_slice(&self.output);
        Ok(())
    }
}
