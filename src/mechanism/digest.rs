//! Digests: SHA-1, SHA-2, SHA-3. PKCS#11 3.2, sections 6.19 to 6.29; FIPS 180-4, FIPS 202.

use cryptoki_sys::*;

use super::parameter::Shape;
use super::{Does, Mechanism, NOTHING};
use crate::crypto::hash::Algorithm;

pub use crate::crypto::hash::Hash as Digesting;

pub(super) const ROWS: &[Mechanism] = &[
    digest(CKM_SHA_1, "CKM_SHA_1", Algorithm::Sha1),
    digest(CKM_SHA224, "CKM_SHA224", Algorithm::Sha224),
    digest(CKM_SHA256, "CKM_SHA256", Algorithm::Sha256),
    digest(CKM_SHA384, "CKM_SHA384", Algorithm::Sha384),
    digest(CKM_SHA512, "CKM_SHA512", Algorithm::Sha512),
    digest(CKM_SHA512_224, "CKM_SHA512_224", Algorithm::Sha512_224),
    digest(CKM_SHA512_256, "CKM_SHA512_256", Algorithm::Sha512_256),
    digest(CKM_SHA3_224, "CKM_SHA3_224", Algorithm::Sha3_224),
    digest(CKM_SHA3_256, "CKM_SHA3_256", Algorithm::Sha3_256),
    digest(CKM_SHA3_384, "CKM_SHA3_384", Algorithm::Sha3_384),
    digest(CKM_SHA3_512, "CKM_SHA3_512", Algorithm::Sha3_512),
];

const fn digest(number: u64, name: &'static str, algorithm: Algorithm) -> Mechanism {
    Mechanism { number, name, parameter: Shape::None, keys: None, does: Does { digest: Some(algorithm), ..NOTHING } }
}
