//! Buffers with guard bytes before and behind what the module is told of.

/// A buffer of which the module is told that it has so many bytes.
pub struct Guarded {
    bytes: Vec<u8>,
    room: usize,
}

const GUARD: usize = 64;
const MARK: u8 = 0xa5;

impl Guarded {
    /// A buffer of so many bytes, between guards.
    pub fn new(room: usize) -> Self {
        Self { bytes: vec![MARK; room + 2 * GUARD], room }
    }

    /// A buffer that begins with these bytes.
    pub fn holding(content: &[u8], room: usize) -> Self {
        let mut buffer = Self::new(room.max(content.len()));
        buffer.bytes.iter_mut().skip(GUARD).zip(content).for_each(|(to, from)| *to = *from);
        buffer
    }

    /// Where the buffer begins. It is never NULL, however short the buffer is.
    pub fn pointer(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().wrapping_add(GUARD)
    }

    /// The first bytes, as many as there are at most.
    pub fn first(&self, length: usize) -> &[u8] {
        let room = self.bytes.get(GUARD..).unwrap_or_default();
        room.get(..length.min(self.room)).unwrap_or_default()
    }

    /// Whether no guard byte was written to.
    pub fn is_intact(&self) -> bool {
        let before = self.bytes.iter().take(GUARD);
        let behind = self.bytes.iter().skip(GUARD + self.room);
        before.chain(behind).all(|byte| *byte == MARK)
    }

    /// Whether nothing at all was written.
    pub fn is_untouched(&self) -> bool {
        self.bytes.iter().all(|byte| *byte == MARK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_too_many_is_seen() {
        let mut buffer = Guarded::new(3);
        assert!(buffer.is_intact() && buffer.is_untouched());
        // SAFETY: the guard is inside of the allocation.
        unsafe { buffer.pointer().add(2).write(1) };
        assert!(buffer.is_intact() && !buffer.is_untouched());
        assert_eq!(buffer.first(9), [MARK, MARK, 1]);
        // SAFETY: as above.
        unsafe { buffer.pointer().add(3).write(1) };
        assert!(!buffer.is_intact());
    }
}
