//! One piece of memory with input and output of a call in it, as a C caller may lay them: apart, in place, or overlapping.

use cryptoki_sys::{CK_BYTE, CK_RV, CK_ULONG, CKR_BUFFER_TOO_SMALL, CKR_OK};

/// Where the output lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere near the input.
    Apart,
    /// Where the input begins.
    Same,
    /// So many bytes behind the beginning of the input.
    Behind(usize),
    /// So many bytes before it.
    Before(usize),
}

/// A call with an input and an output: data, its length, the buffer, and the length of that.
pub type Call<'a> = &'a dyn Fn(*mut CK_BYTE, CK_ULONG, *mut CK_BYTE, *mut CK_ULONG) -> CK_RV;

/// Nobody's bytes around input and output.
const GUARD: usize = 32;

/// Makes a call whose output has `room` bytes: its code, the length it gives, and the output. What is not the output does
/// not change, and no call gives more than there is room for.
pub fn make(call: Call<'_>, input: &[u8], place: Place, room: usize) -> (CK_RV, usize, Vec<u8>) {
    let (at, into) = match place {
        Place::Apart => (GUARD, GUARD + input.len() + GUARD),
        Place::Same => (GUARD, GUARD),
        Place::Behind(distance) => (GUARD, GUARD + distance),
        Place::Before(distance) => (GUARD + distance, GUARD),
    };
    let mut memory = vec![0xa5; (at + input.len()).max(into + room) + GUARD];
    memory[at..][..input.len()].copy_from_slice(input);
    let before = memory.clone();
    let mut length = room as CK_ULONG;
    let base = memory.as_mut_ptr();
    let code = call(base.wrapping_add(at), input.len() as CK_ULONG, base.wrapping_add(into), &mut length);
    let length = length as usize;
    assert!(code != CKR_OK || length <= room, "{length} bytes in a buffer of {room}");
    assert_eq!(memory[..into], before[..into], "written before the buffer");
    assert_eq!(memory[into + room..], before[into + room..], "written behind the buffer");
    let output = if code == CKR_OK { memory[into..][..length].to_vec() } else { Vec::new() };
    (code, length, output)
}

/// The announced length, then the result in a buffer of exactly that length. `probe` tries a buffer that is a byte shorter
/// before: it suffices if the result is shorter than announced, else the call can be made again.
pub fn announced(call: Call<'_>, input: &[u8], place: Place, probe: bool) -> Result<Vec<u8>, CK_RV> {
    let mut announced = 0;
    match call(input.as_ptr().cast_mut(), input.len() as CK_ULONG, std::ptr::null_mut(), &mut announced) {
        CKR_OK => (),
        code => return Err(code),
    }
    let announced = announced as usize;
    if probe && announced > 0 {
        match make(call, input, place, announced - 1) {
            (CKR_BUFFER_TOO_SMALL, told, _) => assert_eq!(told, announced),
            (CKR_OK, _, output) => return Ok(output),
            (code, ..) => return Err(code),
        }
    }
    match make(call, input, place, announced) {
        (CKR_OK, _, output) => Ok(output),
        (code, ..) => {
            assert_ne!(code, CKR_BUFFER_TOO_SMALL, "the announced length is too small");
            Err(code)
        }
    }
}
