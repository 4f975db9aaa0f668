//! AES blocks, CBC, CTR, and key wrap.

use crate::crypto::{InOut, Rejected};
use crate::error::Result;
use crate::secret::Secret;
use aws_lc_sys::{
    AES_DECRYPT, AES_ENCRYPT, AES_KEY, AES_cbc_encrypt, AES_ctr128_encrypt, AES_decrypt, AES_encrypt,
    AES_set_decrypt_key, AES_set_encrypt_key, AES_unwrap_key, AES_unwrap_key_padded, AES_wrap_key, AES_wrap_key_padded,
};
use zeroize::Zeroize;

/// The key schedules of one AES key, boxed so that moving the value leaves no copy behind.
pub struct Schedules(Box<Pair>);

struct Pair {
    encrypt: AES_KEY,
    decrypt: AES_KEY,
}

impl Schedules {
    /// Expands a key of 16, 24 or 32 bytes for both directions.
    pub fn new(key: &[u8]) -> Result<Self, Rejected> {
        let bits = match key.len() {
            16 => 128,
            24 => 192,
            32 => 256,
            _ => return Err(Rejected),
        };
        let empty = AES_KEY { rd_key: [0; 60], rounds: 0 };
        let mut pair = Box::new(Pair { encrypt: empty, decrypt: empty });
        // SAFETY: `key` is readable for `bits`, and the schedules are writable.
        let set = unsafe {
            AES_set_encrypt_key(key.as_ptr(), bits, &mut pair.encrypt) == 0
                && AES_set_decrypt_key(key.as_ptr(), bits, &mut pair.decrypt) == 0
        };
        if set { Ok(Self(pair)) } else { Err(Rejected) }
    }

    pub fn encrypt_block(&self, block: &mut [u8; 16]) {
        let block = block.as_mut_ptr();
        // SAFETY: AES_encrypt reads 16 bytes before it writes as many; the two may be the same.
        unsafe { AES_encrypt(block, block, &self.0.encrypt) };
    }

    pub fn decrypt_block(&self, block: &mut [u8; 16]) {
        let block = block.as_mut_ptr();
        // SAFETY: as for `encrypt_block`.
        unsafe { AES_decrypt(block, block, &self.0.decrypt) };
    }

    /// CBC over these blocks from the IV `chain`, of whose ciphertext only the last block is kept, in `chain`.
    pub fn cbc_mac(&self, chain: &mut [u8; 16], blocks: &[[u8; 16]]) {
        let mut scratch = [[0; 16]; 8];
        for part in blocks.chunks(scratch.len()) {
            let (from, to, length) = (part.as_ptr().cast(), scratch.as_mut_ptr().cast(), size_of_val(part));
            // SAFETY: `part` is readable for `length` bytes, and `scratch` writable, having as many blocks or more.
            unsafe { AES_cbc_encrypt(from, to, length, &self.0.encrypt, chain.as_mut_ptr(), AES_ENCRYPT) };
        }
        scratch.as_flattened_mut().zeroize();
    }

    /// CBC over the next `length` bytes, whole blocks; `iv` becomes what the following bytes need.
    pub fn cbc_encrypt(&self, iv: &mut [u8; 16], io: &mut InOut, length: usize) -> Result<()> {
        let (input, output) = io.claim(length)?;
        // SAFETY: `claim` gave `length` bytes of both sides, equal or disjoint, as this function takes them.
        unsafe { AES_cbc_encrypt(input, output, length, &self.0.encrypt, iv.as_mut_ptr(), AES_ENCRYPT) };
        Ok(())
    }

    /// See [`cbc_encrypt`](Self::cbc_encrypt).
    pub fn cbc_decrypt(&self, iv: &mut [u8; 16], io: &mut InOut, length: usize) -> Result<()> {
        let (input, output) = io.claim(length)?;
        // SAFETY: as for `cbc_encrypt`.
        unsafe { AES_cbc_encrypt(input, output, length, &self.0.decrypt, iv.as_mut_ptr(), AES_DECRYPT) };
        Ok(())
    }

