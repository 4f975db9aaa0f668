//! What is measured.

use std::time::Duration;

/// One thing to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A message of so many bytes.
    Message(Message, usize),
    /// So many random bytes.
    Random(usize),
    /// AES-256 key wrap (RFC 3394) of a key of 32 bytes.
    Wrap,
    /// The inverse, and the destruction of the key that it makes.
    Unwrap,
    /// An AES-256 session key is made and destroyed.
    Generate,
    /// A session is opened and closed.
    Session,
    /// A key pair at work.
    Pair(Pair, Act),
}

/// What is done to a message. Keys have 256 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A digest.
    Digest(Hash),
    /// HMAC-SHA-256.
    Hmac,
    /// CMAC with AES.
    Cmac,
    /// AES, in one part.
    Cipher(Mode, Way),
    /// AES-GCM encryption of four equal parts.
    GcmParts,
}

/// A hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA3-256.
    Sha3,
}

/// How AES is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each block by itself.
    Ecb,
    /// Chained blocks.
    Cbc,
    /// Chained blocks, and the padding of PKCS #7.
    CbcPad,
    /// A counter of 128 bits.
    Ctr,
    /// With an IV of 12 bytes and a tag of 16; IVs of encryptions are counted.
    Gcm,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From plaintext to ciphertext.
    Encrypt,
    /// From ciphertext to plaintext.
    Decrypt,
}

/// A kind of key pair.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// RSA with a modulus of so many bits and the exponent 65537.
    Rsa(usize),
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// Ed25519.
    Ed25519,
}

/// What a key pair does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// RSA: PKCS #1 v1.5 with SHA-256, of 32 bytes that are hashed here. ECDSA: of a digest as long as the order. Ed25519: of 32
    /// bytes.
    Sign,
    /// The verification of such a signature.
    Verify,
    /// RSA-OAEP with SHA-1, the one hash that SoftHSM2 has there; of 32 bytes.
    Decrypt,
    /// ECDH, the other side's point decoded each time; a module makes a session key of the secret and destroys it.
    Derive,
    /// A pair is made and destroyed.
    Generate,
}

impl Operation {
    /// All of them, in the order of the table.
    pub fn all() -> Vec<Self> {
        let messages = MESSAGES.iter().flat_map(|message| SIZES.map(|size| Self::Message(*message, size)));
        let random = [32].into_iter().chain(SIZES).map(Self::Random);
        messages.chain(random).chain(OTHERS.iter().copied()).collect()
    }

    /// The operation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|operation| operation.name() == name)
    }

    /// The name in the table.
    pub fn name(self) -> String {
        match self {
            Self::Message(message, size) => format!("{}-{}", message.name(), short(size)),
            Self::Random(size) => format!("random-{}", short(size)),
            Self::Wrap => "kw-wrap-32".to_owned(),
            Self::Unwrap => "kw-unwrap-32".to_owned(),
            Self::Generate => "aes-generate".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Pair(pair, act) => name_of_pair(pair, act),
        }
    }

    /// What operations that differ in nothing but their size have in common.
    pub fn family(self) -> Option<&'static str> {
        match self {
            Self::Message(message, _) => Some(message.name()),
            Self::Random(_) => Some("random"),
            _ => None,
        }
    }

    /// Bytes of input, or of output where there is no input, in families of several sizes.
    pub fn size(self) -> Option<usize> {
        match self {
            Self::Message(_, size) | Self::Random(size) => Some(size),
            _ => None,
        }
    }

    /// The length of a turn: short enough to fit between two switches of a busy machine. How long it takes to find the primes
    /// of an RSA key is chance: a turn has to average over several.
    pub fn turn(self) -> Duration {
        match self {
            Self::Pair(Pair::Rsa(bits), Act::Generate) if bits > 2048 => Duration::from_secs(2),
            Self::Pair(Pair::Rsa(_), Act::Generate) => Duration::from_millis(200),
            _ => Duration::from_micros(1500),
        }
    }

    /// Whether it takes minutes, and so is measured only if it is named.
    pub fn is_slow(self) -> bool {
        self.turn() > Duration::from_secs(1)
    }

    /// Whether it takes seconds to make it ready, which is mostly finding primes.
    pub fn begins_slowly(self) -> bool {
        matches!(self, Self::Pair(Pair::Rsa(bits), act) if bits > 2048 || act == Act::Generate)
    }
}

/// Sizes of messages, in bytes.
const SIZES: [usize; 4] = [64, 1 << 10, 16 << 10, 1 << 20];

const MESSAGES: &[Message] = &[
    Message::Cipher(Mode::Gcm, Way::Encrypt),
    Message::Cipher(Mode::Gcm, Way::Decrypt),
    Message::GcmParts,
    Message::Cipher(Mode::Ctr, Way::Encrypt),
    Message::Cipher(Mode::Ctr, Way::Decrypt),
    Message::Cipher(Mode::Cbc, Way::Encrypt),
    Message::Cipher(Mode::Cbc, Way::Decrypt),
    Message::Cipher(Mode::CbcPad, Way::Encrypt),
    Message::Cipher(Mode::CbcPad, Way::Decrypt),
    Message::Cipher(Mode::Ecb, Way::Encrypt),
    Message::Cipher(Mode::Ecb, Way::Decrypt),
    Message::Hmac,
    Message::Cmac,
    Message::Digest(Hash::Sha256),
    Message::Digest(Hash::Sha512),
    Message::Digest(Hash::Sha3),
];

