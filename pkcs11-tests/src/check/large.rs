//! Inputs of 4 GiB and more: no length is cut to 32 bits.

use std::io;
use std::ptr;

use cryptoki_sys::*;

use super::guard::Guarded;
use super::mechanism::Known;
use super::operation::{ENOUGH, Purpose, Raw};
use super::suite::Check;
use super::trial::{Trial, ok};
use super::verdict::Outcome;
use super::world::broken;

/// The checks.
pub fn checks() -> Vec<Check> {
    vec![Check::new("large", "digest of 4 GiB and 16 bytes", "5.12.2", digest)]
}

const SIZE: usize = (1 << 32) + 16;
const PART: usize = 1 << 30;

/// One call gives what parts give, or says that it will not.
fn digest(trial: &mut Trial<'_>) -> Outcome {
    let world = trial.world;
    let known = Known::named("SHA256")?;
    world.lists(known.number, Purpose::Digest.flag())?;
    let memory = Zeros::new().map_err(|error| broken("mmap", "4 GiB of address space", &error.to_string()))?;
    let session = world.session()?;

    session.begin(Purpose::Digest, known)?;
    let (mut buffer, mut room) = (Guarded::new(ENOUGH), ENOUGH as CK_ULONG);
    let raw = |length: usize, output, room| Raw { input: memory.0, length: length as CK_ULONG, output, room };
    let codes = [CKR_OK, CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD];
    let outcome = trial.call("C_Digest", super::code::Expected::Codes(&codes), || {
        session.whole_raw(Purpose::Digest, raw(SIZE, buffer.pointer(), &mut room))
    });
    if outcome != CKR_OK {
        return Ok(());
    }
    let whole = buffer.first(room as usize).to_vec();

    session.begin(Purpose::Digest, known)?;
    for length in [PART, PART, PART, PART, SIZE - 4 * PART] {
        trial.at("C_DigestUpdate");
        ok("C_DigestUpdate", session.update_raw(Purpose::Digest, raw(length, ptr::null_mut(), ptr::null_mut())))?;
    }
    let mut room = ENOUGH as CK_ULONG;
    ok("C_DigestFinal", session.finish_raw(Purpose::Digest, buffer.pointer(), &mut room))?;
    let is_same = buffer.first(room as usize) == whole;
    trial.holds("C_Digest", "what parts give", is_same, || "other bytes".to_owned());
    Ok(())
}

/// Zeros that take no memory.
struct Zeros(*const u8);

impl Zeros {
    fn new() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, anywhere.
        let memory = unsafe { libc::mmap(ptr::null_mut(), SIZE, libc::PROT_READ, flags, -1, 0) };
        if memory == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(Self(memory.cast())) }
    }
}

impl Drop for Zeros {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nothing points into it any more.
        unsafe { libc::munmap(self.0.cast_mut().cast(), SIZE) };
    }
}
