//! The hash functions, and what the standard numbers for each.

use cryptoki_sys::*;

use super::Module;

/// One hash function.
pub struct Hash {
    /// `C_DigestInit`.
    pub digest: CK_MECHANISM_TYPE,
    /// `C_SignInit`, the whole MAC.
    pub hmac: CK_MECHANISM_TYPE,
    /// `C_SignInit`, the MAC cut to a length.
    pub hmac_general: CK_MECHANISM_TYPE,
    /// `C_GenerateKey`.
    pub key_gen: CK_MECHANISM_TYPE,
    /// The type of keys for its HMAC alone.
    pub key_type: CK_KEY_TYPE,
    /// The length of the digest in bytes.
    pub length: usize,
    /// The name that openssl knows.
    pub openssl: &'static str,
}

/// Makes a row.
macro_rules! hash {
    ($digest:ident, $hmac:ident, $general:ident, $key_gen:ident, $key_type:ident, $length:literal, $openssl:literal) => {
        Hash {
            digest: $digest,
            hmac: $hmac,
            hmac_general: $general,
            key_gen: $key_gen,
            key_type: $key_type,
            length: $length,
            openssl: $openssl,
        }
    };
}

/// Those that the module under test has; SoftHSM2 has the first five.
pub fn hashes() -> &'static [Hash] {
    if Module::is_softhsm() { &HASHES[..5] } else { &HASHES }
}

/// All of them.
#[rustfmt::skip]
pub const HASHES: [Hash; 11] = [
    hash!(CKM_SHA_1, CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKM_SHA_1_KEY_GEN, CKK_SHA_1_HMAC, 20, "sha1"),
    hash!(CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKM_SHA224_KEY_GEN, CKK_SHA224_HMAC, 28, "sha224"),
    hash!(CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKM_SHA256_KEY_GEN, CKK_SHA256_HMAC, 32, "sha256"),
    hash!(CKM_SHA384, CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKM_SHA384_KEY_GEN, CKK_SHA384_HMAC, 48, "sha384"),
    hash!(CKM_SHA512, CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKM_SHA512_KEY_GEN, CKK_SHA512_HMAC, 64, "sha512"),
    hash!(CKM_SHA512_224, CKM_SHA512_224_HMAC, CKM_SHA512_224_HMAC_GENERAL, CKM_SHA512_224_KEY_GEN, CKK_SHA512_224_HMAC, 28, "sha512-224"),
    hash!(CKM_SHA512_256, CKM_SHA512_256_HMAC, CKM_SHA512_256_HMAC_GENERAL, CKM_SHA512_256_KEY_GEN, CKK_SHA512_256_HMAC, 32, "sha512-256"),
    hash!(CKM_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKM_SHA3_224_KEY_GEN, CKK_SHA3_224_HMAC, 28, "sha3-224"),
    hash!(CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKM_SHA3_256_KEY_GEN, CKK_SHA3_256_HMAC, 32, "sha3-256"),
    hash!(CKM_SHA3_384, CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKM_SHA3_384_KEY_GEN, CKK_SHA3_384_HMAC, 48, "sha3-384"),
    hash!(CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKM_SHA3_512_KEY_GEN, CKK_SHA3_512_HMAC, 64, "sha3-512"),
];
