//! The kinds of keys that travel.

use cryptoki_sys::*;

use crate::support::*;

/// A kind of key: how it is made here and by openssl, and how it signs.
pub struct Kind {
    /// Its name in the lines.
    pub name: &'static str,
    /// `CKA_KEY_TYPE`.
    pub key_type: CK_KEY_TYPE,
    /// What generates it.
    pub generate: CK_MECHANISM_TYPE,
    /// The curve; nothing for RSA.
    pub curve: &'static [u8],
    /// The arguments of `openssl genpkey`.
    pub openssl: &'static [&'static str],
    /// How it signs.
    pub sign: CK_MECHANISM_TYPE,
    /// The same for `openssl pkeyutl`.
    pub pkeyutl: &'static [&'static str],
    /// Whether it signs the same each time.
    pub repeats: bool,
}

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "rsa-2048",
        key_type: CKK_RSA,
        generate: CKM_RSA_PKCS_KEY_PAIR_GEN,
        curve: &[],
        openssl: &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        sign: CKM_SHA256_RSA_PKCS,
        pkeyutl: &["-rawin", "-digest", "sha256"],
        repeats: true,
    },
    ec(
        "p-256",
        &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ),
    ec("p-384", &[6, 5, 0x2b, 0x81, 4, 0, 34], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ec("p-521", &[6, 5, 0x2b, 0x81, 4, 0, 35], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ec("secp256k1", &[6, 5, 0x2b, 0x81, 4, 0, 10], &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    Kind {
        name: "ed25519",
        key_type: CKK_EC_EDWARDS,
        generate: CKM_EC_EDWARDS_KEY_PAIR_GEN,
        curve: b"\x13\x0cedwards25519",
        openssl: &["-algorithm", "ED25519"],
        sign: CKM_EDDSA,
        pkeyutl: &["-rawin"],
        repeats: true,
    },
];

const fn ec(name: &'static str, curve: &'static [u8], openssl: &'static [&'static str]) -> Kind {
    Kind {
        name,
        key_type: CKK_EC,
        generate: CKM_EC_KEY_PAIR_GEN,
        curve,
        openssl,
        sign: CKM_ECDSA,
        pkeyutl: &[],
        repeats: false,
    }
}

/// Every kind that the module under test exchanges.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    let edwards = !Module::is_softhsm();
    KINDS.iter().filter(move |kind| edwards || kind.key_type != CKK_EC_EDWARDS)
}

/// Those that SoftHSM2 exchanges.
pub fn of_softhsm() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.key_type != CKK_EC_EDWARDS)
}

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> &'static Kind {
        KINDS.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("what is {name}?"))
    }

    /// A new key, made by openssl.
    pub fn pkcs8(&self) -> Vec<u8> {
        let pem = run("openssl", &[&["genpkey"], self.openssl].concat(), &[]);
        run("openssl", &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem)
    }

    /// The template of a public key.
    pub fn public(&self) -> Template {
        match self.key_type {
            CKK_RSA => template![CKA_VERIFY => true, CKA_MODULUS_BITS => 2048, CKA_PUBLIC_EXPONENT => &[1, 0, 1]],
            _ => template![CKA_VERIFY => true, CKA_EC_PARAMS => self.curve],
        }
    }

    /// The template of a private key, but for what it is made from.
    pub fn private(&self) -> Template {
        template![CKA_SIGN => true, CKA_SENSITIVE => true]
    }
}

/// What all sign: as long as a hash, which is what `CKM_ECDSA` wants.
pub fn text() -> Vec<u8> {
    message(32)
}
