//! How a key crosses: wrapped there and unwrapped here, by a key that both tokens have for as long as this lasts.

use cryptoki_sys::*;
use keystead::crypto::random;
use keystead::handle::Handle;
use keystead::key::Class;
use keystead::mechanism::{Oaep, Parameter};
use once_cell::unsync::OnceCell;

use super::foreign::{Hash, Mechanism, Object, Session};
use super::ours::{Attribute, Ours};
use super::source::{Item, Source};

/// A form of wrapping that both tokens may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By an AES key, in the form of this mechanism there; what it is here.
    KeyWrap(CK_MECHANISM_TYPE),
    /// By an AES key: `CKM_AES_CBC_PAD`.
    CbcPad,
    /// By an RSA key, with an AES key of its own in between.
    RsaAes(Hash),
    /// By an RSA key.
    Oaep(Hash),
}

/// The best first: what checks itself, then what tells the length, then what needs a pair made for it.
const WAYS: [Way; 8] = [
    Way::KeyWrap(CKM_AES_KEY_WRAP_KWP),
    Way::KeyWrap(CKM_AES_KEY_WRAP_PAD),
    Way::CbcPad,
    Way::KeyWrap(CKM_AES_KEY_WRAP),
    Way::RsaAes(Hash::Sha256),
    Way::RsaAes(Hash::Sha1),
    Way::Oaep(Hash::Sha256),
    Way::Oaep(Hash::Sha1),
];

/// The keys that both tokens share, made when they are needed first.
pub struct Bridge<'a> {
    source: &'a Source,
    ours: &'a Ours<'a>,
    aes: OnceCell<Result<Shared<'a>, String>>,
    rsa: OnceCell<Result<Shared<'a>, String>>,
}

/// A key of the source, or its public half, and what unwraps here.
struct Shared<'a> {
    theirs: Temporary<'a>,
    own: Handle,
}

/// A session object of the source, which is destroyed again.
struct Temporary<'a> {
    session: &'a Session,
    object: Object,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // It goes with the session at the latest.
        let _ = self.session.destroy(self.object);
    }
}

impl Way {
    /// Its mechanism.
    pub fn number(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::KeyWrap(number) => number,
            Self::CbcPad => CKM_AES_CBC_PAD,
            Self::RsaAes(_) => CKM_RSA_AES_KEY_WRAP,
            Self::Oaep(_) => CKM_RSA_PKCS_OAEP,
        }
    }

    /// Whether it fails on what is not what was wrapped.
    pub fn checks_itself(self) -> bool {
        self != Self::CbcPad
    }

    /// Whether keys of a class are wrapped so: a block of RSA has no room for a private key.
    fn carries(self, class: Class) -> bool {
        class == Class::SecretKey || !matches!(self, Self::Oaep(_))
    }
}

impl<'a> Bridge<'a> {
    pub fn new(source: &'a Source, ours: &'a Ours<'a>) -> Self {
        Self { source, ours, aes: OnceCell::new(), rsa: OnceCell::new() }
    }

    /// The ways for keys of a class that the source's list of mechanisms has.
    pub fn ways(&self, class: Class) -> impl Iterator<Item = Way> {
        WAYS.into_iter().filter(move |way| way.carries(class) && self.source.has(way.number()))
    }

    /// Takes a key over, as what `given` says. On failure, why.
    pub fn carry(&self, way: Way, item: &Item, given: &[Attribute<'_>]) -> Result<Handle, String> {
        let iv = random::bytes::<16>().map_err(said)?;
        let (theirs, parameter, shared) = match way {
            Way::KeyWrap(number) => (Mechanism::Plain(number), Parameter::None, self.aes()?),
            Way::CbcPad => (Mechanism::Bytes(CKM_AES_CBC_PAD, iv.to_vec()), Parameter::Bytes(&iv), self.aes()?),
            Way::RsaAes(hash) => {
                let parameter = Parameter::RsaAes { aes_bits: Mechanism::RSA_AES_BITS, oaep: oaep(hash) };
                (Mechanism::RsaAes(hash), parameter, self.rsa()?)
            }
            Way::Oaep(hash) => (Mechanism::Oaep(hash), Parameter::Oaep(oaep(hash)), self.rsa()?),
        };
        let wrapped = self.source.session.wrap(&theirs, shared.theirs.object, item.object).map_err(said)?;
        self.ours.unwrap(theirs.number(), &parameter, shared.own, &wrapped, given).map_err(said)
    }

    /// An AES key that both have: drawn here and brought into the source; if that takes none, made there and sent under RSA.
    fn aes(&self) -> Result<&Shared<'a>, String> {
        let shared = self.aes.get_or_init(|| self.bring_aes().or_else(|why| self.fetch_aes().map_err(|_| why)));
        shared.as_ref().map_err(Clone::clone)
    }

