//! Encrypted PKCS#8: a private key wrapped by `CKM_AES_CBC_PAD` under a key that a passphrase gives. RFC 5208, section 6; RFC
//! 8018, section 6.2.
//!
//! So only what the passphrase gives is ever outside the token, and the private key never.

use cryptoki_sys::*;
use keystead::crypto::hash::Algorithm;
use keystead::crypto::kdf::pbkdf2;
use keystead::error::Error;
use keystead::handle::Handle;
use keystead::key::KeyType;
use keystead::object::Given;
use keystead::secret::Secret;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf, ScryptParams};

use super::kind::KeyKind;
use super::select::Opened;
use super::template::Template;
use super::transport::transient;
use super::wrapping::{self, Means, Method};
use crate::failure::{Failure, Result};

/// An `EncryptedPrivateKeyInfo`.
pub struct Encrypted {
    parameters: pbes2::Parameters,
    wrapped: Vec<u8>,
}

/// Iterations of PBKDF2 with SHA-256. OWASP, Password Storage Cheat Sheet, 2023.
const ITERATIONS: u32 = 600_000;

/// What scrypt may take of the host's memory, in bytes.
const MOST_MEMORY: u64 = 1 << 30;

impl Encrypted {
    /// Reads one, by the only scheme that is not broken.
    pub fn read(der: &[u8]) -> Result<Self> {
        let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|_| unknown_scheme())?;
        let EncryptionScheme::Pbes2(parameters) = info.encryption_algorithm else { return Err(unknown_scheme()) };
        Ok(Self { parameters, wrapped: info.encrypted_data.as_bytes().to_vec() })
    }

    /// Wraps a private key.
    pub fn wrap(opened: &Opened<'_>, passphrase: &Secret, key: Handle) -> Result<Self> {
        let salt = wrapping::random(opened, 16)?;
        let iv: [u8; 16] = wrapping::random(opened, 16)?.try_into().map_err(|_| Failure::new("no randomness"))?;
        let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv);
        let parameters = parameters.map_err(|error| Failure::of("PBES2", error))?;
        let (wrapping_key, means) = Self::key(opened, &parameters, passphrase, CKA_WRAP)?;
        Ok(Self { wrapped: wrapping::wrap(opened, &means, wrapping_key, key)?, parameters })
    }

    /// As DER.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        let failed = |error| Failure::of("PKCS#8", error);
        let encrypted_data = OctetStringRef::new(&self.wrapped).map_err(failed)?;
        let encryption_algorithm = EncryptionScheme::Pbes2(self.parameters.clone());
        EncryptedPrivateKeyInfoRef { encryption_algorithm, encrypted_data }.to_der().map_err(failed)
    }

    /// Unwraps the key, whatever its type is. `template` gives the one for a type.
    pub fn unwrap(
        &self,
        opened: &Opened<'_>,
        passphrase: &Secret,
        template: impl Fn(KeyKind) -> Template,
    ) -> Result<Handle> {
        let (unwrapping, means) = Self::key(opened, &self.parameters, passphrase, CKA_UNWRAP)?;
        // Only who has unwrapped it knows of which type it is.
        for key_type in KeyType::PAIRS {
            let template = template(KeyKind::of(*key_type));
            match wrapping::try_unwrap(opened, &means, unwrapping, &self.wrapped, &template)? {
                Err(Error::WrappedKeyInvalid) => (),
                other => return Ok(other?),
            }
        }
        let failure =
            Failure::new("the passphrase is wrong, the file is damaged, or the key is of no type that is here");
        Err(failure.with_next("`openssl pkey -noout -text_pub -in FILE` tells of which type it is"))
    }

    /// The AES key of a passphrase as a key of the session, for wrapping or for unwrapping.
    fn key(
        opened: &Opened<'_>,
        parameters: &pbes2::Parameters,
        passphrase: &Secret,
        usage: CK_ATTRIBUTE_TYPE,
    ) -> Result<(Handle, Means)> {
        let (length, iv) = match parameters.encryption {
            pbes2::EncryptionScheme::Aes128Cbc { iv } => (16, iv),
            pbes2::EncryptionScheme::Aes192Cbc { iv } => (24, iv),
            pbes2::EncryptionScheme::Aes256Cbc { iv } => (32, iv),
            _ => return Err(unknown_scheme()),
        };
        let value = match &parameters.kdf {
            Kdf::Pbkdf2(params) => of_pbkdf2(params, passphrase, length)?,
            Kdf::Scrypt(params) => of_scrypt(params, passphrase, length)?,
            _ => return Err(unknown_scheme()),
        };
        let mut template = transient();
        KeyKind::of(KeyType::Aes).put_into(&mut template);
        template.set_flag(usage, true);
        let mut given = template.given();
        given.push(Given::new(CKA_VALUE, value.expose()));
        let key = opened.sessions().create(opened.session, &given)?;
        Ok((key, Means { iv: iv.to_vec(), ..Means::plain(Method::AesCbcPad) }))
    }
}

fn of_pbkdf2(params: &Pbkdf2Params, passphrase: &Secret, length: usize) -> Result<Secret> {
    let hash = match params.prf {
        Pbkdf2Prf::HmacWithSha1 => Algorithm::Sha1,
        Pbkdf2Prf::HmacWithSha256 => Algorithm::Sha256,
        Pbkdf2Prf::HmacWithSha384 => Algorithm::Sha384,
        Pbkdf2Prf::HmacWithSha512 => Algorithm::Sha512,
        _ => return Err(unknown_scheme()),
    };
    pbkdf2(hash, passphrase, params.salt.as_bytes(), params.iteration_count, length).map_err(|_| unknown_scheme())
}

/// RFC 7914, section 6.
fn of_scrypt(params: &ScryptParams, passphrase: &Secret, length: usize) -> Result<Secret> {
    let (cost, block) = (params.cost_parameter, u64::from(params.block_size));
    let memory = cost.checked_mul(block).and_then(|blocks| blocks.checked_mul(128));
    if !cost.is_power_of_two() || memory.is_none_or(|memory| memory > MOST_MEMORY) {
        return Err(
            Failure::new("the passphrase goes through scrypt with more than 1 GiB of memory").with_next(REWRITE)
        );
    }
    let log = u8::try_from(cost.ilog2()).map_err(|_| unknown_scheme())?;
    let params_of_crate = scrypt::Params::new(log, params.block_size.into(), params.parallelization.into(), length)
        .map_err(|_| unknown_scheme())?;
    let mut key = Secret::zeroed(length);
    scrypt::scrypt(passphrase.expose(), params.salt.as_bytes(), &params_of_crate, key.expose_mut())
        .map_err(|_| unknown_scheme())?;
    Ok(key)
}

const REWRITE: &str = "`openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW` writes it anew";

fn unknown_scheme() -> Failure {
    let failure =
        Failure::new("the private key is encrypted by something else than PBES2 of PBKDF2 or scrypt with AES-CBC");
    failure.with_next(REWRITE)
}
