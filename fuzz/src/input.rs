//! The fuzzer's bytes, taken from the front. When they are used up, there are zeros: a short input is a small one.

/// What is left of an input.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// Two bytes, little-endian.
    pub fn short(&mut self) -> u16 {
        u16::from(self.byte()) | u16::from(self.byte()) << 8
    }

    /// Eight bytes, little-endian.
    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, place| number | u64::from(self.byte()) << (8 * place))
    }

    /// So many bytes, or all that are left.
    pub fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, left) = self.0.split_at(length.min(self.0.len()));
        self.0 = left;
        taken
    }

    /// All that is left, at most so many bytes.
    pub fn rest(&mut self, most: usize) -> &'a [u8] {
        self.bytes(most)
    }
}
