//! A caller's input and output, which may be the same buffer.

use crate::error::{Error, Result};
use aes::Block;
use aes::cipher::inout::InOutBuf;
use std::marker::PhantomData;
use std::ptr;
use zeroize::{Zeroize, Zeroizing};

/// What is left of a caller's input, and the room left in the caller's output.
///
/// Whoever works on the two finds them either *in place*, where the next byte of input is the next byte of output, or
/// disjoint. Whatever moves one position without the other first copies the input that is left, so an operation may hold
/// bytes back or write ahead as it likes; so does the first step where they overlap in another way. Inside are raw
/// pointers: there is never a `&[u8]` and a `&mut [u8]` over the same bytes.
pub struct InOut<'a> {
    input: *const u8,
    left: usize,
    output: *mut u8,
    room: usize,
    written: usize,
    lie: Lie,
    /// Owns what `input` points into once the input was copied; wiped when dropped.
    copy: Option<Zeroizing<Vec<u8>>>,
    buffers: PhantomData<&'a mut [u8]>,
}

impl<'a> InOut<'a> {
    /// A C caller's buffers, however they lie: equal start pointers are in place, disjoint buffers are used as they are,
    /// and input that overlaps the output in part is copied before anything is written.
    ///
    /// # Safety
    /// For `'a`, `input` is valid for reads of `length` bytes and `output` for reads and writes of `room` bytes, and
    /// nobody else writes to them. Either may be NULL with length 0.
    pub unsafe fn new(input: *const u8, length: usize, output: *mut u8, room: usize) -> Self {
        let lie = match overlap(input.addr(), length, output.addr(), room) {
            false => Lie::Apart,
            true if input.addr() == output.addr() => Lie::InPlace,
            true => Lie::Astride,
        };
        Self { lie, ..Self::disjoint(input, length, output, room) }
    }

    /// Two slices, disjoint because one of them is borrowed for writing.
    pub fn from_slices(input: &'a [u8], output: &'a mut [u8]) -> Self {
        Self::disjoint(input.as_ptr(), input.len(), output.as_mut_ptr(), output.len())
    }

    /// One buffer that is input and output.
    pub fn in_place(buffer: &'a mut [u8]) -> Self {
        let length = buffer.len();
        Self::in_place_prefix(buffer, length)
    }

    /// One buffer whose first `length` bytes (all, if it has fewer) are the input, and which is output as a whole: room
    /// for a tag or padding behind.
    pub fn in_place_prefix(buffer: &'a mut [u8], length: usize) -> Self {
        let room = buffer.len();
        let output = buffer.as_mut_ptr();
        Self { lie: Lie::InPlace, ..Self::disjoint(output, length.min(room), output, room) }
    }

    /// Bytes of input left.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether all input has been taken.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Bytes of output left.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Bytes of output written so far.
    pub fn written(&self) -> usize {
        self.written
    }

    /// The input that is left. In place too: nothing can write while it is borrowed.
    pub fn input(&self) -> &[u8] {
        if self.left == 0 {
            return &[];
        }
        // SAFETY: `input` is valid for reads of `left` bytes, by the contract of `new`, by a slice borrowed for `'a`, or
        // by `copy`; writing to the output needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.input, self.left) }
    }

    /// The output written so far.
    pub fn output(&self) -> &[u8] {
        if self.written == 0 {
            return &[];
        }
        let start = self.output.wrapping_sub(self.written).cast_const();
        // SAFETY: the output began `written` bytes before `output` and is valid for reads; writing to it needs `&mut self`.
        unsafe { std::slice::from_raw_parts(start, self.written) }
    }

    /// Moves the next `n` bytes of input to the start of `into`.
    ///
    /// Errors: [`Error::GeneralError`] when there are fewer than `n` bytes or `into` is shorter, [`Error::HostMemory`]
    /// when the input that stays cannot be copied out of the output's way.
    pub fn take(&mut self, n: usize, into: &mut [u8]) -> Result<()> {
        let (Some(from), Some(into)) = (self.input().get(..n), into.get_mut(..n)) else {
            return Err(Error::GeneralError("more input was taken than there is".into()));
        };
        into.copy_from_slice(from);
        self.skip(n)
    }

    /// Passes over the next `n` bytes of input, which were read through [`input`](Self::input). Errors as
    /// [`take`](Self::take).
    pub fn skip(&mut self, n: usize) -> Result<()> {
        let left =
            self.left.checked_sub(n).ok_or_else(|| Error::GeneralError("input was skipped beyond its end".into()))?;
        self.input = self.input.wrapping_add(n);
        self.left = left;
        if n == 0 { Ok(()) } else { self.detach() }
    }

