//! The key that unwraps a file: how the file names it, and which key of a token it is.

use cryptoki_sys::*;
use keystead::crypto::hash::sha256;
use keystead::handle::Handle;
use keystead::key::{Class, KeyType};
use keystead::token::View;
use serde::{Deserialize, Serialize};

use super::describe::{hex, shape};
use super::select::{Opened, Wanted, bytes};
use super::{hits, names};
use crate::failure::{Failure, Result};

/// What a file says of the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WrappingKey {
    /// `AES` or `RSA`.
    #[serde(rename = "type")]
    of: String,
    label: String,
    /// In hexadecimal digits.
    id: String,
    /// Of an AES key, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    check_value: Option<String>,
    /// Of the `SubjectPublicKeyInfo` of an RSA pair, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_sha256: Option<String>,
}

impl WrappingKey {
    /// What is said of a key that wraps.
    pub fn of(opened: &Opened<'_>, wrapping: Handle) -> Result<Self> {
        let gone = || Failure::new("the wrapping key is gone again");
        let view = opened.view(wrapping)?.ok_or_else(gone)?;
        let (_, of) = shape(&view).ok_or_else(gone)?;
        let digits = |attribute| hex(&value(&view, attribute));
        Ok(Self {
            of: of.map(names::of).unwrap_or_default().to_owned(),
            label: String::from_utf8_lossy(&value(&view, CKA_LABEL)).into_owned(),
            id: digits(CKA_ID),
            check_value: Some(digits(CKA_CHECK_VALUE)).filter(|digits| !digits.is_empty()),
            public_key_sha256: fingerprint(&view),
        })
    }

    /// The key of this token that unwraps what the key has wrapped.
    pub fn find(&self, opened: &Opened<'_>) -> Result<Handle> {
        let mut found = Vec::new();
        opened.with(self.wanted()?).each(|handle| {
            found.push(handle);
            Ok(())
        })?;
        let mut fitting = Vec::new();
        for handle in found {
            if let Some(view) = opened.view(handle)?.filter(|view| fingerprint(view) == self.public_key_sha256) {
                fitting.push((handle, self.names(&view)));
            }
        }
        // The name decides where the value does not: between copies, or where there is no check value.
        let says_value = self.check_value.is_some() || self.public_key_sha256.is_some();
        if fitting.len() > 1 || !says_value {
            fitting.retain(|(_, named)| *named);
        }
        let fitting: Vec<Handle> = fitting.into_iter().map(|(handle, _)| handle).collect();
        match fitting[..] {
            [] => Err(self.not_here()),
            [one] => Ok(one),
            ref several => Err(hits::too_many(opened, several, "say by which one with --with")),
        }
    }

    /// What the key has for sure.
    fn wanted(&self) -> Result<Wanted> {
        let key_type = names::key_type_named(&self.of).filter(|of| [KeyType::Aes, KeyType::Rsa].contains(of));
        let key_type = key_type.ok_or_else(|| Failure::new(format!("no {:?} key unwraps anything here", self.of)))?;
        let class = if key_type == KeyType::Rsa { Class::PrivateKey } else { Class::SecretKey };
        let mut wanted = vec![
            (CKA_CLASS, class.number().to_ne_bytes().to_vec()),
            (CKA_KEY_TYPE, key_type.number().to_ne_bytes().to_vec()),
            (CKA_UNWRAP, vec![1]),
        ];
        if let Some(digits) = &self.check_value {
            let no_digits = || Failure::new("the check value of the wrapping key is not in hexadecimal digits");
            wanted.push((CKA_CHECK_VALUE, bytes(digits).ok_or_else(no_digits)?));
        }
        Ok(wanted)
    }

    /// Whether an object is called as the key was.
    fn names(&self, view: &View) -> bool {
        *value(view, CKA_LABEL) == *self.label.as_bytes() && hex(&value(view, CKA_ID)) == self.id
    }

    fn not_here(&self) -> Failure {
        let Self { of, label, id, .. } = self;
        let by = match (&self.check_value, &self.public_key_sha256) {
            (Some(digits), _) => format!(", check value {digits}"),
            (None, Some(digits)) => format!(", SHA-256 of the public key {digits}"),
            (None, None) => String::new(),
        };
        let what = format!("the token has no key that unwraps this: {of} key {label:?}, id {id:?}{by}");
        Failure::new(what).with_next("name another token with --token, or the key with --with")
    }
}

/// Of the `SubjectPublicKeyInfo` of either half of a pair.
fn fingerprint(view: &View) -> Option<String> {
    Some(value(view, CKA_PUBLIC_KEY_INFO)).filter(|info| !info.is_empty()).map(|info| hex(&sha256(&[&info])))
}

fn value(view: &View, attribute: u64) -> Vec<u8> {
    view.attribute(attribute).map(|value| value.to_vec()).unwrap_or_default()
}
