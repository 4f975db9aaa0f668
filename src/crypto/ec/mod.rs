//! ECDSA (FIPS 186-5) and ECDH (SP 800-56A) on Weierstrass curves.
//!
//! A key is parsed and checked once, when its value is made, and serves any number of operations from then on.

mod curve;
mod private;
mod public;

pub use curve::Curve;
pub use private::EcPrivateKey;
pub use public::EcPublicKey;

/// The contents of id-ecPublicKey, the OBJECT IDENTIFIER of keys for both: RFC 5480, section 2.1.1.
const ID_EC_PUBLIC_KEY: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
