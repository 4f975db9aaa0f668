//! `keystead key export-public`

use clap::ValueEnum;
use cryptoki_sys::{CKA_LABEL, CKA_PUBLIC_KEY_INFO};
use keystead::crypto::PublicKey;
use keystead::key::Class;
use pem_rfc7468::LineEnding;
use serde::Serialize;

use super::describe::Listed;
use super::select::{Among, Object};
use super::to::To;
use super::{hits, public};
use crate::failure::{Failure, Result};
use crate::output::{Form as Printed, Word};
use crate::store::Store;

pub const AFTER_HELP: &str = "\
A private key and a certificate have the public key in them, so the halves of a pair give the same file.

Examples:
  keystead key export-public signing --out signing.pem
  keystead key export-public signing --class private-key --login --form ssh
  keystead key export-public 'pkcs11:object=signing;type=public' --form jwk";

#[derive(clap::Args)]
pub struct ExportPublic {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    among: Among,

    /// Logs in as the user
    #[arg(long)]
    login: bool,

    /// What is written
    #[arg(long, default_value = "pem")]
    form: Form,

    #[command(flatten)]
    to: To,
}

/// What is written of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// SubjectPublicKeyInfo, RFC 5280, between lines of text
    Pem,
    /// SubjectPublicKeyInfo
    Der,
    /// RFC 7517
    Jwk,
    /// A line of OpenSSH's authorized_keys
    Ssh,
}

/// What was written, as it is printed.
#[derive(Serialize)]
struct Report {
    file: std::path::PathBuf,
    key: Option<Listed>,
}

/// `keystead key export-public`
pub fn run(args: &ExportPublic, store: &Store, printed: Printed) -> Result<()> {
    args.to.check(args.form == Form::Der, printed)?;
    let opened = args.among.open(Some(&args.object.name), args.login, store)?.narrowed(has_public_key);
    let object = hits::first_of_pair(&opened, &args.object.name)?;
    let view = opened.view(object)?.ok_or_else(|| Failure::new("the object is gone again"))?;
    let info = view.attribute(CKA_PUBLIC_KEY_INFO).unwrap_or_default();
    let key = PublicKey::from_spki(&info).map_err(|_| {
        let failure = Failure::new("the object has no public key of a type that is here");
        failure.with_next("`keystead key show` tells what it has")
    })?;
    let content = match args.form {
        Form::Der => info.to_vec(),
        Form::Pem => {
            let pem = pem_rfc7468::encode_string("PUBLIC KEY", LineEnding::LF, &info);
            pem.map_err(|error| Failure::of("PEM", error))?.into_bytes()
        }
        Form::Jwk => public::jwk(&key)?.into_bytes(),
        Form::Ssh => {
            let label = view.attribute(CKA_LABEL).unwrap_or_default();
            public::ssh(&key, &String::from_utf8_lossy(&label))?.into_bytes()
        }
    };
    args.to.write(&content)?;
    let listed = Listed::of(&opened, object)?;
    let words = [
        ("file", Word::plain(args.to.file().display().to_string())),
        ("key", Word::plain(listed.as_ref().map(Listed::briefly).unwrap_or_default())),
    ];
    args.to.report(&Report { file: args.to.file().to_owned(), key: listed }, &words, printed)
}

fn has_public_key(class: Class) -> bool {
    matches!(class, Class::PublicKey | Class::PrivateKey | Class::Certificate)
}
