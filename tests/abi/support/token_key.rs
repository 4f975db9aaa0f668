//! Token keys that many tests make, look for and try.

use cryptoki_sys::*;

use super::*;

/// A template for an AES key of this label that lasts.
pub fn token_key(label: &str) -> Template {
    template![CKA_TOKEN => true, CKA_LABEL => label, CKA_ENCRYPT => true, CKA_DECRYPT => true]
}

/// The key encrypts, and decrypts what it has encrypted.
pub fn works(session: &Session, key: CK_OBJECT_HANDLE) {
    let sealed = ok!(session.encrypt(&gcm(), key, b"text"));
    assert_eq!(ok!(session.decrypt(&gcm(), key, &sealed)), b"text");
}

/// There is one key of each label, and it works.
pub fn all_work<'a>(session: &Session, labels: impl IntoIterator<Item = &'a String>) {
    for label in labels {
        let found = ok!(session.find(&template![CKA_LABEL => label.as_str()]));
        assert_eq!(found.len(), 1, "{label} was acknowledged");
        works(session, found[0]);
    }
}