    /// Appends `bytes` to the output.
    ///
    /// Errors: [`Error::BufferTooSmall`], with nothing written; [`Error::HostMemory`] as for [`take`](Self::take).
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(room) = self.room.checked_sub(bytes.len()) else {
            return Err(Error::BufferTooSmall);
        };
        if bytes.is_empty() {
            return Ok(());
        }
        self.detach()?;
        // SAFETY: `output` is valid for writes of `room` bytes, of which `bytes` takes no more. `bytes` is borrowed from
        // elsewhere: from `self` it cannot be, which is borrowed for writing.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.output, bytes.len()) };
        self.output = self.output.wrapping_add(bytes.len());
        self.room = room;
        self.written = self.written.saturating_add(bytes.len());
        Ok(())
    }

    /// Copies the input that is left if it lies in the output, so that the two no longer touch. Other methods do it
    /// where it is needed.
    ///
    /// Errors: [`Error::HostMemory`].
    pub fn detach(&mut self) -> Result<()> {
        match self.lie {
            Lie::Apart => Ok(()),
            _ if self.left == 0 => Ok(()),
            Lie::InPlace | Lie::Astride => self.copy(),
        }
    }

    #[cold]
    fn copy(&mut self) -> Result<()> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.left).map_err(|_| Error::HostMemory("a copy of input that overlaps the output"))?;
        copy.extend_from_slice(self.input());
        let copy = self.copy.insert(Zeroizing::new(copy));
        self.input = copy.as_ptr();
        self.lie = Lie::Apart;
        Ok(())
    }

    /// Zeroes all output written so far: no plaintext may stay after a failed authentication.
    pub fn wipe_written(&mut self) {
        if self.written == 0 {
            return;
        }
        let start = self.output.wrapping_sub(self.written);
        // SAFETY: the output began `written` bytes before `output` and is valid for writes; the exclusive borrow of
        // `self` keeps `input()` from being borrowed.
        unsafe { std::slice::from_raw_parts_mut(start, self.written) }.zeroize();
    }

    /// Moves both positions by `length` bytes and returns where they were: the same address, or disjoint ranges. The
    /// caller reads and writes exactly these bytes.
    ///
    /// Errors: [`Error::GeneralError`] when there is less input, [`Error::BufferTooSmall`] when there is less room,
    /// [`Error::HostMemory`] as for [`take`](Self::take).
    pub(in crate::crypto) fn claim(&mut self, length: usize) -> Result<(*const u8, *mut u8)> {
        let Some(left) = self.left.checked_sub(length) else {
            return Err(Error::GeneralError("more input was claimed than there is".into()));
        };
        let Some(room) = self.room.checked_sub(length) else {
            return Err(Error::BufferTooSmall);
        };
        if self.lie == Lie::Astride {
            self.detach()?;
        }
        let (input, output) = (self.input, self.output);
        self.input = input.wrapping_add(length);
        self.output = output.wrapping_add(length);
        self.left = left;
        self.room = room;
        self.written = self.written.saturating_add(length);
        Ok((input, output))
    }

    /// The next `length` bytes, whole blocks, in the form that the crate `aes` works on. Errors as [`claim`](Self::claim).
    pub(in crate::crypto) fn claim_blocks(&mut self, length: usize) -> Result<InOutBuf<'_, '_, Block>> {
        let (input, output) = self.claim(length)?;
        // SAFETY: `claim` gave `length` bytes of both sides, equal or disjoint, which nobody else uses while `self` is
        // borrowed; a block is an array of bytes, and the division leaves no more of them than there are bytes.
        Ok(unsafe { InOutBuf::from_raw(input.cast(), output.cast(), length / size_of::<Block>()) })
    }

    fn disjoint(input: *const u8, left: usize, output: *mut u8, room: usize) -> Self {
        Self { input, left, output, room, written: 0, lie: Lie::Apart, copy: None, buffers: PhantomData }
    }
}

/// How what is left of the input lies to the room that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// No byte is in both.
    Apart,
    /// They begin at the same byte.
    InPlace,
    /// They overlap, and do not begin at the same byte: the input has to be copied before anything is written.
    Astride,
}

