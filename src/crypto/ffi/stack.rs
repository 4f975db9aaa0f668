//! What AWS-LC leaves on the stack: its scalar multiplications do not wipe their copies of the scalar.

use std::hint::black_box;

/// Does something with a secret and overwrites the stack that it may have used. Not to be compiled into the caller, whose
/// frame would be another one's then.
#[inline(never)]
pub(super) fn forgotten<T>(work: impl FnOnce() -> T) -> T {
    let done = work();
    overwrite();
    done
}

/// As deep as the multiplications go, tables of points and all, and not so deep that a small stack has no room for it.
const DEPTH: usize = 16 * 1024;

#[inline(never)]
fn overwrite() {
    black_box(&mut [0_u8; DEPTH]);
}
