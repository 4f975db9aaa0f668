//! AES in whole blocks: ECB, and CBC with and without padding. PKCS#11 3.2, sections 6.10.3 to 6.10.5.

use cryptoki_sys::{CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_ECB};
use zeroize::Zeroizing;

use super::operation::{Cipher, Ciphering};
use super::parameter::Shape;
use super::prepared::Keyed;
use super::wrap_cipher::wrapping;
use super::{AES, Does, Mechanism, NOTHING, Wanted, begin};
use crate::crypto::InOut;
use crate::error::{Error, Result};
use crate::secret::Secret;

pub(super) const ROWS: &[Mechanism] = &[
    Mechanism {
        number: CKM_AES_ECB,
        name: "CKM_AES_ECB",
        parameter: Shape::None,
        keys: AES,
        does: Does {
            encrypt: begin!(|_, _| Ok(BlockEncrypting::begin(Chain::Ecb, false))),
            decrypt: begin!(|_, _| Ok(BlockDecrypting::begin(Chain::Ecb, false))),
            ..NOTHING
        },
    },
    Mechanism {
        number: CKM_AES_CBC,
        name: "CKM_AES_CBC",
        parameter: Shape::Bytes,
        keys: AES,
        does: Does {
            encrypt: begin!(|_, parameter| Ok(BlockEncrypting::begin(Chain::Cbc(parameter.iv()?), false))),
            decrypt: begin!(|_, parameter| Ok(BlockDecrypting::begin(Chain::Cbc(parameter.iv()?), false))),
            ..NOTHING
        },
    },
    Mechanism {
        number: CKM_AES_CBC_PAD,
        name: "CKM_AES_CBC_PAD",
        parameter: Shape::Bytes,
        keys: AES,
        does: Does {
            encrypt: begin!(|_, parameter| Ok(BlockEncrypting::begin(Chain::Cbc(parameter.iv()?), true))),
            decrypt: begin!(|_, parameter| Ok(BlockDecrypting::begin(Chain::Cbc(parameter.iv()?), true))),
            wrap: wrapping!(
                |parameter| Ok(BlockEncrypting::begin(Chain::Cbc(parameter.iv()?), true)),
                |parameter| Ok(BlockDecrypting::begin(Chain::Cbc(parameter.iv()?), true)),
                // That the length alone is wrong would tell that the padding was right.
                |value: Secret, wanted: &Wanted| match wanted.takes(value.len()) {
                    true => Ok(value),
                    false => Err(Error::WrappedKeyInvalid),
                }
            ),
            ..NOTHING
        },
    },
];

const BLOCK: usize = 16;

/// How one block goes into the next.
#[derive(Clone, Copy)]
enum Chain {
    /// Not at all.
    Ecb,
    /// As the vector that stands for the block before.
    Cbc([u8; BLOCK]),
}

impl Chain {
    fn encrypt(&mut self, keyed: &Keyed, io: &mut InOut<'_>, length: usize) -> Result<()> {
        match self {
            Self::Ecb => keyed.ecb()?.encrypt(io, length),
            Self::Cbc(iv) => keyed.aes()?.cbc_encrypt(iv, io, length),
        }
    }

    /// The chain for a block that follows this one of ciphertext.
    fn behind(self, before: &[u8; BLOCK]) -> Self {
        match self {
            Self::Ecb => Self::Ecb,
            Self::Cbc(_) => Self::Cbc(*before),
        }
    }

    fn decrypt(&mut self, keyed: &Keyed, io: &mut InOut<'_>, length: usize) -> Result<()> {
        match self {
            Self::Ecb => keyed.ecb()?.decrypt(io, length),
            Self::Cbc(iv) => keyed.aes()?.cbc_decrypt(iv, io, length),
        }
    }
}

/// Encryption in whole blocks.
pub struct BlockEncrypting {
    chain: Chain,
    held: Held,
    padded: bool,
}

impl BlockEncrypting {
    fn begin(chain: Chain, padded: bool) -> Ciphering {
        Ciphering::BlockEncrypt(Self { chain, held: Held::default(), padded })
    }
}

impl Cipher for BlockEncrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        let blocks = input / BLOCK * BLOCK;
        match (self.padded, blocks == input) {
            (true, _) => blocks.checked_add(BLOCK).ok_or(Error::DataLenRange),
            (false, true) => Ok(input),
            (false, false) => Err(Error::DataLenRange),
        }
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        self.update(keyed, io)?;
        self.finish(keyed, io)
    }

    fn update_length(&self, input: usize) -> Result<usize> {
        let all = input.checked_add(self.held.length).ok_or(Error::DataLenRange)?;
        Ok(all / BLOCK * BLOCK)
    }

    fn update(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let mut ready = self.update_length(io.len())?;
        if self.held.length > 0 && ready > 0 {
            self.held.fill_up(io)?;
            self.chain.encrypt(keyed, &mut InOut::in_place(&mut self.held.block), BLOCK)?;
            self.held.write_out(io)?;
            ready = ready.saturating_sub(BLOCK);
        }
        self.chain.encrypt(keyed, io, ready)?;
        self.held.keep_rest(io)
    }

    fn finish_length(&self) -> Result<usize> {
        match (self.padded, self.held.length) {
            (true, _) => Ok(BLOCK),
            (false, 0) => Ok(0),
            (false, _) => Err(Error::DataLenRange),
        }
    }

    fn finish(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        if self.finish_length()? == 0 {
            return Ok(());
        }
        // RFC 5652, section 6.3.
        let padding = BLOCK.saturating_sub(self.held.length) as u8;
        self.held.block.iter_mut().skip(self.held.length).for_each(|byte| *byte = padding);
        self.chain.encrypt(keyed, &mut InOut::in_place(&mut self.held.block), BLOCK)?;
        self.held.write_out(io)
    }
}