/// Whether two ranges of addresses have a byte in common.
fn overlap(a: usize, a_length: usize, b: usize, b_length: usize) -> bool {
    a_length != 0 && b_length != 0 && a < b.saturating_add(b_length) && b < a.saturating_add(a_length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// An `InOut` over one buffer with the input at `from` and the output at `to`.
    fn over(buffer: &mut [u8], from: usize, length: usize, to: usize, room: usize) -> InOut<'_> {
        assert!(from + length <= buffer.len() && to + room <= buffer.len());
        let start = buffer.as_mut_ptr();
        // SAFETY: both ranges lie in `buffer`, which is borrowed as long as the value lives.
        unsafe { InOut::new(start.add(from), length, start.add(to), room) }
    }

    #[test]
    fn only_equal_starts_are_in_place() {
        for (from, to, lie) in
            [(0, 0, Lie::InPlace), (0, 1, Lie::Astride), (1, 0, Lie::Astride), (0, 8, Lie::Apart), (8, 0, Lie::Apart)]
        {
            let mut buffer: Vec<u8> = (0..16).collect();
            let mut io = over(&mut buffer, from, 8, to, 8);
            assert_eq!(io.lie, lie);
            let (input, output) = io.claim(8).unwrap();
            assert_eq!(input == output.cast_const(), lie == Lie::InPlace);
            assert_eq!(io.copy.is_some(), lie == Lie::Astride);
            assert!(lie == Lie::InPlace || !overlap(input.addr(), 8, output.addr(), 8));
        }
    }

    #[test]
    fn null_with_no_length_is_empty() {
        // SAFETY: NULL with length 0 is allowed.
        let mut io = unsafe { InOut::new(ptr::null(), 0, ptr::null_mut(), 0) };
        assert!(io.is_empty() && io.input().is_empty() && io.room() == 0);
        io.write(&[]).unwrap();
        io.take(0, &mut []).unwrap();
        io.claim(0).unwrap();
        io.wipe_written();
        assert_eq!(io.write(&[1]), Err(Error::BufferTooSmall));
    }

    #[test]
    fn writing_ahead_spares_the_input() {
        for (from, to) in [(0, 0), (0, 3), (3, 0), (16, 0), (0, 16)] {
            let mut buffer = [0; 32];
            buffer[from..from + 16].copy_from_slice(b"0123456789abcdef");
            let mut io = over(&mut buffer, from, 16, to, 16);
            let mut head = [0; 4];
            io.write(b"ahead!").unwrap();
            io.take(4, &mut head).unwrap();
            assert_eq!((&head, io.input()), (b"0123", &b"456789abcdef"[..]));
            assert_eq!((io.len(), io.room(), io.written()), (12, 10, 6));
            io.write(&[b'.'; 10]).unwrap();
            assert_eq!(io.input(), b"456789abcdef");
            assert_eq!(io.write(&[0]), Err(Error::BufferTooSmall));
            drop(io);
            assert_eq!(&buffer[to..to + 16], b"ahead!..........");
        }
    }

    #[test]
    fn holding_back_spares_the_input() {
        let mut buffer = *b"0123456789abcdef";
        let mut io = InOut::in_place(&mut buffer);
        let mut head = [0; 3];
        io.take(3, &mut head).unwrap();
        let (input, output) = io.claim(13).unwrap();
        // SAFETY: the claimed ranges are disjoint after `take`, and 13 bytes long.
        unsafe { ptr::copy_nonoverlapping(input, output, 13) };
        io.write(&head).unwrap();
        assert_eq!(io.written(), 16);
        drop(io);
        assert_eq!(&buffer, b"3456789abcdef012");
    }

    #[test]
    fn claims_keep_the_two_sides_equal_or_apart() {
        let mut buffer = [7; 40];
        let mut io = InOut::in_place_prefix(&mut buffer, 32);
        let (input, output) = io.claim(16).unwrap();
        assert_eq!(input, output.cast_const());
        io.skip(1).unwrap();
        let (input, output) = io.claim(15).unwrap();
        assert!(!overlap(input.addr(), 15, output.addr(), 15));
        assert!(matches!(io.claim(1), Err(Error::GeneralError(_))));
        assert!(matches!(io.skip(1), Err(Error::GeneralError(_))));
        assert!(matches!(io.take(1, &mut [0]), Err(Error::GeneralError(_))));
        assert_eq!((io.written(), io.room()), (31, 9));
        let mut short = [0; 3];
        let mut io = InOut::from_slices(b"1234", &mut short);
        assert_eq!(io.claim(4).err(), Some(Error::BufferTooSmall));
        assert!(matches!(io.take(4, &mut [0; 3]), Err(Error::GeneralError(_))));
        assert_eq!((io.len(), io.room(), io.written()), (4, 3, 0));
    }

    #[test]
    fn wiping_reaches_exactly_what_was_written() {
        let mut buffer = [7; 8];
        let mut io = InOut::from_slices(b"12345", &mut buffer);
        io.claim(2).unwrap();
        io.write(&[9]).unwrap();
        io.wipe_written();
        drop(io);
        assert_eq!(buffer, [0, 0, 0, 7, 7, 7, 7, 7]);
    }
}
