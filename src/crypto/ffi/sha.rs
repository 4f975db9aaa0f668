//! SHA-1 and SHA-2.

use std::mem::MaybeUninit;

use aws_lc_sys::{
    SHA_CTX, SHA1_Final, SHA1_Init, SHA1_Update, SHA224_Final, SHA224_Init, SHA224_Update, SHA256_CTX, SHA256_Final,
    SHA256_Init, SHA256_Update, SHA384_Final, SHA384_Init, SHA384_Update, SHA512_224_Final, SHA512_224_Init,
    SHA512_224_Update, SHA512_256_Final, SHA512_256_Init, SHA512_256_Update, SHA512_CTX, SHA512_Final, SHA512_Init,
    SHA512_Update,
};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::hash::{Function, Output};

/// One hash function: its state, wiped when dropped, and the three functions on it.
macro_rules! function {
    ($name:ident, $state:ty, $word:ty, $data:ident, $length:expr, $init:ident, $update:ident, $finish:ident) => {
        #[derive(Clone)]
        pub struct $name($state);

        impl Function for $name {
            fn new() -> Self {
                let mut state = MaybeUninit::<$state>::zeroed();
                // SAFETY: the function sets a state for which there is room; of zeroes, it is a valid value even before.
                unsafe {
                    $init(state.as_mut_ptr());
                    Self(state.assume_init())
                }
            }

            fn update(&mut self, data: &[u8]) {
                // SAFETY: the state is set, and `data` is readable for its length.
                unsafe { $update(&mut self.0, data.as_ptr().cast(), data.len()) };
            }

            fn finish(&mut self) -> Output {
                let mut hash = [0; $length];
                // SAFETY: the state is set, and there is room for the hash.
                unsafe { $finish(hash.as_mut_ptr(), &mut self.0) };
                Output::new(&hash)
            }

            fn save(&self) -> Zeroizing<Vec<u8>> {
                let state = &self.0;
                let words = state.h.iter().chain([&state.Nl, &state.Nh]).flat_map(|word| word.to_be_bytes());
                let rest = state.$data.iter().copied().chain(state.num.to_be_bytes());
                let mut saved = Zeroizing::new(Vec::with_capacity(size_of::<$state>()));
                saved.extend(words.chain(rest));
                saved
            }

            fn restore(mut saved: &[u8]) -> Option<Self> {
                let mut new = Self::new();
                let state = &mut new.0;
                for word in state.h.iter_mut().chain([&mut state.Nl, &mut state.Nh]) {
                    *word = <$word>::from_be_bytes(*saved.split_off(..size_of::<$word>())?.first_chunk()?);
                }
                state.$data = *saved.split_off(..size_of_val(&state.$data))?.first_chunk()?;
                state.num = u32::from_be_bytes(saved.try_into().ok()?);
                // A block that is full has been worked in; AWS-LC relies on it.
                ((state.num as usize) < state.$data.len()).then_some(new)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                let state = (&raw mut self.0).cast::<u8>();
                // SAFETY: the state is plain integers, of which any bytes are a value.
                unsafe { std::slice::from_raw_parts_mut(state, size_of::<$state>()) }.zeroize();
            }
        }
    };
}

function!(Sha1, SHA_CTX, u32, data, 20, SHA1_Init, SHA1_Update, SHA1_Final);
function!(Sha224, SHA256_CTX, u32, data, 28, SHA224_Init, SHA224_Update, SHA224_Final);
function!(Sha256, SHA256_CTX, u32, data, 32, SHA256_Init, SHA256_Update, SHA256_Final);
function!(Sha384, SHA512_CTX, u64, p, 48, SHA384_Init, SHA384_Update, SHA384_Final);
function!(Sha512, SHA512_CTX, u64, p, 64, SHA512_Init, SHA512_Update, SHA512_Final);
function!(Sha512_224, SHA512_CTX, u64, p, 28, SHA512_224_Init, SHA512_224_Update, SHA512_224_Final);
function!(Sha512_256, SHA512_CTX, u64, p, 32, SHA512_256_Init, SHA512_256_Update, SHA512_256_Final);
