//! What the token row keeps for a PIN.

use super::FORMAT;
use crate::crypto::kdf::Argon2Cost;
use minicbor::decode::Error;
use minicbor::encode::{self, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

/// The master key locked under a PIN. In CBOR a map with the keys 0 to 5, and 6 where a host key is needed too, deterministically
/// encoded (RFC 8949, section 4.2.1): anything else is refused, unknown keys too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRow {
    /// The salt of Argon2id.
    pub salt: [u8; 16],
    /// The cost of Argon2id.
    pub cost: Argon2Cost,
    /// The master key under AES-KWP: 40 bytes.
    pub wrapped: Vec<u8>,
    /// Which host key is needed beside the PIN, if one is.
    pub host_key: Option<[u8; 16]>,
}

impl<C> Encode<C> for PinRow {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.map(6_u64.saturating_add(self.host_key.is_some().into()))?.u8(0)?.u8(FORMAT)?;
        e.u8(1)?.bytes(&self.salt)?;
        e.u8(2)?.u32(self.cost.memory_kib)?;
        e.u8(3)?.u32(self.cost.passes)?;
        e.u8(4)?.u32(self.cost.lanes)?;
        e.u8(5)?.bytes(&self.wrapped)?;
        match &self.host_key {
            Some(id) => e.u8(6)?.bytes(id)?.ok(),
            None => Ok(()),
        }
    }
}

impl<'b, C> Decode<'b, C> for PinRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let start = d.position();
        let fields = d.map()?;
        key(d, 0)?;
        let format = d.u64()?;
        if format != u64::from(FORMAT) {
            return Err(Error::message(format!("a PIN row of format {format}, this library knows format {FORMAT}")));
        }
        key(d, 1)?;
        let salt = d.bytes()?.try_into().map_err(|_| Error::message("a salt that is not of 16 bytes"))?;
        key(d, 2)?;
        let memory_kib = d.u32()?;
        key(d, 3)?;
        let passes = d.u32()?;
        key(d, 4)?;
        let lanes = d.u32()?;
        key(d, 5)?;
        let wrapped = d.bytes()?.to_vec();
        let host_key = match fields {
            Some(7) => {
                key(d, 6)?;
                let id = d.bytes()?.try_into();
                Some(id.map_err(|_| Error::message("the id of a host key that is not of 16 bytes"))?)
            }
            _ => None,
        };
        let row = Self { salt, cost: Argon2Cost { memory_kib, passes, lanes }, wrapped, host_key };

        let deterministic = minicbor::to_vec(&row).map_err(|_| Error::message("a PIN row that cannot be encoded"))?;
        let read = d.input().get(start..d.position());
        if matches!(fields, Some(6 | 7)) && read == Some(&deterministic) {
            Ok(row)
        } else {
            Err(Error::message("a PIN row that is not deterministic"))
        }
    }
}

/// The next key must be `expected`.
fn key(d: &mut Decoder<'_>, expected: u8) -> Result<(), Error> {
    if d.u8()? == expected { Ok(()) } else { Err(Error::message("an unknown key in a PIN row")) }
}
