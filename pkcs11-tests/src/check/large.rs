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
    let digest = Check::new("large", "digest of 4 GiB and 16 bytes", "5.12.2", digest);
    vec![Check { patience: 10, ..digest }]
}

const SIZE: usize = (1 << 32) + 16;
const PART: usize = 1 << 30;
/// Bytes that a module may ask for meanwhile.
const SPARE: u64 = 1 << 30;

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
    // A module that copies its input does not get the memory for that from a machine with other things to do.
    let codes = [CKR_OK, CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_HOST_MEMORY];
    let limit = AddressLimit::of(SPARE).map_err(|error| broken("setrlimit", "a limit", &error.to_string()))?;
    let outcome = trial.call("C_Digest", super::code::Expected::Codes(&codes), || {
        session.whole_raw(Purpose::Digest, raw(SIZE, buffer.pointer(), &mut room))
    });
    drop(limit);
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

/// A limit on this process's address space, taken back with the value.
struct AddressLimit(libc::rlimit);

impl AddressLimit {
    /// So many bytes more than there are now.
    fn of(spare: u64) -> io::Result<Self> {
        let statm = std::fs::read_to_string("/proc/self/statm")?;
        let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or_default();
        // SAFETY: a number that the system knows.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.unsigned_abs();
        let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the limit has its place.
        if unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut before) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let limit = libc::rlimit { rlim_cur: (pages * page + spare).min(before.rlim_max), ..before };
        // SAFETY: as above.
        if unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(before))
    }
}

impl Drop for AddressLimit {
    fn drop(&mut self) {
        // SAFETY: the limit that was there before.
        unsafe { libc::setrlimit(libc::RLIMIT_AS, &self.0) };
    }
}
