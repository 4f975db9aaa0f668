//! The openssl command with keys of the tests: it makes and judges what the token judges and makes.

use std::fs;

use der::asn1::{OctetStringRef, UintRef};
use der::{Decode, Encode, Reader, SliceReader};

use super::{Curve, Home, output, padded, run, unhex};

/// The openssl command with a key in a file of the home.
pub struct Openssl {
    key: String,
    signature: String,
    input: String,
    public: bool,
}

impl Openssl {
    /// With a public key, `SubjectPublicKeyInfo`.
    pub fn public(home: &Home, spki: &[u8]) -> Openssl {
        Openssl::with(home, "public.der", spki, true)
    }

    /// With a private key, PKCS #8.
    pub fn private(home: &Home, pkcs8: &[u8]) -> Openssl {
        Openssl::with(home, "private.der", pkcs8, false)
    }

    /// With a new private key on the curve; its scalar too.
    pub fn on_curve(home: &Home, curve: &Curve) -> (Openssl, Vec<u8>) {
        let name = if curve.name == "secp256r1" { "prime256v1" } else { curve.name };
        let key = run("openssl", &["ecparam", "-name", name, "-genkey", "-noout", "-outform", "DER"], &[]);
        let convert = ["pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-outform", "DER"];
        (Openssl::private(home, &run("openssl", &convert, &key)), scalar(&key))
    }

    fn with(home: &Home, name: &str, key: &[u8], public: bool) -> Openssl {
        let path = |name: &str| home.path().join(name).to_str().expect("a path of text").to_owned();
        let openssl = Openssl { key: path(name), signature: path("signature"), input: path("input"), public };
        fs::write(&openssl.key, key).expect("the key's file");
        openssl
    }

    /// Whether `openssl dgst` takes the signature; `options` name the hash and what `-sigopt` takes.
    pub fn verifies(&self, hash: &str, options: &[&str], message: &[u8], signature: &[u8]) -> bool {
        fs::write(&self.signature, signature).expect("the signature's file");
        let hash = format!("-{hash}");
        let mut arguments = vec!["dgst", &hash, "-keyform", "DER", "-verify", &self.key, "-signature", &self.signature];
        options.iter().for_each(|option| arguments.extend(["-sigopt", option]));
        let output = output("openssl", &arguments, message);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("erification"), "openssl {arguments:?}: {said}");
        output.status.success()
    }

    /// The signature that `openssl dgst` makes.
    pub fn signs(&self, hash: &str, options: &[&str], message: &[u8]) -> Vec<u8> {
        let hash = format!("-{hash}");
        let mut arguments = vec!["dgst", &hash, "-keyform", "DER", "-sign", &self.key];
        options.iter().for_each(|option| arguments.extend(["-sigopt", option]));
        run("openssl", &arguments, message)
    }

    /// What `openssl pkeyutl` makes of the input by one of its operations, such as `-encrypt`; nothing where it fails.
    pub fn pkeyutl(&self, operation: &str, options: &[&str], input: &[u8]) -> Option<Vec<u8>> {
        fs::write(&self.input, input).expect("the input's file");
        let mut arguments = vec!["pkeyutl", operation, "-keyform", "DER", "-inkey", &self.key, "-in", &self.input];
        if self.public {
            arguments.push("-pubin");
        }
        options.iter().for_each(|option| arguments.extend(["-pkeyopt", option]));
        let output = output("openssl", &arguments, &[]);
        output.status.success().then_some(output.stdout)
    }

    /// Whether `openssl pkeyutl` takes the signature of the input as it is, or of the whole message with `-rawin`.
    pub fn pkeyutl_verifies(&self, options: &[&str], input: &[u8], signature: &[u8]) -> bool {
        fs::write(&self.input, input).expect("the input's file");
        fs::write(&self.signature, signature).expect("the signature's file");
        let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", &self.key];
        arguments.extend(["-in", &self.input, "-sigfile", &self.signature]);
        arguments.extend(options);
        let output = output("openssl", &arguments, &[]);
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || said.contains("erification"), "openssl {arguments:?}: {said}");
        output.status.success()
    }

    /// The secret that the private key and another's public key, `SubjectPublicKeyInfo`, have together.
    pub fn derives(&self, other: &[u8]) -> Vec<u8> {
        fs::write(&self.input, other).expect("the other key's file");
        let keys = ["-inkey", &self.key, "-keyform", "DER", "-peerkey", &self.input, "-peerform", "DER"];
        run("openssl", &[["pkeyutl", "-derive"].as_slice(), &keys].concat(), &[])
    }

    /// The `SubjectPublicKeyInfo` of the key, as openssl writes it.
    pub fn spki(&self) -> Vec<u8> {
        let mut arguments = vec!["pkey", "-inform", "DER", "-in", &self.key, "-pubout", "-outform", "DER"];
        if self.public {
            arguments.push("-pubin");
        }
        run("openssl", &arguments, &[])
    }
}

/// The point in a `SubjectPublicKeyInfo`.
pub fn point_of(spki: &[u8]) -> Vec<u8> {
    let spki = spki::SubjectPublicKeyInfoRef::try_from(spki).expect("a SubjectPublicKeyInfo");
    spki.subject_public_key.as_bytes().expect("whole bytes").to_vec()
}

/// The scalar in an `ECPrivateKey`. RFC 5915, section 3.
fn scalar(key: &[u8]) -> Vec<u8> {
    let mut reader = SliceReader::new(key).expect("bytes");
    let header = der::Header::decode(&mut reader).expect("a SEQUENCE");
    assert_eq!(header.tag(), der::Tag::Sequence);
    assert_eq!(u8::decode(&mut reader).expect("the version"), 1);
    <&OctetStringRef>::decode(&mut reader).expect("the scalar").as_bytes().to_vec()
}

/// An ECDSA signature of PKCS#11 as `Ecdsa-Sig-Value`.
pub fn der_signature(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let number = |half| UintRef::new(half).and_then(|number| number.to_der()).expect("a number");
    let body = [number(r), number(s)].concat();
    let header = der::Header::new(der::Tag::Sequence, der::Length::try_from(body.len()).expect("short"));
    [header.to_der().expect("a header"), body].concat()
}

/// An `Ecdsa-Sig-Value` as a signature of PKCS#11, whose halves have this length; nothing where it is not one in strict DER
/// or has a number that is too long.
pub fn raw_signature(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(der).ok()?;
    let numbers = reader.sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)));
    let (r, s) = numbers.ok()?;
    reader.finish().ok()?;
    let fits = |number: UintRef| (number.as_bytes().len() <= length).then(|| padded(number.as_bytes(), length));
    Some([fits(r)?, fits(s)?].concat())
}

/// An Ed25519 key as PKCS #8. RFC 8410, section 7.
pub fn ed25519_pkcs8(seed: &[u8]) -> Vec<u8> {
    [unhex("302e020100300506032b657004220420"), seed.to_vec()].concat()
}
