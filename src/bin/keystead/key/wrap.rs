//! `keystead key wrap`

use std::path::PathBuf;

use clap::ValueEnum;
use keystead::handle::Handle;
use keystead::key::Class;
use pem_rfc7468::LineEnding;
use serde::Serialize;
use serde_json::{Map, Value};

use super::describe::{Listed, hex};
use super::passphrase::PassphraseSource;
use super::pbes2::Encrypted;
use super::select::{Among, Object, Opened};
use super::text::{self, Header};
use super::to::To;
use super::transport::Transport;
use super::wrapping::{self, How, Means, Method};
use super::wrapping_key::WrappingKey;
use super::{hits, proposal};
use crate::failure::{Failure, Result};
use crate::output::{Form as Printed, Word};
use crate::store::Store;

pub const AFTER_HELP: &str = "\
The text form is one file that `keystead key unwrap` needs nothing else for: it names the wrapping key, the mechanism and the attributes. The raw \
form is the wrapped bytes alone, as other programs take them.

--double wraps the key by aes-kwp under a fresh AES key of the session, and that one by rsa-oaep under the RSA key; the text file holds \
both. rsa-aes is the standard's own form of the same, in one piece that other modules and HSMs take.

Examples:
  keystead key wrap data --with kek --out data.wrapped
  keystead key wrap data --with partner --mechanism rsa-oaep --form raw --out data.bin
  keystead key wrap signing --class private-key --with partner --double --out signing.wrapped
  keystead key wrap signing --form pkcs8 --passphrase-file phrase --out signing.pem

What is wrapped so loses its history; masked objects keep it, see `keystead sync`.";

#[derive(clap::Args)]
pub struct Wrap {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    among: Among,

    /// The wrapping key, named as OBJECT is: an AES key, or the public key of an RSA pair
    #[arg(long, value_name = "KEY")]
    with: Option<String>,

    #[command(flatten)]
    how: How,

    /// Wraps under a fresh AES key, and that one under the RSA key
    #[arg(long, conflicts_with_all = ["mechanism", "iv"])]
    double: bool,

    /// What is written
    #[arg(long, default_value = "text")]
    form: Form,

    #[command(flatten)]
    passphrase: PassphraseSource,

    #[command(flatten)]
    to: To,
}

/// What is written of a wrapped key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One text file, from which alone it is unwrapped
    Text,
    /// The wrapped bytes
    Raw,
    /// A private key as encrypted PKCS#8 between lines of text, under a passphrase: PBES2 of PBKDF2-HMAC-SHA-256 and AES-256-CBC
    Pkcs8,
    /// The same as DER
    Pkcs8Der,
}

/// What was done, as it is printed.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    mechanism: Option<&'static str>,
    key: Option<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapping_key: Option<Listed>,
    /// In hexadecimal digits.
    #[serde(skip_serializing_if = "String::is_empty")]
    iv: String,
}

/// `keystead key wrap`
pub fn run(args: &Wrap, store: &Store, printed: Printed) -> Result<()> {
    args.to.check(matches!(args.form, Form::Raw | Form::Pkcs8Der), printed)?;
    if args.double && args.form != Form::Text {
        crate::misused(
            "--double writes two wrapped keys into one text file: leave --form out, or take --mechanism rsa-aes",
        );
    }
    match (args.form, &args.with) {
        (Form::Text | Form::Raw, Some(with)) => under_key(args, with, store, printed),
        (Form::Pkcs8 | Form::Pkcs8Der, None) => under_passphrase(args, store, printed),
        (Form::Text | Form::Raw, None) => crate::misused("--with KEY is missing: the wrapping key"),
        (Form::Pkcs8 | Form::Pkcs8Der, Some(_)) => {
            crate::misused("encrypted PKCS#8 is wrapped under a passphrase: leave --with out")
        }
    }
}

