//! RSA against OpenSSL, whose files are in `tests/vectors/rsa`, and against Wycheproof.

mod encryption;
mod import;
mod keys;
mod signatures;
mod wycheproof;

use std::sync::LazyLock;

use super::{Algorithm, Hash, Rejected, algorithm, hex};
use crate::crypto::rsa::{
    BITS, Failure, GENERATED_BITS, Oaep, Pss, RsaComponent, RsaComponents, RsaPrivateKey, RsaPublicKey,
};

/// A file of `tests/vectors/rsa`.
macro_rules! stored {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rsa/", $name))
    };
}
use stored;

/// What the files hold, signed or encrypted.
const MESSAGE: &[u8] = b"keystead";

const PAIRS: [(&[u8], &[u8]); 5] = [
    (stored!("1024.p8"), stored!("1024.spki")),
    (stored!("2048.p8"), stored!("2048.spki")),
    (stored!("1025.p8"), stored!("1025.spki")),
    (stored!("2048-e3.p8"), stored!("2048-e3.spki")),
    (stored!("2048-e65.p8"), stored!("2048-e65.spki")),
];

static KEY_1024: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::from_pkcs8(PAIRS[0].0).unwrap());
static KEY_2048: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::from_pkcs8(PAIRS[1].0).unwrap());
static KEY_1025: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::from_pkcs8(PAIRS[2].0).unwrap());

const COMPONENTS: [RsaComponent; 8] = [
    RsaComponent::Modulus,
    RsaComponent::PublicExponent,
    RsaComponent::PrivateExponent,
    RsaComponent::Prime1,
    RsaComponent::Prime2,
    RsaComponent::Exponent1,
    RsaComponent::Exponent2,
    RsaComponent::Coefficient,
];

/// The numbers of a key in the order of [`COMPONENTS`].
fn numbers(key: &RsaPrivateKey) -> [Vec<u8>; 8] {
    COMPONENTS.map(|component| key.component(component).expose().to_vec())
}

fn components(numbers: &[Vec<u8>; 8]) -> RsaComponents<'_> {
    let [modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient] =
        numbers.each_ref().map(Vec::as_slice);
    RsaComponents { modulus, public_exponent, private_exponent, prime1, prime2, exponent1, exponent2, coefficient }
}

fn digest(algorithm: Algorithm) -> Vec<u8> {
    Hash::whole(algorithm, MESSAGE).as_ref().to_vec()
}

/// Runs what writes as many bytes as the modulus has.
fn output<E>(length: usize, write: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Vec<u8>, E> {
    let mut output = vec![0; length];
    write(&mut output).map(|()| output)
}