const OTHERS: &[Operation] = &[
    Operation::Wrap,
    Operation::Unwrap,
    Operation::Generate,
    Operation::Session,
    Operation::Pair(Pair::Rsa(2048), Act::Sign),
    Operation::Pair(Pair::Rsa(2048), Act::Verify),
    Operation::Pair(Pair::Rsa(2048), Act::Decrypt),
    Operation::Pair(Pair::Rsa(2048), Act::Generate),
    Operation::Pair(Pair::Rsa(4096), Act::Sign),
    Operation::Pair(Pair::Rsa(4096), Act::Verify),
    Operation::Pair(Pair::Rsa(4096), Act::Decrypt),
    Operation::Pair(Pair::Rsa(4096), Act::Generate),
    Operation::Pair(Pair::P256, Act::Sign),
    Operation::Pair(Pair::P256, Act::Verify),
    Operation::Pair(Pair::P256, Act::Derive),
    Operation::Pair(Pair::P256, Act::Generate),
    Operation::Pair(Pair::P384, Act::Sign),
    Operation::Pair(Pair::P384, Act::Verify),
    Operation::Pair(Pair::P384, Act::Generate),
    Operation::Pair(Pair::Ed25519, Act::Sign),
    Operation::Pair(Pair::Ed25519, Act::Verify),
    Operation::Pair(Pair::Ed25519, Act::Generate),
];

impl Message {
    fn name(self) -> &'static str {
        match self {
            Self::Digest(Hash::Sha256) => "sha256",
            Self::Digest(Hash::Sha512) => "sha512",
            Self::Digest(Hash::Sha3) => "sha3-256",
            Self::Hmac => "hmac-sha256",
            Self::Cmac => "cmac",
            Self::GcmParts => "gcm-parts",
            Self::Cipher(Mode::Ecb, Way::Encrypt) => "ecb-encrypt",
            Self::Cipher(Mode::Ecb, Way::Decrypt) => "ecb-decrypt",
            Self::Cipher(Mode::Cbc, Way::Encrypt) => "cbc-encrypt",
            Self::Cipher(Mode::Cbc, Way::Decrypt) => "cbc-decrypt",
            Self::Cipher(Mode::CbcPad, Way::Encrypt) => "cbc-pad-encrypt",
            Self::Cipher(Mode::CbcPad, Way::Decrypt) => "cbc-pad-decrypt",
            Self::Cipher(Mode::Ctr, Way::Encrypt) => "ctr-encrypt",
            Self::Cipher(Mode::Ctr, Way::Decrypt) => "ctr-decrypt",
            Self::Cipher(Mode::Gcm, Way::Encrypt) => "gcm-encrypt",
            Self::Cipher(Mode::Gcm, Way::Decrypt) => "gcm-decrypt",
        }
    }

    /// How much longer the output may be than the input, in bytes; digests and MACs are not longer than that either.
    pub const MORE_OUTPUT: usize = 64;
}

impl Pair {
    /// What is signed, in bytes.
    pub fn message_length(self) -> usize {
        match self {
            Self::P384 => 48,
            Self::Rsa(_) | Self::P256 | Self::Ed25519 => 32,
        }
    }
}

/// A size in bytes, as names have it.
pub fn short(size: usize) -> String {
    match size {
        size if size >= 1 << 20 => format!("{}M", size >> 20),
        size if size >= 1 << 10 => format!("{}K", size >> 10),
        size => size.to_string(),
    }
}

fn name_of_pair(pair: Pair, act: Act) -> String {
    let act_name = match act {
        Act::Sign => "sign",
        Act::Verify => "verify",
        Act::Decrypt => "decrypt",
        Act::Derive => "derive",
        Act::Generate => "generate",
    };
    let scheme = match act {
        Act::Sign | Act::Verify => "ecdsa",
        Act::Derive => "ecdh",
        Act::Decrypt | Act::Generate => "ec",
    };
    match pair {
        Pair::Rsa(bits) => format!("rsa-{bits}-{act_name}"),
        Pair::P256 => format!("{scheme}-p256-{act_name}"),
        Pair::P384 => format!("{scheme}-p384-{act_name}"),
        Pair::Ed25519 => format!("ed25519-{act_name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: HashSet<String> = Operation::all().into_iter().map(Operation::name).collect();
        assert_eq!(names.len(), Operation::all().len());
    }

    #[test]
    fn every_family_has_every_size() {
        let all = Operation::all();
        for family in all.iter().filter_map(|operation| operation.family()) {
            let of_family = all.iter().filter(|operation| operation.family() == Some(family));
            let sizes: HashSet<_> = of_family.filter_map(|operation| operation.size()).collect();
            assert!(SIZES.iter().all(|size| sizes.contains(size)), "{family}: {sizes:?}");
        }
    }
}
