//! The hash functions of PSS and OAEP, as parameters name them. PKCS#11 3.2, section 6.1.6.

use cryptoki_sys::*;

use crate::crypto::hash::Algorithm;
use crate::error::{Error, Result};

/// The function that a hash mechanism stands for.
pub(super) fn hash(mechanism: u64) -> Result<Algorithm> {
    let found = ALL.iter().find(|(number, ..)| *number == mechanism);
    found
        .map(|(_, _, hash)| *hash)
        .ok_or(Error::MechanismParamInvalid("hashAlg is no hash function that goes with RSA"))
}

/// The function that a `CKG_MGF1_*` stands for.
pub(super) fn mgf(generator: u64) -> Result<Algorithm> {
    let found = ALL.iter().find(|(_, number, _)| *number == generator);
    found.map(|(.., hash)| *hash).ok_or(Error::MechanismParamInvalid("mgf is no mask generation function"))
}

const ALL: [(u64, u64, Algorithm); 9] = [
    (CKM_SHA_1, CKG_MGF1_SHA1, Algorithm::Sha1),
    (CKM_SHA224, CKG_MGF1_SHA224, Algorithm::Sha224),
    (CKM_SHA256, CKG_MGF1_SHA256, Algorithm::Sha256),
    (CKM_SHA384, CKG_MGF1_SHA384, Algorithm::Sha384),
    (CKM_SHA512, CKG_MGF1_SHA512, Algorithm::Sha512),
    (CKM_SHA3_224, CKG_MGF1_SHA3_224, Algorithm::Sha3_224),
    (CKM_SHA3_256, CKG_MGF1_SHA3_256, Algorithm::Sha3_256),
    (CKM_SHA3_384, CKG_MGF1_SHA3_384, Algorithm::Sha3_384),
    (CKM_SHA3_512, CKG_MGF1_SHA3_512, Algorithm::Sha3_512),
];
