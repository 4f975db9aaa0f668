//! What private and public keys of Weierstrass curves come in.

use super::{Curve, EcPrivateKey, EcPublicKey, der, hex, openssl};

/// An AlgorithmIdentifier of EC keys with these parameters.
fn algorithm(parameters: &[u8]) -> Vec<u8> {
    der(0x30, &[&hex("06072a8648ce3d0201")[..], parameters].concat())
}

/// A key in every form that may be read, or not.
struct Forms {
    curve: Curve,
    scalar: Vec<u8>,
    point: Vec<u8>,
}

impl Forms {
    fn new(curve: Curve) -> Self {
        let key = EcPrivateKey::generate(curve).unwrap();
        let scalar = key.scalar().unwrap().expose().to_vec();
        Self { curve, scalar, point: key.public().unwrap().point().unwrap() }
    }

    /// ECPrivateKey.
    fn inner(&self, more: &[&[u8]]) -> Vec<u8> {
        der(0x30, &[&der(2, &[1])[..], &der(4, &self.scalar), &more.concat()].concat())
    }

    fn parameters(&self) -> Vec<u8> {
        der(0xa0, self.curve.oid())
    }

    fn public(&self) -> Vec<u8> {
        der(0xa1, &der(3, &[&[0], &self.point[..]].concat()))
    }

    fn outer(&self, version: u8, inner: &[u8], more: &[&[u8]]) -> Vec<u8> {
        let parts = [&der(2, &[version])[..], &algorithm(self.curve.oid()), &der(4, inner), &more.concat()];
        der(0x30, &parts.concat())
    }

    fn reads(&self, pkcs8: &[u8]) -> bool {
        let key = EcPrivateKey::from_pkcs8(pkcs8);
        key.is_ok_and(|key| key.scalar().unwrap().expose() == self.scalar && key.curve() == self.curve)
    }

    /// Rejected, not read as something else.
    fn rejects(&self, pkcs8: &[u8]) -> bool {
        EcPrivateKey::from_pkcs8(pkcs8).is_err()
    }
}

#[test]
fn private_keys_in_every_form() {
    for curve in Curve::ALL {
        let key = Forms::new(curve);
        let whole = key.inner(&[&key.public()]);
        let own = EcPrivateKey::from_scalar(curve, &key.scalar).unwrap().to_pkcs8().unwrap();
        assert_eq!(own.expose(), key.outer(0, &whole, &[]), "{curve:?}");
        assert!(key.reads(own.expose()));
        assert!(key.reads(&key.outer(0, &key.inner(&[]), &[])), "without its public key");
        assert!(key.reads(&key.outer(0, &key.inner(&[&key.parameters(), &key.public()]), &[])), "curve named again");
        let attributes = der(0xa0, &[]);
        assert!(key.reads(&key.outer(0, &whole, &[&attributes])), "with attributes");

        // RFC 5958: version 2 may have the public key outside.
        let outside = der(0x81, &[&[0], &key.point[..]].concat());
        assert!(key.reads(&key.outer(1, &key.inner(&[]), &[&outside])));
        assert!(key.reads(&key.outer(1, &whole, &[&attributes, &outside])));
        assert!(key.reads(&key.outer(1, &whole, &[])));
        assert!(key.rejects(&key.outer(0, &whole, &[&outside])), "version 1 may not");
        assert!(key.rejects(&key.outer(2, &whole, &[])));
        assert!(key.rejects(&key.outer(1, &whole, &[&der(0xa1, &outside)])));

        let mut scalar = Forms { scalar: [&[0; 9], &key.scalar[..]].concat(), point: key.point.clone(), curve };
        assert!(key.reads(&key.outer(0, &scalar.inner(&[]), &[])), "longer by zeros");
        scalar.scalar = vec![0; curve.bytes()];
        assert!(key.rejects(&key.outer(0, &scalar.inner(&[]), &[])), "zero");
    }
}

