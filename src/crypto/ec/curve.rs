//! The curves.

/// A curve that AWS-LC has. All are of prime order: every cofactor is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-224: FIPS 186-5, SP 800-186.
    P224,
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
    /// secp256k1: SEC 2.
    Secp256k1,
    /// brainpoolP224r1: RFC 5639.
    BrainpoolP224r1,
    /// brainpoolP256r1.
    BrainpoolP256r1,
    /// brainpoolP320r1.
    BrainpoolP320r1,
    /// brainpoolP384r1.
    BrainpoolP384r1,
    /// brainpoolP512r1.
    BrainpoolP512r1,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 10] = [
        Self::P224,
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Secp256k1,
        Self::BrainpoolP224r1,
        Self::BrainpoolP256r1,
        Self::BrainpoolP320r1,
        Self::BrainpoolP384r1,
        Self::BrainpoolP512r1,
    ];

    /// The curve of this OBJECT IDENTIFIER, given as whole DER.
    pub fn from_oid(der: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.oid() == der)
    }

    /// The curve of this name: the one of SEC 2 or RFC 5639, or another that FIPS 186 or X9.62 has for it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.names().contains(&name))
    }

    /// The OBJECT IDENTIFIER as whole DER: SEC 2, appendix A.2; RFC 5639, section 4.1.
    pub const fn oid(self) -> &'static [u8] {
        match self {
            Self::P224 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21],
            Self::P256 => &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
            Self::Secp256k1 => &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a],
            Self::BrainpoolP224r1 => &[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x05],
            Self::BrainpoolP256r1 => &[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07],
            Self::BrainpoolP320r1 => &[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x09],
            Self::BrainpoolP384r1 => &[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b],
            Self::BrainpoolP512r1 => &[0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d],
        }
    }

    /// The name of SEC 2 or RFC 5639.
    pub const fn name(self) -> &'static str {
        match self.names() {
            [name, ..] => name,
            [] => "",
        }
    }

    /// The length of the field in bits, which is the length of the order too.
    pub const fn bits(self) -> usize {
        match self {
            Self::P224 | Self::BrainpoolP224r1 => 224,
            Self::P256 | Self::Secp256k1 | Self::BrainpoolP256r1 => 256,
            Self::BrainpoolP320r1 => 320,
            Self::P384 | Self::BrainpoolP384r1 => 384,
            Self::BrainpoolP512r1 => 512,
            Self::P521 => 521,
        }
    }

    /// The length in bytes of a coordinate, of a scalar, and of each half of a signature.
    pub const fn bytes(self) -> usize {
        self.bits().div_ceil(8)
    }

    /// The length in bytes of an uncompressed point.
    pub const fn point_len(self) -> usize {
        1 + 2 * self.bytes()
    }

    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::P224 => &["secp224r1", "P-224"],
            Self::P256 => &["secp256r1", "prime256v1", "P-256"],
            Self::P384 => &["secp384r1", "P-384"],
            Self::P521 => &["secp521r1", "P-521"],
            Self::Secp256k1 => &["secp256k1"],
            Self::BrainpoolP224r1 => &["brainpoolP224r1"],
            Self::BrainpoolP256r1 => &["brainpoolP256r1"],
            Self::BrainpoolP320r1 => &["brainpoolP320r1"],
            Self::BrainpoolP384r1 => &["brainpoolP384r1"],
            Self::BrainpoolP512r1 => &["brainpoolP512r1"],
        }
    }
}
