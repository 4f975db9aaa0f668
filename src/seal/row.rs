//! The row of an object, as CBOR: which bytes are which, and nothing of what they mean.

use super::{FORMAT, Visibility};
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

/// A row, borrowed from its bytes or about to become them: a map with ascending keys, deterministically encoded
/// (RFC 8949, section 4.2.1). Anything else is refused.
pub struct Row<'a> {
    pub visibility: Visibility,
    /// Private: nonce and AES-GCM. Public: plain.
    pub body: &'a [u8],
    /// Nonce and AES-GCM, if the object has key material.
    pub material: Option<&'a [u8]>,
    /// Public only, and then always: a MAC of 32 bytes, or none when nobody was logged in. So no single damaged byte
    /// makes one visibility of the other.
    pub mac: Option<&'a [u8]>,
}

impl<'a> Row<'a> {
    /// Reads a row; the error is the sentence for people.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let row = Self::decode(&mut Decoder::new(bytes)).map_err(|error| error.to_string())?;
        if row.encode() != bytes {
            return Err("the row is not deterministic".into());
        }
        match (row.visibility, row.mac.map(<[u8]>::len), row.material) {
            (Visibility::Private, None, _)
            | (Visibility::Public, Some(32), _)
            | (Visibility::Public, Some(0), None) => Ok(row),
            _ => Err("the row's fields do not go together".into()),
        }
    }

    /// The row's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let fields = [self.material, self.mac].iter().flatten().count();
        let mut e = Encoder::new(Vec::with_capacity(self.body.len().saturating_add(160)));
        // Writing to a vector cannot fail.
        let _ = self.write(&mut e, fields as u64);
        e.into_writer()
    }

    fn write(
        &self,
        e: &mut Encoder<Vec<u8>>,
        more: u64,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        e.map(more.saturating_add(3))?.u8(0)?.u8(FORMAT)?;
        e.u8(1)?.u8(self.visibility as u8)?;
        e.u8(2)?.bytes(self.body)?;
        if let Some(material) = self.material {
            e.u8(3)?.bytes(material)?;
        }
        if let Some(mac) = self.mac {
            e.u8(4)?.bytes(mac)?;
        }
        Ok(())
    }

    fn decode(d: &mut Decoder<'a>) -> Result<Self, Error> {
        let fields = d.map()?.ok_or_else(|| Error::message("a map of unknown length"))?;
        if d.u8()? != 0 {
            return Err(Error::message("no format"));
        }
        let format = d.u64()?;
        if format != u64::from(FORMAT) {
            return Err(Error::message(format!("it has format {format}, and this library knows format {FORMAT}")));
        }
        let (mut visibility, mut body, mut material, mut mac) = (None, None, None, None);
        for _ in 1..fields {
            match d.u8()? {
                1 => visibility = Some(decode_visibility(d)?),
                2 => body = Some(d.bytes()?),
                3 => material = Some(d.bytes()?),
                4 => mac = Some(d.bytes()?),
                _ => return Err(Error::message("an unknown field")),
            }
        }
        let visibility = visibility.ok_or_else(|| Error::message("no visibility"))?;
        let body = body.ok_or_else(|| Error::message("no body"))?;
        Ok(Self { visibility, body, material, mac })
    }
}

fn decode_visibility(d: &mut Decoder<'_>) -> Result<Visibility, Error> {
    match d.u8()? {
        0 => Ok(Visibility::Private),
        1 => Ok(Visibility::Public),
        _ => Err(Error::message("an unknown visibility")),
    }
}
