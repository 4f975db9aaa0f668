//! The hash functions of PSS and OAEP, as parameters name them. PKCS#11 3.2, section 6.1.6.

use cryptoki_sys::*;

use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};

/// The function that a hash mechanism stands for.
pub(super) fn hash(mechanism: u64) -> Result<Algorithm> {
    named(&HASHES, mechanism).ok_or(Error::MechanismParamInvalid("hashAlg is no hash function that goes with RSA"))
}

/// The function that a `CKG_MGF1_*` stands for.
pub(super) fn mgf(generator: u64) -> Result<Algorithm> {
    named(&GENERATORS, generator).ok_or(Error::MechanismParamInvalid("mgf is no mask generation function"))
}

fn named(numbers: &[(u64, Algorithm)], wanted: u64) -> Option<Algorithm> {
    numbers.iter().find(|(number, _)| *number == wanted).map(|(_, hash)| *hash)
}

const HASHES: [(u64, Algorithm); 11] = [
    (CKM_SHA_1, Algorithm::Sha1),
    (CKM_SHA224, Algorithm::Sha224),
    (CKM_SHA256, Algorithm::Sha256),
    (CKM_SHA384, Algorithm::Sha384),
    (CKM_SHA512, Algorithm::Sha512),
    (CKM_SHA512_224, Algorithm::Sha512_224),
    (CKM_SHA512_256, Algorithm::Sha512_256),
    (CKM_SHA3_224, Algorithm::Sha3_224),
    (CKM_SHA3_256, Algorithm::Sha3_256),
    (CKM_SHA3_384, Algorithm::Sha3_384),
    (CKM_SHA3_512, Algorithm::Sha3_512),
];

/// There are no numbers for SHA-512/224 and SHA-512/256 here.
const GENERATORS: [(u64, Algorithm); 9] = [
    (CKG_MGF1_SHA1, Algorithm::Sha1),
    (CKG_MGF1_SHA224, Algorithm::Sha224),
    (CKG_MGF1_SHA256, Algorithm::Sha256),
    (CKG_MGF1_SHA384, Algorithm::Sha384),
    (CKG_MGF1_SHA512, Algorithm::Sha512),
    (CKG_MGF1_SHA3_224, Algorithm::Sha3_224),
    (CKG_MGF1_SHA3_256, Algorithm::Sha3_256),
    (CKG_MGF1_SHA3_384, Algorithm::Sha3_384),
    (CKG_MGF1_SHA3_512, Algorithm::Sha3_512),
];
