//! The keys that checks use: session objects of the holder.

use cryptoki_sys::*;

use super::module::call;
use super::template::Template;
use super::trial::ok;
use super::verdict::Outcome;
use super::world::World;

/// Which key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// No key.
    None,
    /// An AES key that encrypts, decrypts, signs and verifies, and may be wrapped.
    Aes,
    /// An AES key that wraps and unwraps.
    Wrapper,
    /// A generic secret that signs and verifies.
    Generic,
    /// An RSA pair of 2048 bits.
    Rsa,
    /// A pair on P-256.
    P256,
    /// An Ed25519 pair.
    Ed25519,
}

/// A key, or a pair.
#[derive(Clone, Copy, Default)]
pub struct Key {
    /// The secret key, or the public half.
    pub public: CK_OBJECT_HANDLE,
    /// The secret key again, or the private half.
    pub private: CK_OBJECT_HANDLE,
}

impl Kind {
    /// Makes such a key.
    pub fn generate(self, world: &World) -> Outcome<Key> {
        match self {
            Self::None => Ok(Key::default()),
            Self::Aes => {
                let usage = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_EXTRACTABLE];
                secret(world, CKM_AES_KEY_GEN, secret_template(CKK_AES, 16).flags(&usage))
            }
            Self::Wrapper => {
                let template = secret_template(CKK_AES, 16).flags(&[CKA_WRAP, CKA_UNWRAP]);
                let template = [CKA_ENCRYPT, CKA_DECRYPT].iter().fold(template, |all, usage| all.flag(*usage, false));
                secret(world, CKM_AES_KEY_GEN, template)
            }
            Self::Generic => {
                // As long as the longest hash, which some modules want of an HMAC key.
                let template = secret_template(CKK_GENERIC_SECRET, 64).flags(&[CKA_SIGN, CKA_VERIFY]);
                secret(world, CKM_GENERIC_SECRET_KEY_GEN, template)
            }
            Self::Rsa => {
                let public = Template::default().number(CKA_MODULUS_BITS, 2048).bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
                let usage = (
                    [CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP].as_slice(),
                    [CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER].as_slice(),
                );
                pair(world, CKM_RSA_PKCS_KEY_PAIR_GEN, public, usage)
            }
            Self::P256 => {
                let curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
                let public = Template::default().bytes(CKA_EC_PARAMS, &curve);
                pair(world, CKM_EC_KEY_PAIR_GEN, public, (&[CKA_VERIFY], &[CKA_SIGN]))
            }
            Self::Ed25519 => {
                // The curve by its name, which older modules know, and by its object identifier.
                let named = *b"\x13\x0cedwards25519";
                let public = Template::default().bytes(CKA_EC_PARAMS, &named);
                let usage = ([CKA_VERIFY].as_slice(), [CKA_SIGN].as_slice());
                let made = pair(world, CKM_EC_EDWARDS_KEY_PAIR_GEN, public, usage);
                made.or_else(|_| {
                    let public = Template::default().bytes(CKA_EC_PARAMS, &[0x06, 0x03, 0x2b, 0x65, 0x70]);
                    pair(world, CKM_EC_EDWARDS_KEY_PAIR_GEN, public, usage)
                })
            }
        }
    }
}

/// The template of a secret key, a session object, of so many bytes.
pub fn secret_template(key_type: CK_KEY_TYPE, length: CK_ULONG) -> Template {
    Template::of(CKO_SECRET_KEY).number(CKA_KEY_TYPE, key_type).number(CKA_VALUE_LEN, length)
}

/// `C_GenerateKey` in a session.
pub fn generate(
    world: &World,
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_TYPE,
    mut template: Template,
) -> (CK_RV, CK_OBJECT_HANDLE) {
    let (mut rows, mut key, mut mechanism) = (template.rows(), 0, plain(mechanism));
    let (pointer, count) = (rows.as_mut_ptr(), rows.len() as CK_ULONG);
    let code = call!(world.module, C_GenerateKey(session, &mut mechanism, pointer, count, &mut key));
    (code, key)
}

/// A mechanism without parameter.
pub fn plain(mechanism: CK_MECHANISM_TYPE) -> CK_MECHANISM {
    CK_MECHANISM { mechanism, pParameter: std::ptr::null_mut(), ulParameterLen: 0 }
}

fn secret(world: &World, mechanism: CK_MECHANISM_TYPE, template: Template) -> Outcome<Key> {
    let (code, key) = generate(world, world.holder(), mechanism, template);
    ok("C_GenerateKey", code)?;
    Ok(Key { public: key, private: key })
}

type Usage<'a> = (&'a [CK_ATTRIBUTE_TYPE], &'a [CK_ATTRIBUTE_TYPE]);

fn pair(world: &World, mechanism: CK_MECHANISM_TYPE, public: Template, usage: Usage<'_>) -> Outcome<Key> {
    let public = public.flag(CKA_TOKEN, false).flags(usage.0);
    let private = Template::default().flag(CKA_TOKEN, false).flags(usage.1);
    generate_pair(world, mechanism, public, private)
}

/// `C_GenerateKeyPair` in the holder's session.
pub fn generate_pair(
    world: &World,
    mechanism: CK_MECHANISM_TYPE,
    mut public: Template,
    mut private: Template,
) -> Outcome<Key> {
    let (mut public, mut private, mut mechanism) = (public.rows(), private.rows(), plain(mechanism));
    let mut key = Key::default();
    let code = call!(
        world.module,
        C_GenerateKeyPair(
            world.holder(),
            &mut mechanism,
            public.as_mut_ptr(),
            public.len() as CK_ULONG,
            private.as_mut_ptr(),
            private.len() as CK_ULONG,
            &mut key.public,
            &mut key.private,
        )
    );
    ok("C_GenerateKeyPair", code)?;
    Ok(key)
}
