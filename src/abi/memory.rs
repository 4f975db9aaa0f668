//! The caller's memory: read unaligned, bounded before it is read, written once at the end.
//!
//! All of these rely on the caller keeping the standard: a pointer is NULL or valid for what is said of it.

use std::ffi::c_void;

use cryptoki_sys::*;

use crate::crypto::InOut;
use crate::error::{Error, Result};
use crate::object::{Given, attribute, nested};
use crate::session::{Length, Output};

/// More attributes than any caller means.
const MOST_ATTRIBUTES: CK_ULONG = 4096;

/// The bytes at a pointer; NULL with length 0 is the empty input.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, length: CK_ULONG) -> Result<&'a [u8]> {
    let length = checked_input(pointer, length)?;
    if length == 0 {
        return Ok(&[]);
    }
    // SAFETY: not NULL, and valid for that length by the caller's contract.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// A PIN: NULL is refused, for no slot has a protected authentication path.
pub(super) unsafe fn pin<'a>(pointer: *const u8, length: CK_ULONG) -> Result<&'a [u8]> {
    if pointer.is_null() {
        return Err(Error::ArgumentsBad("the PIN is NULL"));
    }
    // SAFETY: the caller's contract.
    unsafe { bytes(pointer, length) }
}

/// The buffer at a pointer, to be filled.
pub(super) unsafe fn room<'a>(pointer: *mut u8, length: CK_ULONG) -> Result<&'a mut [u8]> {
    let length = checked_input(pointer, length)?;
    if length == 0 {
        return Ok(&mut []);
    }
    // SAFETY: not NULL, valid for that length by the caller's contract, and nothing else of this call lies there.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
}

/// Whether a result has a place, to be asked before anything is done.
pub(super) fn check_place<T>(pointer: *mut T) -> Result<()> {
    if pointer.is_null() { Err(Error::ArgumentsBad("the result has no place")) } else { Ok(()) }
}

/// Writes one value.
pub(super) unsafe fn write<T>(pointer: *mut T, value: T) -> Result<()> {
    check_place(pointer)?;
    // SAFETY: not NULL, valid by the caller's contract, perhaps not aligned.
    unsafe { pointer.write_unaligned(value) };
    Ok(())
}

/// Reads one value.
pub(super) unsafe fn read<T: Copy>(pointer: *const T) -> Result<T> {
    if pointer.is_null() {
        return Err(Error::ArgumentsBad("an argument is NULL"));
    }
    // SAFETY: not NULL, valid by the caller's contract, perhaps not aligned.
    Ok(unsafe { pointer.read_unaligned() })
}

/// A list for the caller, by the convention of PKCS#11 3.2, section 5.2.
pub(super) unsafe fn write_list<T: Copy>(list: &[T], into: *mut T, count: *mut CK_ULONG) -> Result<()> {
    // SAFETY: the caller's contract.
    let room = unsafe { read(count) }?;
    // SAFETY: as above.
    unsafe { write(count, list.len() as CK_ULONG) }?;
    if into.is_null() {
        return Ok(());
    }
    if room < list.len() as CK_ULONG {
        return Err(Error::BufferTooSmall);
    }
    for (index, item) in list.iter().enumerate() {
        // SAFETY: the caller has room for that many items.
        unsafe { into.add(index).write_unaligned(*item) };
    }
    Ok(())
}

/// Whether a template can be one at all.
pub(super) fn check_template(pointer: *const CK_ATTRIBUTE, count: CK_ULONG) -> Result<()> {
    if count > MOST_ATTRIBUTES || (pointer.is_null() && count > 0) {
        return Err(Error::ArgumentsBad("the template is NULL or impossibly long"));
    }
    Ok(())
}

/// A template. One in it may be a template itself; none in that one.
pub(super) unsafe fn template<'a>(pointer: *const CK_ATTRIBUTE, count: CK_ULONG) -> Result<Vec<Given<'a>>> {
    let read_one = |given: Given<'a>| {
        if !nested::is_template(given.number) {
            return Ok(given);
        }
        let name = attribute::name(given.number).unwrap_or_default();
        let (inside, rest) =
            (given.value.len() / size_of::<CK_ATTRIBUTE>(), given.value.len() % size_of::<CK_ATTRIBUTE>());
        if rest != 0 {
            return Err(Error::AttributeValueInvalid(name));
        }
        // SAFETY: by the attribute's type the caller gave that many attributes.
        let inside = unsafe { flat_template(given.value.as_ptr().cast(), inside as CK_ULONG) }?;
        Ok(Given { number: given.number, value: nested::write(name, &inside)?.into() })
    };
    // SAFETY: the caller's contract.
    unsafe { flat_template(pointer, count) }?.into_iter().map(read_one).collect()
}

