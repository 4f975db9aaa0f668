//! A fresh AES key of the session: other keys come in or go on under it, and it ends with the session.

use cryptoki_sys::*;
use keystead::crypto::InOut;
use keystead::handle::Handle;
use keystead::key::KeyType;
use keystead::mechanism::Parameter;
use keystead::secret::Secret;
use keystead::session::{Direction, Length, Output};

use super::kind::KeyKind;
use super::select::Opened;
use super::template::Template;
use super::wrapping::{self, Means, Method};
use crate::failure::{Failure, Result};

/// The key. Nobody ever sees its value.
pub struct Transport(pub Handle);

impl Transport {
    /// What is done under it.
    pub const METHOD: Method = Method::AesKwp;

    /// One that others come in under.
    pub fn inward(opened: &Opened<'_>) -> Result<Self> {
        Self::new(opened, &[CKA_ENCRYPT, CKA_UNWRAP])
    }

    /// One that others go out under, and that goes out itself.
    pub fn outward(opened: &Opened<'_>) -> Result<Self> {
        Self::new(opened, &[CKA_WRAP, CKA_EXTRACTABLE])
    }

    fn new(opened: &Opened<'_>, grants: &[u64]) -> Result<Self> {
        let mut template = transient();
        for attribute in [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_EXTRACTABLE] {
            template.set_flag(attribute, grants.contains(&attribute));
        }
        KeyKind::of(KeyType::Aes).put_size_into(&mut template);
        let mechanism = opened.mechanism(CKM_AES_KEY_GEN)?;
        Ok(Self(opened.sessions().generate(opened.session, mechanism, &template.given())?))
    }

    /// Brings a value in as one that is unwrapped: of a secret key its bytes, of a private key its `PrivateKeyInfo`.
    pub fn bring_in(&self, opened: &Opened<'_>, value: &Secret, template: &Template) -> Result<Handle> {
        let (sessions, session) = (opened.sessions(), opened.session);
        let mechanism = opened.mechanism(Self::METHOD.number())?;
        sessions.crypt_init(session, Direction::Encrypt, mechanism, &Parameter::None, self.0)?;
        // A semiblock in front, and the filling of the last one.
        let mut sealed = vec![0; value.len().saturating_add(16)];
        let output = &mut Output::Buffer(InOut::from_slices(value.expose(), &mut sealed));
        let Length::Written(length) = sessions.crypt_whole(session, Direction::Encrypt, output)? else {
            return Err(Failure::new("the key is too long to be brought in"));
        };
        sealed.truncate(length);
        wrapping::unwrap(opened, &Means::plain(Self::METHOD), self.0, &sealed, template)
    }

    /// The end of it, before that of the session.
    pub fn destroy(self, opened: &Opened<'_>) -> Result<()> {
        Ok(opened.sessions().destroy(opened.session, self.0)?)
    }
}

/// The template of a secret key of the session.
pub fn transient() -> Template {
    let mut template = Template::of(keystead::key::Class::SecretKey);
    template.set_flag(CKA_TOKEN, false);
    template.set_flag(CKA_PRIVATE, true);
    template
}
