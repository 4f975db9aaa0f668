//! What to do about a key that stays: how what it protects comes under another one.
//!
//! Each recipe is lines for people, with commands that name the two tokens and the key.

use cryptoki_sys::*;
use keystead::key::KeyType;

use super::foreign::Refused;
use super::ours::Ours;
use super::source::{Item, Source};
use crate::key::describe::hex;
use crate::uri::Named;

/// The recipe for an object, by what it may be used for. Many modules allow everything that nobody has asked for, so that its type
/// decides too.
pub fn of(source: &Source, item: &Item, ours: &Ours<'_>) -> Result<Vec<String>, Refused> {
    let may = |attribute| source.is(item.object, attribute);
    let tools = Tools::new(source, item, ours);
    let key_type = item.key_type();
    let mut recipe = Vec::new();
    match item.number {
        CKO_SECRET_KEY => {
            let is_cipher = key_type.is_none_or(|key_type| key_type == KeyType::Aes);
            if is_cipher && may(CKA_DECRYPT)? {
                recipe.extend(tools.encrypting_key());
            }
            if is_cipher && may(CKA_UNWRAP)? {
                recipe.extend(tools.wrapping_key());
            }
            if recipe.is_empty() && may(CKA_SIGN)? {
                recipe.extend(tools.mac_key());
            }
        }
        CKO_PRIVATE_KEY => {
            if key_type != Some(KeyType::EcMontgomery) && may(CKA_SIGN)? {
                recipe.extend(tools.signing_key(&source.uri(item)));
            }
            if key_type == Some(KeyType::Rsa) && (may(CKA_DECRYPT)? || may(CKA_UNWRAP)?) {
                recipe.extend(tools.decrypting_key());
            }
            if matches!(key_type, Some(KeyType::Ec | KeyType::EcMontgomery)) && may(CKA_DERIVE)? {
                recipe.extend(tools.agreeing_key());
            }
        }
        NSS_TRUST => recipe.extend(tools.trust()),
        _ => (),
    }
    if recipe.is_empty() {
        recipe.push("Programs that need it go on with the old module; see whether they can do without.".into());
    }
    Ok(recipe)
}

/// What programs load; where it is, only who reads this knows.
const LIBRARY: &str = "libkeystead.so";

/// `CKO_NSS_TRUST`: what NSS thinks of a certificate.
const NSS_TRUST: u64 = 0xce53_4353;

/// The beginnings of command lines.
struct Tools<'a> {
    /// The old module's file.
    module: String,
    /// `pkcs11-tool` with the old token and the key.
    old: String,
    item: &'a Item,
    ours: &'a Ours<'a>,
    /// As `--key-type` has it.
    key_type: &'static str,
}

/// A key that takes the old one's place.
struct Successor {
    /// `pkcs11-tool` with the new token and the key.
    tool: String,
    /// Its URI, as a word.
    uri: String,
}

impl<'a> Tools<'a> {
    fn new(source: &Source, item: &'a Item, ours: &'a Ours<'a>) -> Self {
        let module = source.module.to_string_lossy().into_owned();
        let old = tool(&module, &source.token.label, &item.named());
        let key_type = match item.key_type() {
            Some(KeyType::Rsa) => "rsa:3072",
            Some(KeyType::Ec) => "EC:prime256v1",
            Some(KeyType::EcEdwards) => "EC:edwards25519",
            Some(KeyType::EcMontgomery) => "EC:curve25519",
            _ => "GENERIC:32",
        };
        Self { module, old, item, ours, key_type }
    }

    /// One for each use, each with a name of its own: the old key's public half or certificate may have moved.
    fn successor(&self, number: u8) -> Successor {
        let label = [&self.item.label[..], format!(" {number}").as_bytes()].concat();
        let id = [&self.item.id[..], &[number]].concat();
        let named = Named { class: self.item.number, label: &label, id: &id };
        Successor { tool: tool(LIBRARY, &self.ours.label, &named), uri: quoted(&self.ours.uri(&named)) }
    }

    fn encrypting_key(&self) -> Vec<String> {
        let old = &self.old;
        let Successor { tool: new, .. } = self.successor(2);
        vec![
            "What it has encrypted is decrypted there and encrypted here, under a new key:".into(),
            format!("{new} --keygen --key-type AES:32 --usage-decrypt"),
            format!(
                "{old} --decrypt -m AES-CBC-PAD --iv OLD_IV -i OLD_FILE | {new} --encrypt -m AES-CBC-PAD --iv NEW_IV -o NEW_FILE"
            ),
            "by the mechanism and parameters that OLD_FILE was made by, and a fresh random NEW_IV for each file."
                .into(),
        ]
    }