/// A template with the bytes of each attribute as they are.
unsafe fn flat_template<'a>(pointer: *const CK_ATTRIBUTE, count: CK_ULONG) -> Result<Vec<Given<'a>>> {
    check_template(pointer, count)?;
    let read_one = |index: usize| {
        // SAFETY: the caller gave that many attributes.
        let CK_ATTRIBUTE { type_: number, pValue: value, ulValueLen: length } = unsafe { read(pointer.add(index)) }?;
        let name = attribute::name(number).unwrap_or("an unknown attribute");
        let length = checked(value, length).filter(|length| *length <= attribute::longest(number));
        let length = length.ok_or(Error::AttributeValueInvalid(name))?;
        // SAFETY: not NULL unless empty, and valid for that length by the caller's contract.
        let value = unsafe { bytes(value.cast(), length as CK_ULONG) }?;
        Ok(Given::new(number, value))
    };
    (0..count as usize).map(read_one).collect()
}

/// The input of a call and the caller's buffer for its result, with lengths that can be.
pub(super) struct Place {
    input: *const u8,
    length: usize,
    into: *mut u8,
    room: usize,
}

impl Place {
    /// The place, unless its lengths cannot be.
    pub(super) unsafe fn new(
        (input, length): (*const u8, CK_ULONG),
        (into, into_length): (*mut u8, *const CK_ULONG),
    ) -> Result<Self> {
        let length = checked_input(input, length)?;
        // SAFETY: the caller's contract.
        let room = unsafe { read(into_length) }?;
        // No caller has more memory than an address can reach; what is claimed beyond that is not believed, and not needed.
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(isize::MAX as usize);
        Ok(Self { input, length, into, room })
    }

    /// Input and buffer, also where the caller asks for the length alone: there is no room then.
    pub(super) unsafe fn in_out<'a>(self) -> InOut<'a> {
        let Self { input, length, into, room } = self;
        let room = if into.is_null() { 0 } else { room };
        // SAFETY: both are valid for their lengths by the caller's contract, wherever they overlap.
        unsafe { InOut::new(input, length, into, room) }
    }

    /// Where the result goes. Made in one step from what is known to be good: it is too large to be passed about.
    pub(super) unsafe fn output<'a>(self) -> Output<'a> {
        let Self { input, length, into, room } = self;
        if into.is_null() {
            return Output::Query(length);
        }
        // SAFETY: both are valid for their lengths by the caller's contract, wherever they overlap.
        Output::Buffer(unsafe { InOut::new(input, length, into, room) })
    }
}

/// The answer of a call whose result goes into the caller's buffer: what `work` puts there, and how long it is. Arguments that
/// cannot be used end the operation, like every other error: `cancel` does that.
#[inline(always)]
pub(super) unsafe fn answer(
    input: (*const u8, CK_ULONG),
    (into, into_length): (*mut u8, *mut CK_ULONG),
    cancel: impl FnOnce() -> Result<()>,
    work: impl FnOnce(Place) -> Result<Length>,
) -> Result<()> {
    // SAFETY: the caller's contract.
    let place = unsafe { Place::new(input, (into, into_length)) }.inspect_err(|_| drop(cancel()))?;
    // SAFETY: the caller's contract.
    unsafe { write_length(work(place)?, into_length) }
}

/// The input of a call that has none.
pub(super) const NOTHING: (*const u8, CK_ULONG) = (std::ptr::null(), 0);

/// Tells the caller how long the result is.
pub(super) unsafe fn write_length(length: Length, into: *mut CK_ULONG) -> Result<()> {
    let (bytes, outcome) = match length {
        Length::Written(bytes) | Length::Needed(bytes) => (bytes, Ok(())),
        Length::TooSmall(bytes) => (bytes, Err(Error::BufferTooSmall)),
    };
    // SAFETY: the caller's contract.
    unsafe { write(into, bytes as CK_ULONG) }?;
    outcome
}

/// Text in a field of fixed length: blank-padded, without NUL, never cut inside a character.
pub(super) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let end = text.floor_char_boundary(N);
    let mut field = [b' '; N];
    field.iter_mut().zip(text.as_bytes().iter().take(end)).for_each(|(to, from)| *to = *from);
    field
}

fn checked_input(pointer: *const u8, length: CK_ULONG) -> Result<usize> {
    match checked(pointer.cast(), length) {
        Some(length) => Ok(length),
        None => Err(Error::ArgumentsBad("NULL with a length, or an impossible length")),
    }
}

/// The length, if the pointer can have so much behind it.
pub(super) fn checked(pointer: *const c_void, length: CK_ULONG) -> Option<usize> {
    let length = usize::try_from(length).ok().filter(|length| *length <= isize::MAX as usize)?;
    (length == 0 || !pointer.is_null()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_padded_and_cut_between_characters() {
        assert_eq!(&padded::<4>("ab"), b"ab  ");
        assert_eq!(&padded::<4>("abcdef"), b"abcd");
        assert_eq!(padded::<4>("abcü"), *b"abc ");
    }
}
