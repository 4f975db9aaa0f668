//! `keystead key import`

mod content;
mod jwk;

use std::path::{Path, PathBuf};

use cryptoki_sys::*;
use keystead::crypto::{PrivateKey, PublicKey};
use keystead::handle::Handle;
use keystead::key::{Class, KeyType};
use keystead::secret::Secret;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::kind::{self, KeyKind};
use super::passphrase::PassphraseSource;
use super::pbes2::Encrypted;
use super::select::{Opened, Place};
use super::template::{Template, Wished};
use super::transport::Transport;
use super::{describe, public};
use crate::failure::{Failure, Result};
use crate::file;
use crate::output::Form;
use crate::store::Store;
use content::Content;

pub const AFTER_HELP: &str = "\
What the file is, is seen: PEM or DER of PKCS#8 (encrypted too), PKCS#1, SEC 1, a public key (SPKI) or an X.509 certificate; a JWK. Other bytes are the \
value of a secret key, and need --type. With a private key its public key is made too.

An imported key is sensitive and not extractable unless it is made so.

Examples:
  keystead key import server.pem --label server --id 01
  keystead key import encrypted.pem --label server --passphrase-file phrase
  keystead key import aes.bin --type aes --label data --usage encrypt,decrypt
  keystead key import partner.pem --label partner --usage wrap
  keystead key import cert.pem --label server --id 01";

#[derive(clap::Args)]
pub struct Import {
    /// The file of the key; - is standard input
    file: PathBuf,

    /// Of a secret key: aes, generic, hmac-sha256 and the like [default: generic, for a JWK]
    #[arg(long = "type", value_name = kind::NAME, value_parser = KeyKind::parse)]
    kind: Option<KeyKind>,

    #[command(flatten)]
    wished: Wished,

    /// Makes no public key beside a private one
    #[arg(long)]
    no_public: bool,

    #[command(flatten)]
    passphrase: PassphraseSource,

    #[command(flatten)]
    place: Place,
}

/// `keystead key import`
pub fn run(args: &Import, store: &Store, form: Form) -> Result<()> {
    if args.kind.is_some_and(|kind| kind.key_type.comes_in_pairs()) {
        crate::misused("--type is for secret keys: the file of a pair says itself what it holds");
    }
    let file = file::short(&args.file)?;
    let content = content::read(&file, args.kind)?;
    drop(file);
    let passphrase = match content {
        Content::Encrypted(_) => Some(args.passphrase.existing()?),
        _ => None,
    };
    let opened = args.place.open(store)?;
    let in_the_clear = matches!(content, Content::PrivateKey(_) | Content::SecretKey(_));
    let made = match content {
        Content::PrivateKey(info) => pair(args, &opened, private(args, &opened, &info)?)?,
        Content::Encrypted(der) => {
            let passphrase = passphrase.ok_or_else(|| Failure::new("there is no passphrase"))?;
            let key = Encrypted::read(&der)?.unwrap(&opened, &passphrase, |kind| template(args, kind))?;
            pair(args, &opened, key)?
        }
        Content::SecretKey(value) => vec![secret(args, &opened, &value)?],
        Content::PublicKey(key) => vec![public_key(args, &opened, &key)?],
        Content::Certificate(der) => vec![certificate(args, &opened, &der)?],
    };
    describe::report(&opened, &made, form)?;
    if in_the_clear && args.file != Path::new("-") {
        let failure = Failure::new(format!("{} still holds the key in the clear", args.file.display()));
        failure.with_next("destroy the file and its copies once the key in the token serves").say();
    }
    Ok(())
}

/// The template of a secret or private key. Unlike one that is unwrapped, it is not extractable.
fn template(args: &Import, kind: KeyKind) -> Template {
    let mut template = Template::of(kind.class());
    kind.put_into(&mut template);
    template.set_flag(CKA_EXTRACTABLE, false);
    args.wished.put_into(&mut template, kind.class());
    template
}

fn secret(args: &Import, opened: &Opened<'_>, value: &Secret) -> Result<Handle> {
    let kind = args.kind.unwrap_or(KeyKind::of(KeyType::GenericSecret));
    Transport::inward(opened)?.bring_in(opened, value, &template(args, kind))
}

fn private(args: &Import, opened: &Opened<'_>, info: &Secret) -> Result<Handle> {
    let key = PrivateKey::from_pkcs8(info.expose()).map_err(|_| Failure::new("the private key is none"))?;
    Transport::inward(opened)?.bring_in(opened, info, &template(args, KeyKind::of(KeyType::of(&key))))
}

/// The private key, and its public half, which is made of it.
fn pair(args: &Import, opened: &Opened<'_>, private: Handle) -> Result<Vec<Handle>> {
    if args.no_public {
        return Ok(vec![private]);
    }
    let made = public_half(opened, private).and_then(|key| public_key(args, opened, &key));
    match made {
        Ok(public) => Ok(vec![public, private]),
        Err(failure) => {
            opened.sessions().destroy(opened.session, private)?;
            Err(failure)
        }
    }
}

fn public_half(opened: &Opened<'_>, private: Handle) -> Result<PublicKey> {
    let info = opened.sessions().view(opened.session, private)?.attribute(CKA_PUBLIC_KEY_INFO)?;
    PublicKey::from_spki(&info)
        .map_err(|_| Failure::new("the private key has no public key").with_next("pass --no-public"))
}

fn public_key(args: &Import, opened: &Opened<'_>, key: &PublicKey) -> Result<Handle> {
    let mut template = public::template(key)?;
    args.wished.put_into(&mut template, Class::PublicKey);
    Ok(opened.sessions().create(opened.session, &template.given())?)
}

fn certificate(args: &Import, opened: &Opened<'_>, der: &[u8]) -> Result<Handle> {
    let failed = |error| Failure::of("the certificate", error);
    let certificate = Certificate::from_der(der).map_err(failed)?;
    let certificate = certificate.tbs_certificate();
    let mut template = Template::of(Class::Certificate);
    template.set_number(CKA_CERTIFICATE_TYPE, CKC_X_509);
    template.set(CKA_SUBJECT, certificate.subject().to_der().map_err(failed)?);
    template.set(CKA_ISSUER, certificate.issuer().to_der().map_err(failed)?);
    template.set(CKA_SERIAL_NUMBER, certificate.serial_number().to_der().map_err(failed)?);
    template.set(CKA_VALUE, der);
    args.wished.put_into(&mut template, Class::Certificate);
    Ok(opened.sessions().create(opened.session, &template.given())?)
}