    fn bring_aes(&self) -> Result<Shared<'a>, String> {
        let value = random::secret(32).map_err(said)?;
        let theirs = [&SECRET_AES[..], &WRAPS, &[(CKA_EXTRACTABLE, &[0][..]), (CKA_VALUE, value.expose())]].concat();
        let theirs = self.temporary(self.source.session.create(&theirs).map_err(said)?);
        let own = [&SECRET_AES[..], &UNWRAPS, &[(CKA_VALUE, value.expose())]].concat();
        Ok(Shared { theirs, own: self.ours.create(&own).map_err(said)? })
    }

    fn fetch_aes(&self) -> Result<Shared<'a>, String> {
        let length = CK_ULONG::to_ne_bytes(32);
        let made = [&SECRET_AES[2..], &WRAPS, &[(CKA_EXTRACTABLE, &[1][..]), (CKA_VALUE_LEN, &length)]].concat();
        let theirs = self.source.session.generate(&Mechanism::Plain(CKM_AES_KEY_GEN), &made).map_err(said)?;
        let theirs = self.temporary(theirs);
        let pair = self.rsa()?;
        let own = [&SECRET_AES[..], &UNWRAPS].concat();
        let mut sent = Err("the source wraps nothing under RSA".to_owned());
        for hash in [Hash::Sha256, Hash::Sha1] {
            let wrapped = self.source.session.wrap(&Mechanism::Oaep(hash), pair.theirs.object, theirs.object);
            sent = wrapped.map_err(said).and_then(|wrapped| {
                let parameter = Parameter::Oaep(oaep(hash));
                self.ours.unwrap(CKM_RSA_PKCS_OAEP, &parameter, pair.own, &wrapped, &own).map_err(said)
            });
            if sent.is_ok() {
                break;
            }
        }
        Ok(Shared { theirs, own: sent? })
    }

    /// A pair made here, whose public key is brought into the source.
    fn rsa(&self) -> Result<&Shared<'a>, String> {
        self.rsa.get_or_init(|| self.bring_rsa()).as_ref().map_err(Clone::clone)
    }

    fn bring_rsa(&self) -> Result<Shared<'a>, String> {
        const BITS: u64 = 3072;
        let no: &[u8] = &[0];
        let pair = self.ours.generate_rsa(BITS, &[(CKA_TOKEN, no)], &[(CKA_TOKEN, no), (CKA_UNWRAP, &[1])]);
        let [public, own] = pair.map_err(said)?;
        let part = |number| self.ours.attribute(public, number).map_err(said).map(Option::unwrap_or_default);
        let (modulus, exponent) = (part(CKA_MODULUS)?, part(CKA_PUBLIC_EXPONENT)?);
        let given = [
            (CKA_CLASS, &CKO_PUBLIC_KEY.to_ne_bytes()[..]),
            (CKA_KEY_TYPE, &CKK_RSA.to_ne_bytes()),
            (CKA_TOKEN, no),
            (CKA_WRAP, &[1]),
            (CKA_ENCRYPT, &[1]),
            (CKA_MODULUS, &modulus),
            (CKA_PUBLIC_EXPONENT, &exponent),
        ];
        Ok(Shared { theirs: self.temporary(self.source.session.create(&given).map_err(said)?), own })
    }

    fn temporary(&self, object: Object) -> Temporary<'a> {
        Temporary { session: &self.source.session, object }
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn oaep(hash: Hash) -> Oaep<'static> {
    Oaep { hash: hash.number(), mgf: hash.mgf(), source: CKZ_DATA_SPECIFIED, label: &[] }
}

/// A sensitive AES key that goes with its session.
const SECRET_AES: [(u64, &[u8]); 5] = [
    (CKA_CLASS, &CKO_SECRET_KEY.to_ne_bytes()),
    (CKA_KEY_TYPE, &CKK_AES.to_ne_bytes()),
    (CKA_TOKEN, &[0]),
    (CKA_PRIVATE, &[1]),
    (CKA_SENSITIVE, &[1]),
];
const WRAPS: [(u64, &[u8]); 2] = [(CKA_WRAP, &[1]), (CKA_ENCRYPT, &[1])];
const UNWRAPS: [(u64, &[u8]); 2] = [(CKA_UNWRAP, &[1]), (CKA_EXTRACTABLE, &[0])];