    /// CTR over the next `length` bytes; the whole block counts, as a big-endian number.
    pub fn ctr(&self, stream: &mut Keystream, io: &mut InOut, length: usize) -> Result<()> {
        let (input, output) = io.claim(length)?;
        let Keystream { counter, block, used } = stream;
        // SAFETY: `claim` gave `length` bytes of both sides, equal or disjoint; the state is 16 bytes, 16 bytes and a
        // number below 16, as this function leaves it.
        unsafe {
            AES_ctr128_encrypt(input, output, length, &self.0.encrypt, counter.as_mut_ptr(), block.as_mut_ptr(), used)
        };
        Ok(())
    }

    /// RFC 3394, section 2.2.1, with this initial value. `None` for what is not whole semiblocks, at least two.
    pub fn wrap(&self, iv: &[u8; 8], data: &[u8]) -> Option<Vec<u8>> {
        let mut wrapped = vec![0; data.len().checked_add(8)?];
        // SAFETY: the output is 8 bytes longer than the input, as this function writes it.
        let length =
            unsafe { AES_wrap_key(&self.0.encrypt, iv.as_ptr(), wrapped.as_mut_ptr(), data.as_ptr(), data.len()) };
        (usize::try_from(length) == Ok(wrapped.len())).then_some(wrapped)
    }

    /// RFC 3394, section 2.2.2, with this initial value, which is compared in constant time.
    pub fn unwrap(&self, iv: &[u8; 8], wrapped: &[u8]) -> Option<Secret> {
        let mut data = Secret::zeroed(wrapped.len().checked_sub(8)?);
        let into = data.expose_mut().as_mut_ptr();
        // SAFETY: the output is 8 bytes shorter than the input, as this function writes it.
        let length = unsafe { AES_unwrap_key(&self.0.decrypt, iv.as_ptr(), into, wrapped.as_ptr(), wrapped.len()) };
        (usize::try_from(length) == Ok(data.len())).then_some(data)
    }

    /// RFC 5649, section 4.1. `None` for nothing, and for 2^32 bytes or more.
    pub fn wrap_padded(&self, data: &[u8]) -> Option<Vec<u8>> {
        let mut wrapped = vec![0; data.len().checked_next_multiple_of(8)?.checked_add(8)?];
        let mut length = 0;
        // SAFETY: the room of the output is passed along.
        let done = unsafe {
            AES_wrap_key_padded(
                &self.0.encrypt,
                wrapped.as_mut_ptr(),
                &mut length,
                wrapped.len(),
                data.as_ptr(),
                data.len(),
            )
        };
        (done == 1 && length == wrapped.len()).then_some(wrapped)
    }

    /// RFC 5649, section 4.2. Constant, length and padding are judged together, in constant time. The data and its
    /// length, which is not that of the buffer.
    pub fn unwrap_padded(&self, wrapped: &[u8]) -> Option<(Secret, usize)> {
        let mut data = Secret::zeroed(wrapped.len().checked_sub(8)?);
        let (into, room) = (data.expose_mut().as_mut_ptr(), data.len());
        let mut length = 0;
        // SAFETY: the room of the output is passed along, and it is what this function asks for.
        let done =
            unsafe { AES_unwrap_key_padded(&self.0.decrypt, into, &mut length, room, wrapped.as_ptr(), wrapped.len()) };
        (done == 1 && length <= data.len()).then_some((data, length))
    }
}

/// Where CTR stands: the counter block that comes next, and how much of the current block of key stream is used.
pub struct Keystream {
    counter: [u8; 16],
    block: [u8; 16],
    used: u32,
}

impl Keystream {
    /// Begins at this counter block.
    pub fn new(counter: [u8; 16]) -> Self {
        Self { counter, block: [0; 16], used: 0 }
    }
}

impl Drop for Keystream {
    fn drop(&mut self) {
        self.counter.as_mut_slice().zeroize();
        self.block.as_mut_slice().zeroize();
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.encrypt.rd_key.as_mut_slice().zeroize();
        self.decrypt.rd_key.as_mut_slice().zeroize();
    }
}