fn under_key(args: &Wrap, with: &str, store: &Store, printed: Printed) -> Result<()> {
    let opened = args.among.open(Some(&args.object.name), true, store)?.narrowed(Class::is_wrapped);
    let key = hits::one(&opened, &args.object.name)?;
    let wrapping = wrapping_key(&opened, with)?;
    let means = args.how.to_wrap(&opened, wrapping)?;
    let mut report = Report { wrapping_key: Listed::of(&opened, wrapping)?, ..Report::of(args, &opened, key)? };
    report.mechanism = Some(means.method.name()).filter(|_| !args.double);
    let content = match args.form {
        Form::Raw => {
            report.iv = hex(&means.iv);
            wrapping::wrap(&opened, &means, wrapping, key)?
        }
        _ => {
            let view = opened.view(key)?.ok_or_else(|| Failure::new("the key is gone again"))?;
            text(&opened, means, args.double, wrapping, key, proposal::of(&view))?
        }
    };
    args.to.write(&content)?;
    if args.form == Form::Raw && args.to.is_stdout() && !report.iv.is_empty() {
        Failure::new(format!("the IV is {}", report.iv)).with_next("`key unwrap` needs it").say();
    }
    lost(args.form).say();
    args.to.report(&report, &report.words(), printed)
}

fn under_passphrase(args: &Wrap, store: &Store, printed: Printed) -> Result<()> {
    let passphrase = args.passphrase.new_one()?;
    let opened = args.among.open(Some(&args.object.name), true, store)?.narrowed(|class| class == Class::PrivateKey);
    let key = hits::one(&opened, &args.object.name)?;
    let der = Encrypted::wrap(&opened, &passphrase, key)?.to_der()?;
    let content = match args.form {
        Form::Pkcs8Der => der,
        _ => {
            let pem = pem_rfc7468::encode_string("ENCRYPTED PRIVATE KEY", LineEnding::LF, &der);
            pem.map_err(|error| Failure::of("PEM", error))?.into_bytes()
        }
    };
    args.to.write(&content)?;
    lost(args.form).say();
    let report = Report::of(args, &opened, key)?;
    args.to.report(&report, &report.words(), printed)
}

/// The wrapping key of that name.
pub fn wrapping_key(opened: &Opened<'_>, name: &str) -> Result<Handle> {
    hits::one(&opened.others(name, |class| matches!(class, Class::SecretKey | Class::PublicKey))?, name)
}

/// The text file of a wrapped key. `double` has it wrapped under a transport key, and that one under the wrapping key.
pub fn text(
    opened: &Opened<'_>,
    mut means: Means,
    double: bool,
    wrapping: Handle,
    key: Handle,
    attributes: Map<String, Value>,
) -> Result<Vec<u8>> {
    let named = WrappingKey::of(opened, wrapping)?;
    if !double {
        let above = Header::new(named, &means, None, attributes).above()?;
        if means.method == Method::AesGcm {
            means.aad = above.clone().into_bytes();
        }
        return text::file(&above, None, &wrapping::wrap(opened, &means, wrapping, key)?);
    }
    means.method = Method::RsaOaep;
    let under = Means::plain(Transport::METHOD);
    let above = Header::new(named, &means, Some(&under), attributes).above()?;
    let transport = Transport::outward(opened)?;
    let transport_key = wrapping::wrap(opened, &means, wrapping, transport.0)?;
    let key = wrapping::wrap(opened, &under, transport.0, key)?;
    transport.destroy(opened)?;
    text::file(&above, Some(&transport_key), &key)
}

/// What this way of moving a key loses.
fn lost(form: Form) -> Failure {
    let attributes = match form {
        Form::Text => "its templates for other keys",
        Form::Raw | Form::Pkcs8 | Form::Pkcs8Der => "all its attributes",
    };
    Failure::new(format!(
        "the wrapped key leaves behind its history (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE), its unique id and {attributes}"
    ))
    .with_next("a masked object keeps them: see `keystead sync`")
}

impl Report {
    fn of(args: &Wrap, opened: &Opened<'_>, key: Handle) -> Result<Self> {
        let file = args.to.file().to_owned();
        Ok(Self { file, mechanism: None, key: Listed::of(opened, key)?, wrapping_key: None, iv: String::new() })
    }

    fn words(&self) -> Vec<(&'static str, Word)> {
        let named = |listed: &Option<Listed>| listed.as_ref().map(Listed::briefly).unwrap_or_default();
        let rows = [
            ("file", self.file.display().to_string()),
            ("mechanism", self.mechanism.unwrap_or_default().to_owned()),
            ("key", named(&self.key)),
            ("wrapping key", named(&self.wrapping_key)),
            ("iv", self.iv.clone()),
        ];
        rows.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Word::plain(text))).collect()
    }
}
