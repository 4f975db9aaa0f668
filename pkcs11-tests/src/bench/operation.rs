//! What is measured.

use std::time::Duration;

/// One thing to measure. The numbers are bytes of input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// AES-256-GCM with a counted IV of 12 bytes and a tag of 16.
    Gcm(usize),
    /// AES-256-CTR.
    Ctr(usize),
    /// HMAC-SHA-256 with a key of 32 bytes.
    Hmac(usize),
    /// CMAC with AES-256.
    Cmac(usize),
    /// SHA-256.
    Sha256(usize),
    /// AES-256 key wrap (RFC 3394) of a key of 32 bytes.
    Wrap,
    /// The inverse, and the destruction of the key that it makes.
    Unwrap,
    /// An AES-256 session key is made and destroyed.
    Generate,
    /// A session is opened and closed.
    Session,
    /// 32 random bytes.
    Random,
    /// A key pair at work.
    Pair(Pair, Act),
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
    pub const ALL: &[Self] = &[
        Self::Gcm(64),
        Self::Gcm(1 << 10),
        Self::Gcm(16 << 10),
        Self::Gcm(1 << 20),
        Self::Ctr(1 << 20),
        Self::Hmac(64),
        Self::Cmac(64),
        Self::Sha256(64),
        Self::Wrap,
        Self::Unwrap,
        Self::Generate,
        Self::Session,
        Self::Random,
        Self::Pair(Pair::Rsa(2048), Act::Sign),
        Self::Pair(Pair::Rsa(2048), Act::Verify),
        Self::Pair(Pair::Rsa(2048), Act::Decrypt),
        Self::Pair(Pair::Rsa(2048), Act::Generate),
        Self::Pair(Pair::Rsa(4096), Act::Sign),
        Self::Pair(Pair::Rsa(4096), Act::Verify),
        Self::Pair(Pair::Rsa(4096), Act::Decrypt),
        Self::Pair(Pair::Rsa(4096), Act::Generate),
        Self::Pair(Pair::P256, Act::Sign),
        Self::Pair(Pair::P256, Act::Verify),
        Self::Pair(Pair::P256, Act::Derive),
        Self::Pair(Pair::P256, Act::Generate),
        Self::Pair(Pair::P384, Act::Sign),
        Self::Pair(Pair::P384, Act::Verify),
        Self::Pair(Pair::P384, Act::Generate),
        Self::Pair(Pair::Ed25519, Act::Sign),
        Self::Pair(Pair::Ed25519, Act::Verify),
        Self::Pair(Pair::Ed25519, Act::Generate),
    ];

    /// The name in the table.
    pub fn name(self) -> String {
        let (name, length) = match self {
            Self::Gcm(length) => ("gcm", length),
            Self::Ctr(length) => ("ctr", length),
            Self::Hmac(length) => ("hmac-sha256", length),
            Self::Cmac(length) => ("cmac", length),
            Self::Sha256(length) => ("sha256", length),
            Self::Wrap => ("kw-wrap", 32),
            Self::Unwrap => ("kw-unwrap", 32),
            Self::Generate => return "aes-generate".to_owned(),
            Self::Session => return "session".to_owned(),
            Self::Random => ("random", 32),
            Self::Pair(pair, act) => return name_of_pair(pair, act),
        };
        match length {
            length if length >= 1 << 20 => format!("{name}-{}M", length >> 20),
            length if length >= 1 << 10 => format!("{name}-{}K", length >> 10),
            length => format!("{name}-{length}"),
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
        let names: HashSet<String> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
    }
}
