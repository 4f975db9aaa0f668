//! A mechanism and its parameter, as another module wants them.

use cryptoki_sys::*;

/// A mechanism with its parameter.
#[derive(Debug, Clone)]
pub enum Mechanism {
    /// Without a parameter.
    Plain(CK_MECHANISM_TYPE),
    /// With bytes, as an initialisation vector.
    Bytes(CK_MECHANISM_TYPE, Vec<u8>),
    /// `CKM_RSA_PKCS_OAEP` with this hash, in both places, and no label.
    Oaep(Hash),
    /// `CKM_RSA_AES_KEY_WRAP` with an AES key of 256 bits, and OAEP as above.
    RsaAes(Hash),
}

/// A hash of OAEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
}

impl Hash {
    /// Its mechanism.
    pub fn number(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Sha1 => CKM_SHA_1,
            Self::Sha256 => CKM_SHA256,
        }
    }

    /// `CKG_MGF1_*`
    pub fn mgf(self) -> CK_RSA_PKCS_MGF_TYPE {
        match self {
            Self::Sha1 => CKG_MGF1_SHA1,
            Self::Sha256 => CKG_MGF1_SHA256,
        }
    }
}

impl Mechanism {
    /// The length of the AES key in the middle of `CKM_RSA_AES_KEY_WRAP`.
    pub const RSA_AES_BITS: CK_ULONG = 256;

    /// Its number.
    pub fn number(&self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Plain(number) | Self::Bytes(number, _) => *number,
            Self::Oaep(_) => CKM_RSA_PKCS_OAEP,
            Self::RsaAes(_) => CKM_RSA_AES_KEY_WRAP,
        }
    }

    /// Lends it as the C structure, which is valid while `call` runs.
    pub(super) fn with<T>(&self, call: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
        let mechanism = self.number();
        let lend = |parameter: *const std::ffi::c_void, length: usize| {
            let mut lent =
                CK_MECHANISM { mechanism, pParameter: parameter.cast_mut(), ulParameterLen: length as CK_ULONG };
            call(&mut lent)
        };
        match self {
            Self::Plain(_) => lend(std::ptr::null(), 0),
            Self::Bytes(_, bytes) => lend(bytes.as_ptr().cast(), bytes.len()),
            Self::Oaep(hash) => {
                let oaep = oaep(*hash);
                lend((&raw const oaep).cast(), size_of_val(&oaep))
            }
            Self::RsaAes(hash) => {
                let mut oaep = oaep(*hash);
                let both = CK_RSA_AES_KEY_WRAP_PARAMS { ulAESKeyBits: Self::RSA_AES_BITS, pOAEPParams: &raw mut oaep };
                lend((&raw const both).cast(), size_of_val(&both))
            }
        }
    }
}

fn oaep(hash: Hash) -> CK_RSA_PKCS_OAEP_PARAMS {
    CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: hash.number(),
        mgf: hash.mgf(),
        source: CKZ_DATA_SPECIFIED,
        pSourceData: std::ptr::null_mut(),
        ulSourceDataLen: 0,
    }
}