    fn wrapping_key(&self) -> Vec<String> {
        let old = &self.old;
        let Successor { tool: new, .. } = self.successor(3);
        vec![
            "What it has wrapped is unwrapped there, as extractable, and moved by another `keystead migrate`:".into(),
            format!(
                "{old} --unwrap -m AES-KEY-WRAP -i WRAPPED_FILE --key-type AES: --application-id ID \
                 --application-label NAME --extractable"
            ),
            "What is to be wrapped from now on is wrapped by a new key:".into(),
            format!("{new} --keygen --key-type AES:32 --usage-wrap"),
        ]
    }

    fn mac_key(&self) -> Vec<String> {
        let old = &self.old;
        let Successor { tool: new, .. } = self.successor(2);
        vec![
            "From now on MACs are made by a new key:".into(),
            format!("{new} --keygen --key-type GENERIC:32 --usage-sign"),
            "Those that still have to hold are checked there and made anew here:".into(),
            format!(
                "{old} --verify -m SHA256-HMAC -i FILE --signature-file OLD_MAC && \
                 {new} --sign -m SHA256-HMAC -i FILE -o NEW_MAC"
            ),
        ]
    }

    fn signing_key(&self, old: &str) -> Vec<String> {
        let key_type = self.key_type;
        let Successor { tool: new, uri } = self.successor(2);
        vec![
            "Old signatures hold: keep the public key or certificate, which moves. New ones are made by a new pair:".into(),
            format!("{new} --keypairgen --key-type {key_type} --usage-sign"),
            format!(
                "PKCS11_MODULE_PATH={LIBRARY} openssl req -new -engine pkcs11 -keyform engine -key {uri} -subj SUBJECT \
                 -out REQUEST"
            ),
            "Whoever issued the old certificate issues the new one; where the old key is itself trusted, it certifies the new:"
                .into(),
            format!(
                "PKCS11_MODULE_PATH={} openssl x509 -req -in REQUEST -engine pkcs11 -CAkeyform engine -CAkey {} \
                 -CA OLD_CERTIFICATE -CAcreateserial -out NEW_CERTIFICATE",
                quoted(&self.module),
                quoted(old)
            ),
        ]
    }

    fn decrypting_key(&self) -> Vec<String> {
        let Self { old, key_type, .. } = self;
        let Successor { tool: new, .. } = self.successor(3);
        vec![
            "What was encrypted to it is decrypted there and encrypted to a new pair:".into(),
            format!("{new} --keypairgen --key-type {key_type} --usage-decrypt"),
            format!("{new} --read-object --type pubkey -o NEW_KEY"),
            format!(
                "{old} --decrypt -m RSA-PKCS -i OLD_FILE | openssl pkeyutl -encrypt -pubin -inkey NEW_KEY -keyform DER \
                 -pkeyopt rsa_padding_mode:oaep -out NEW_FILE"
            ),
            "by the padding that OLD_FILE was made by. Then give the new public key to those who encrypt.".into(),
        ]
    }

    fn agreeing_key(&self) -> Vec<String> {
        let key_type = self.key_type;
        let Successor { tool: new, .. } = self.successor(4);
        vec![
            "It encrypts nothing itself: make a new pair, give its public key to the other sides, and agree anew:"
                .into(),
            format!("{new} --keypairgen --key-type {key_type} --usage-derive"),
            "What is encrypted under keys that it agreed on is decrypted while the old token is still there.".into(),
        ]
    }

    fn trust(&self) -> Vec<String> {
        vec![
            "NSS trusts a certificate by an object of its own kind. Say it of the certificate that has moved, once NSS has \
             this module (modutil -add):"
                .into(),
            format!("certutil -M -d DATABASE -h {} -n NAME -t TRUST", quoted(&self.ours.label)),
        ]
    }
}

fn tool(module: &str, token: &str, key: &Named<'_>) -> String {
    let mut line = format!("pkcs11-tool --module {} --token-label {} --login", quoted(module), quoted(token));
    if !key.id.is_empty() {
        line.push_str(&format!(" --id {}", hex(key.id)));
    }
    if !key.label.is_empty() {
        line.push_str(&format!(" --label {}", quoted(&String::from_utf8_lossy(key.label))));
    }
    line
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_word_for_the_shell() {
        assert_eq!(quoted("/usr/lib/x.so"), "/usr/lib/x.so");
        assert_eq!(quoted("My Token"), "'My Token'");
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
        assert_eq!(quoted(""), "''");
    }
}
