//! Frames of a stream: four bytes of length, big-endian, and a body of CBOR.

use std::io::{self, Read, Write};

use minicbor::Decoder;

/// No body is longer, in bytes: some objects, or one of the largest.
pub const LONGEST: u32 = 20 << 20;

/// Why a frame was not read.
pub enum Unread {
    /// The stream broke, or ended inside a frame.
    Io(io::Error),
    /// It says that it is longer than what is read.
    TooLong,
}

/// Writes a frame, of which `tail` is a part that the length does not count.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a body that is too long.
pub fn write(stream: &mut impl Write, body: &[u8], tail: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    [&length.to_be_bytes(), body, tail].into_iter().try_for_each(|part| stream.write_all(part))
}

/// Reads the body of a frame and so many bytes behind it; nothing if the stream ended before the frame. What is held grows with what comes,
/// and not with what was announced.
pub fn read(stream: &mut impl Read, longest: u32, tail: usize) -> Result<Option<Vec<u8>>, Unread> {
    let mut head = Vec::new();
    match take(stream, HEAD, &mut head)? {
        0 => return Ok(None),
        HEAD => {}
        _ => return Err(Unread::Io(io::ErrorKind::UnexpectedEof.into())),
    }
    let length = head.first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default();
    if length > longest {
        return Err(Unread::TooLong);
    }
    let whole = (length as usize).saturating_add(tail);
    let mut body = Vec::new();
    match take(stream, whole, &mut body)? == whole {
        true => Ok(Some(body)),
        false => Err(Unread::Io(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// The next item of a body, bytes of this length.
pub fn fixed<const LENGTH: usize>(d: &mut Decoder<'_>) -> Result<[u8; LENGTH], minicbor::decode::Error> {
    d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message("a field has another length"))
}

/// The length of a length.
const HEAD: usize = 4;

fn take(stream: &mut impl Read, length: usize, into: &mut Vec<u8>) -> Result<usize, Unread> {
    stream.by_ref().take(length as u64).read_to_end(into).map_err(Unread::Io)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_frame_is_read_whole_or_not_at_all() {
        let mut stream = Vec::new();
        write(&mut stream, b"body", b"tail").unwrap();
        write(&mut stream, b"", b"").unwrap();
        let mut input = stream.as_slice();
        assert_eq!(read(&mut input, 4, 4).ok().flatten().unwrap(), b"bodytail");
        assert_eq!(read(&mut input, 4, 0).ok().flatten().unwrap(), b"");
        assert!(matches!(read(&mut input, 4, 0), Ok(None)));
        for length in 1..12 {
            assert!(matches!(read(&mut &stream[..length], 4, 4), Err(Unread::Io(_))), "{length}");
        }
        assert!(matches!(read(&mut stream.as_slice(), 3, 4), Err(Unread::TooLong)));
    }

    #[test]
    fn a_length_that_is_announced_takes_no_memory() {
        let mut stream = LONGEST.to_be_bytes().to_vec();
        stream.extend(b"short");
        assert!(matches!(read(&mut stream.as_slice(), LONGEST, 32), Err(Unread::Io(_))));
        assert!(write(&mut Vec::new(), &vec![0; LONGEST as usize + 1], b"").is_err());
    }
}