#[test]
fn private_keys_that_contradict_themselves() {
    for curve in Curve::ALL {
        let (key, other) = (Forms::new(curve), Forms::new(curve));
        assert!(key.rejects(&key.outer(0, &key.inner(&[&other.public()]), &[])), "another public key");
        let outside = |point: &[u8]| der(0x81, &[&[0], point].concat());
        assert!(key.rejects(&key.outer(1, &key.inner(&[&key.public()]), &[&outside(&other.point)])));
        assert!(key.rejects(&key.outer(1, &key.inner(&[&other.public()]), &[&outside(&key.point)])));
        let infinity = der(0xa1, &der(3, &[0, 0]));
        assert!(key.rejects(&key.outer(0, &key.inner(&[&infinity]), &[])));
        let odd_bits = der(0xa1, &der(3, &[&[1], &key.point[..]].concat()));
        assert!(key.rejects(&key.outer(0, &key.inner(&[&odd_bits]), &[])));
        for another in Curve::ALL.into_iter().filter(|another| *another != curve) {
            let parameters = der(0xa0, another.oid());
            assert!(key.rejects(&key.outer(0, &key.inner(&[&parameters, &key.public()]), &[])));
            let renamed = Forms { curve: another, scalar: key.scalar.clone(), point: key.point.clone() };
            assert!(renamed.rejects(&renamed.outer(0, &key.inner(&[&key.public()]), &[])));
        }
        let twice = [key.public(), key.public()];
        assert!(key.rejects(&key.outer(0, &key.inner(&[&twice[0], &twice[1]]), &[])));
        assert!(key.rejects(&key.outer(0, &key.inner(&[&key.public(), &key.parameters()]), &[])), "wrong order");
        let version_2 = der(0x30, &[&der(2, &[2])[..], &der(4, &key.scalar)].concat());
        assert!(key.rejects(&key.outer(0, &version_2, &[])));
    }
}

#[test]
fn cut_or_padded_keys() {
    for (curve, name) in [(Curve::P256, "prime256v1"), (Curve::P521, "secp521r1")] {
        let (pkcs8, spki) = (openssl(name, "pkcs8"), openssl(name, "spki"));
        let scalar = EcPrivateKey::from_pkcs8(&pkcs8).unwrap().scalar().unwrap().expose().to_vec();
        for length in 0..pkcs8.len() {
            assert!(EcPrivateKey::from_pkcs8(&pkcs8[..length]).is_err(), "{curve:?}, {length} bytes");
        }
        for length in 0..spki.len() {
            assert!(EcPublicKey::from_spki(&spki[..length]).is_err(), "{curve:?}, {length} bytes");
        }
        assert!(EcPrivateKey::from_pkcs8(&[&pkcs8[..], &[0]].concat()).is_err());
        assert!(EcPublicKey::from_spki(&[&spki[..], &[0]].concat()).is_err());
        // No other byte makes another key of it. What may differ is the version.
        let mut read = 0;
        for place in 0..pkcs8.len() {
            for bit in 0..8 {
                let mut other = pkcs8.clone();
                other[place] ^= 1 << bit;
                if let Ok(key) = EcPrivateKey::from_pkcs8(&other) {
                    assert_eq!(key.scalar().unwrap().expose(), scalar, "byte {place}");
                    read += 1;
                }
            }
        }
        assert_eq!(read, 1);
        for place in 0..spki.len() {
            let mut other = spki.clone();
            other[place] ^= 1;
            assert!(EcPublicKey::from_spki(&other).is_err(), "byte {place}");
        }
    }
}

#[test]
fn keys_of_openssl_that_are_not_ours() {
    assert!(EcPrivateKey::from_pkcs8(&openssl("prime256v1", "explicit-pkcs8")).is_err());
    assert!(EcPublicKey::from_spki(&openssl("prime256v1", "explicit-spki")).is_err());
    assert!(EcPublicKey::from_spki(&openssl("prime256v1", "hybrid-spki")).is_err());
    assert!(EcPrivateKey::from_pkcs8(&openssl("prime192v1", "pkcs8")).is_err());
    assert!(EcPublicKey::from_spki(&openssl("prime192v1", "spki")).is_err());
    for name in ["ed25519", "x25519"] {
        assert!(EcPrivateKey::from_pkcs8(&openssl(name, "pkcs8")).is_err());
        assert!(EcPublicKey::from_spki(&openssl(name, "spki")).is_err());
    }
    let key = EcPrivateKey::from_pkcs8(&openssl("prime256v1", "no-public-pkcs8")).unwrap();
    assert_eq!(key.public().unwrap().to_spki().unwrap(), openssl("prime256v1", "no-public-spki"));
}

#[test]
fn public_keys_of_another_algorithm() {
    let key = Forms::new(Curve::P256);
    let bits = der(3, &[&[0], &key.point[..]].concat());
    let info = |algorithm: &[u8]| der(0x30, &[algorithm, &bits].concat());
    assert!(EcPublicKey::from_spki(&info(&algorithm(key.curve.oid()))).is_ok());
    // id-ecDH, SEC 1; and nothing at all for a curve.
    let id_ec_dh = der(0x30, &[&hex("06052b8104010c")[..], key.curve.oid()].concat());
    assert!(EcPublicKey::from_spki(&info(&id_ec_dh)).is_err());
    assert!(EcPublicKey::from_spki(&info(&algorithm(&[]))).is_err());
    assert!(EcPublicKey::from_spki(&info(&algorithm(&[5, 0]))).is_err());
}
