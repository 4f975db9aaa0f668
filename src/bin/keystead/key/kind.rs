//! What kind of key is meant: `aes:256`, `rsa:3072`, `ec:p-256`, `ed25519`, `hmac-sha256:32`.

use cryptoki_sys::{CKA_EC_PARAMS, CKA_KEY_TYPE, CKA_MODULUS_BITS, CKA_VALUE_LEN};
use keystead::crypto::ec::Curve;
use keystead::key::{Class, KeyType, Type};
use keystead::object::curve;

use super::names;
use super::template::Template;

/// A type of keys, with what of its size was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyKind {
    /// The type.
    pub key_type: KeyType,
    size: Option<Size>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Of a modulus.
    Bits(u64),
    /// Of a value.
    Bytes(u64),
    Curve(Curve),
}

/// What the option's help shows.
pub const NAME: &str = "TYPE[:SIZE]";

/// For the help of a subcommand.
pub const LIST: &str = "\
TYPE is aes:BITS, generic:BYTES, hmac-sha256:BYTES and the like, rsa:BITS, ec:CURVE, ed25519 or x25519. Without a size: 256 bits of AES, \
3072 of RSA, the curve P-256, 32 bytes.";

impl KeyKind {
    /// Of this type, with nothing said of the size.
    pub fn of(key_type: KeyType) -> Self {
        Self { key_type, size: None }
    }

    /// Reads the value of an option.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, size) = text.split_once(':').map_or((text, None), |(word, size)| (word, Some(size)));
        let key_type = key_type(word).ok_or_else(|| format!("{word:?} is no type of keys; {LIST}"))?;
        let size = size.map(|size| Size::parse(key_type, size)).transpose()?;
        Ok(Self { key_type, size })
    }

    /// The class of the keys that are unwrapped or imported as one of these.
    pub fn class(self) -> Class {
        if self.key_type.comes_in_pairs() { Class::PrivateKey } else { Class::SecretKey }
    }

    /// Puts the type and what was said of the length into the template of a key that comes from elsewhere.
    pub fn put_into(self, template: &mut Template) {
        template.set_number(CKA_KEY_TYPE, self.key_type.number());
        if let Some(Size::Bytes(length)) = self.size {
            template.set_number(CKA_VALUE_LEN, length);
        }
    }

    /// Puts the size of a new key into its template; of a pair, into that of its public half.
    pub fn put_size_into(self, template: &mut Template) {
        match (self.key_type, self.size) {
            (KeyType::EcEdwards, _) => template.set(CKA_EC_PARAMS, curve::ED25519),
            (KeyType::EcMontgomery, _) => template.set(CKA_EC_PARAMS, curve::X25519),
            (_, Some(Size::Curve(curve))) => template.set(CKA_EC_PARAMS, curve.oid()),
            (KeyType::Ec, _) => template.set(CKA_EC_PARAMS, Curve::P256.oid()),
            (_, Some(Size::Bits(bits))) => template.set_number(CKA_MODULUS_BITS, bits),
            (KeyType::Rsa, _) => template.set_number(CKA_MODULUS_BITS, 3072),
            (_, Some(Size::Bytes(length))) => template.set_number(CKA_VALUE_LEN, length),
            (_, None) => template.set_number(CKA_VALUE_LEN, 32),
        }
    }
}

impl Size {
    fn parse(key_type: KeyType, text: &str) -> Result<Self, String> {
        let number = || text.parse::<u64>().map_err(|_| format!("{text:?} is no size"));
        match key_type {
            KeyType::Aes => match number()? {
                bits @ (128 | 192 | 256) => Ok(Self::Bytes(bits / 8)),
                _ => Err("AES keys have 128, 192 or 256 bits".into()),
            },
            KeyType::Rsa => number().map(Self::Bits),
            KeyType::Ec => match Curve::from_name(text).or_else(|| Curve::from_name(&text.to_ascii_uppercase())) {
                Some(curve) => Ok(Self::Curve(curve)),
                None => {
                    let known: Vec<&str> = Curve::ALL.iter().map(|curve| curve.name()).collect();
                    Err(format!("{text:?} is no curve that is here: {}", known.join(", ")))
                }
            },
            KeyType::EcEdwards | KeyType::EcMontgomery => {
                Err("there is one curve of this type: leave the size out".into())
            }
            _ => number().map(Self::Bytes),
        }
    }
}

/// The type of this name, which may be written small and without dashes.
fn key_type(word: &str) -> Option<KeyType> {
    let folded = |name: &str| name.to_ascii_lowercase().replace(['-', '/'], "");
    match word.to_ascii_lowercase().as_str() {
        "ed25519" => Some(KeyType::EcEdwards),
        "x25519" => Some(KeyType::EcMontgomery),
        word => {
            let all = [KeyType::SECRET, KeyType::PAIRS].concat();
            all.into_iter().find(|known| folded(names::of(Type::Key(*known))) == folded(word))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use keystead::crypto::hash::Algorithm;

    use super::*;

    #[test]
    fn types_are_read_with_their_size_or_without() {
        let kind = |key_type, size| KeyKind { key_type, size };
        for (text, expected) in [
            ("aes:256", kind(KeyType::Aes, Some(Size::Bytes(32)))),
            ("AES", KeyKind::of(KeyType::Aes)),
            ("generic:20", kind(KeyType::GenericSecret, Some(Size::Bytes(20)))),
            ("hmac-sha256:32", kind(KeyType::Hmac(Algorithm::Sha256), Some(Size::Bytes(32)))),
            ("hmac-sha-512/256", KeyKind::of(KeyType::Hmac(Algorithm::Sha512_256))),
            ("hmac-sha3-256", KeyKind::of(KeyType::Hmac(Algorithm::Sha3_256))),
            ("rsa:4096", kind(KeyType::Rsa, Some(Size::Bits(4096)))),
            ("ec:p-256", kind(KeyType::Ec, Some(Size::Curve(Curve::P256)))),
            ("ec:secp521r1", kind(KeyType::Ec, Some(Size::Curve(Curve::P521)))),
            ("ec:brainpoolP384r1", kind(KeyType::Ec, Some(Size::Curve(Curve::BrainpoolP384r1)))),
            ("ed25519", KeyKind::of(KeyType::EcEdwards)),
            ("x25519", KeyKind::of(KeyType::EcMontgomery)),
        ] {
            assert_eq!(KeyKind::parse(text).unwrap(), expected, "{text}");
        }
        for text in ["", "des", "aes:100", "aes:", "rsa:big", "ec:p-1", "ed25519:255", "generic:-1"] {
            assert!(KeyKind::parse(text).is_err(), "{text}");
        }
    }
}