/// Decryption in whole blocks. With padding the last block is held back until the end is known.
pub struct BlockDecrypting {
    chain: Chain,
    held: Held,
    padded: bool,
}

impl BlockDecrypting {
    fn begin(chain: Chain, padded: bool) -> Ciphering {
        Ciphering::BlockDecrypt(Self { chain, held: Held::default(), padded })
    }

    /// The length of the whole message's text, which only its last block tells.
    fn text_length(&self, keyed: &Keyed, input: &[u8]) -> Result<usize> {
        let (front, last) = input.split_last_chunk::<BLOCK>().ok_or(Error::EncryptedDataLenRange)?;
        let chain = front.last_chunk::<BLOCK>().map_or(self.chain, |before| self.chain.behind(before));
        let (_, text) = open_last(keyed, chain, last)?;
        Ok(front.len().saturating_add(text))
    }
}

/// The plaintext of the last block, and its length without the padding.
fn open_last(keyed: &Keyed, mut chain: Chain, block: &[u8; BLOCK]) -> Result<(Zeroizing<[u8; BLOCK]>, usize)> {
    let mut block = Zeroizing::new(*block);
    chain.decrypt(keyed, &mut InOut::in_place(block.as_mut_slice()), BLOCK)?;
    let padding = block.last().copied().unwrap_or_default();
    let text = BLOCK.checked_sub(usize::from(padding)).filter(|text| *text < BLOCK);
    let text = text.ok_or(Error::EncryptedDataInvalid)?;
    // Every byte is looked at, whatever the others are.
    let wrong = block.iter().skip(text).fold(0, |wrong, byte| wrong | (byte ^ padding));
    if wrong == 0 { Ok((block, text)) } else { Err(Error::EncryptedDataInvalid) }
}

impl Cipher for BlockDecrypting {
    fn whole_length(&self, input: usize) -> Result<usize> {
        match (self.padded, input % BLOCK, input) {
            (false, 0, _) => Ok(input),
            (true, 0, BLOCK..) => Ok(input.saturating_sub(1)),
            _ => Err(Error::EncryptedDataLenRange),
        }
    }

    fn judges_room(&self) -> bool {
        self.padded
    }

    fn whole(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        if io.room() < self.whole_length(io.len())? && io.room() < self.text_length(keyed, io.input())? {
            return Err(Error::BufferTooSmall);
        }
        self.update(keyed, io)?;
        self.finish(keyed, io)
    }

    fn update_length(&self, input: usize) -> Result<usize> {
        let all = input.checked_add(self.held.length).ok_or(Error::EncryptedDataLenRange)?;
        let kept_back = usize::from(self.padded);
        Ok(all.saturating_sub(kept_back) / BLOCK * BLOCK)
    }

    fn update(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        let mut ready = self.update_length(io.len())?;
        if self.held.length > 0 && ready > 0 {
            self.held.fill_up(io)?;
            self.chain.decrypt(keyed, &mut InOut::in_place(&mut self.held.block), BLOCK)?;
            self.held.write_out(io)?;
            ready = ready.saturating_sub(BLOCK);
        }
        self.chain.decrypt(keyed, io, ready)?;
        self.held.keep_rest(io)
    }

    fn finish_length(&self) -> Result<usize> {
        match (self.padded, self.held.length) {
            (true, BLOCK) => Ok(BLOCK - 1),
            (false, 0) => Ok(0),
            _ => Err(Error::EncryptedDataLenRange),
        }
    }

    fn finish(&mut self, keyed: &Keyed, io: &mut InOut<'_>) -> Result<()> {
        if self.finish_length()? == 0 {
            return Ok(());
        }
        let (block, text) = open_last(keyed, self.chain, &self.held.block)?;
        io.write(block.get(..text).unwrap_or_default())
    }
}

/// Input that waits for the rest of its block. Wiped when dropped, for it may be plaintext.
#[derive(Default)]
struct Held {
    block: [u8; BLOCK],
    length: usize,
}

impl Held {
    /// Takes as much input as completes the block.
    fn fill_up(&mut self, io: &mut InOut<'_>) -> Result<()> {
        let rest = self.block.get_mut(self.length..).unwrap_or_default();
        io.take(rest.len(), rest)?;
        self.length = BLOCK;
        Ok(())
    }

    /// Writes the block, which has been worked on, and is empty again.
    fn write_out(&mut self, io: &mut InOut<'_>) -> Result<()> {
        io.write(&self.block)?;
        *self = Self::default();
        Ok(())
    }

    /// Keeps what is left of the input, which is no more than the block can hold.
    fn keep_rest(&mut self, io: &mut InOut<'_>) -> Result<()> {
        let rest = io.len();
        let end = self.length.saturating_add(rest);
        let free = self.block.get_mut(self.length..end).unwrap_or_default();
        io.take(rest, free)?;
        self.length = end;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.block);
    }
}
