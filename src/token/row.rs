//! The token row: what the store keeps of a token beside its objects. `docs/formats.md` has the page.

use std::fmt::Display;

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::error::{Error, Result};
use crate::seal::{PinRow, TokenFacts, TokenId};

/// A token's label: UTF-8, blank-padded. PKCS#11 3.2, section 5.5.6.
pub type Label = [u8; 32];

/// The token row, decoded.
#[derive(Clone)]
pub(super) struct TokenRecord {
    /// Random; another one after each initialisation.
    pub id: TokenId,
    pub label: Label,
    /// Sixteen hexadecimal digits; the same for ever.
    pub serial: [u8; 16],
    pub so: Pin,
    /// None until the SO has set it.
    pub user: Option<Pin>,
    /// Whether unextractable keys are maskable unless they say otherwise.
    pub maskable: bool,
    /// What makes the rest but the PINs authentic: see [`TokenFacts`].
    pub mac: [u8; 32],
}

/// One role's PIN.
#[derive(Clone)]
pub(super) struct Pin {
    pub row: PinRow,
    /// Wrong PINs since the last right one.
    pub failures: u32,
}

const FORMAT: u8 = 1;
const ID: u8 = 2;
const LABEL: u8 = 4;
const SERIAL: u8 = 6;
const SO: u8 = 8;
const USER: u8 = 10;
const MASKABLE: u8 = 12;
const MAC: u8 = 14;

impl TokenRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.write(&mut encoder);
        encoder.into_writer()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let damaged =
            |what: &dyn Display| Error::TokenNotRecognized(format!("its token row is damaged: {what}").into());
        let record = Self::read(&mut Decoder::new(bytes)).map_err(|error| damaged(&error))?;
        if record.encode() == bytes { Ok(record) } else { Err(damaged(&"it is not in the one form that it can have")) }
    }

    /// What the MAC is over.
    pub(super) fn facts(&self) -> TokenFacts<'_> {
        TokenFacts { label: &self.label, serial: &self.serial, maskable: self.maskable }
    }

    fn write(&self, encoder: &mut Encoder<Vec<u8>>) -> std::result::Result<(), Encoding> {
        let more = u64::from(self.user.is_some()).saturating_add(u64::from(self.maskable));
        encoder.map(more.saturating_add(6))?.u8(0)?.u8(FORMAT)?;
        encoder.u8(ID)?.bytes(&self.id.0)?;
        encoder.u8(LABEL)?.bytes(&self.label)?;
        encoder.u8(SERIAL)?.bytes(&self.serial)?;
        self.so.write(encoder.u8(SO)?)?;
        if let Some(user) = &self.user {
            user.write(encoder.u8(USER)?)?;
        }
        if self.maskable {
            encoder.u8(MASKABLE)?.bool(true)?;
        }
        encoder.u8(MAC)?.bytes(&self.mac)?;
        Ok(())
    }

    fn read(decoder: &mut Decoder<'_>) -> std::result::Result<Self, minicbor::decode::Error> {
        let missing = minicbor::decode::Error::message;
        let fields = decoder.map()?.ok_or_else(|| missing("a map of unknown length"))?;
        let (mut id, mut label, mut serial, mut so, mut user) = (None, None, None, None, None);
        let (mut maskable, mut mac) = (false, None);
        for _ in 0..fields {
            match decoder.u8()? {
                0 if decoder.u8()? == FORMAT => (),
                ID => id = decoder.bytes()?.try_into().ok().map(TokenId),
                LABEL => label = decoder.bytes()?.try_into().ok(),
                SERIAL => serial = decoder.bytes()?.try_into().ok(),
                SO => so = Some(Pin::read(decoder)?),
                USER => user = Some(Pin::read(decoder)?),
                MASKABLE => maskable = decoder.bool()?,
                MAC => mac = decoder.bytes()?.try_into().ok(),
                _ => return Err(missing("an unknown field")),
            }
        }
        match (id, label, serial, so, mac) {
            (Some(id), Some(label), Some(serial), Some(so), Some(mac)) => {
                Ok(Self { id, label, serial, so, user, maskable, mac })
            }
            _ => Err(missing("a field is missing or has a wrong length")),
        }
    }
}

type Encoding = minicbor::encode::Error<std::convert::Infallible>;

impl Pin {
    fn write(&self, encoder: &mut Encoder<Vec<u8>>) -> std::result::Result<(), Encoding> {
        encoder.array(2)?.u32(self.failures)?;
        self.row.encode(encoder, &mut ())
    }

    fn read(decoder: &mut Decoder<'_>) -> std::result::Result<Self, minicbor::decode::Error> {
        if decoder.array()? != Some(2) {
            return Err(minicbor::decode::Error::message("a PIN is not an array of two"));
        }
        Ok(Self { failures: decoder.u32()?, row: PinRow::decode(decoder, &mut ())? })
    }
}
