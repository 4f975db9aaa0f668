//! HMAC over SHA-1, SHA-2 and SHA-3: FIPS 198-1, RFC 2104.

use super::hash::{Algorithm, Function, Hash, Output, functions};
use zeroize::Zeroize;

/// A prepared key, which makes any number of MACs. Holds the two hash states after the padded key, not the key.
pub struct HmacKey(States);

/// A MAC under way.
pub struct Hmac(States);

/// What is done alike with each hash function. The pair is of one type: to a short message, looking twice which function it
/// is for and moving states of the largest size costs as much as hashing a block.
macro_rules! pairs {
    ($($name:ident: $state:ty),* $(,)?) => {
        #[derive(Clone)]
        #[allow(clippy::large_enum_variant, reason = "a key and a MAC are kept where they are made")]
        enum States {
            $($name(Pair<$state>)),*
        }

        impl HmacKey {
            /// Takes a key of any length; one longer than a block is hashed first.
            pub fn new(algorithm: Algorithm, key: &[u8]) -> Self {
                if key.len() > algorithm.block_len() {
                    return Self::new(algorithm, Hash::whole(algorithm, key).as_ref());
                }
                Self(match algorithm {
                    $(Algorithm::$name => States::$name(Pair::new(algorithm, key))),*
                })
            }

            /// The MAC of a whole message.
            pub fn whole(&self, data: &[u8]) -> Output {
                match &self.0 {
                    $(States::$name(pair) => {
                        let mut pair = pair.clone();
                        pair.inner.update(data);
                        pair.finish()
                    }),*
                }
            }

            /// Begins a MAC.
            pub fn begin(&self) -> Hmac {
                Hmac(self.0.clone())
            }
        }

        impl Hmac {
            /// Adds `data`.
            pub fn update(&mut self, data: &[u8]) {
                match &mut self.0 {
                    $(States::$name(pair) => pair.inner.update(data)),*
                }
            }

            /// The whole MAC, after which the state is of no more use; shorter MACs are its first bytes.
            pub fn finish(&mut self) -> Output {
                match &mut self.0 {
                    $(States::$name(pair) => pair.finish()),*
                }
            }
        }
    };
}

functions!(pairs);

#[derive(Clone)]
struct Pair<F> {
    inner: F,
    outer: F,
}

impl<F: Function> Pair<F> {
    fn new(algorithm: Algorithm, key: &[u8]) -> Self {
        Self { inner: padded(algorithm, key, 0x36), outer: padded(algorithm, key, 0x5c) }
    }

    fn finish(&mut self) -> Output {
        self.outer.update(self.inner.finish().as_ref());
        self.outer.finish()
    }
}

/// The state after one block: the key, filled up with zeros, each byte changed by `pad`.
fn padded<F: Function>(algorithm: Algorithm, key: &[u8], pad: u8) -> F {
    let mut block = [pad; Algorithm::LONGEST_BLOCK];
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut hash = F::new();
    hash.update(block.get(..algorithm.block_len()).unwrap_or(&block));
    block.as_mut_slice().zeroize();
    hash
}
