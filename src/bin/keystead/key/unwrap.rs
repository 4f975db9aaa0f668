//! `keystead key unwrap`

use std::path::PathBuf;

use cryptoki_sys::CKA_UNWRAP;
use keystead::handle::Handle;
use keystead::key::{Class, KeyType};

use super::kind::{self, KeyKind};
use super::select::{Opened, Place};
use super::template::{Template, Wished};
use super::text::Text;
use super::transport::transient;
use super::wrapping::{self, How, Means};
use super::{describe, hits, proposal};
use crate::failure::{Failure, Result};
use crate::file;
use crate::output::Form;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
A text file of `keystead key wrap` needs no option: it names the wrapping key, the mechanism and the attributes. Options go before what it says of \
attributes, and --with before the key that it names. Of wrapped bytes from elsewhere --with and --type are needed.

Examples:
  keystead key unwrap data.wrapped
  keystead key unwrap data.wrapped --label 'data of 2026' --extractable=false
  keystead key unwrap data.bin --with kek --type aes --label data
  keystead key unwrap signing.bin --with transport --mechanism rsa-aes --hash sha1 --type rsa --label signing --id 01";

#[derive(clap::Args)]
pub struct Unwrap {
    /// The wrapped key; - is standard input
    file: PathBuf,

    /// The unwrapping key, named as OBJECT is elsewhere: an AES key, or the private key of an RSA pair
    #[arg(long, value_name = "KEY")]
    with: Option<String>,

    #[command(flatten)]
    how: How,

    /// aes, generic, hmac-sha256 and the like, rsa, ec, ed25519 or x25519
    #[arg(long = "type", value_name = kind::NAME, value_parser = KeyKind::parse)]
    kind: Option<KeyKind>,

    #[command(flatten)]
    wished: Wished,

    #[command(flatten)]
    place: Place,
}

/// `keystead key unwrap`
pub fn run(args: &Unwrap, store: &Store, form: Form) -> Result<()> {
    let content = file::short(&args.file)?;
    let text = Text::read(&content)?;
    if text.is_some() && (args.kind.is_some() || args.how.is_said()) {
        let failure =
            Failure::new("the file itself says by which mechanism it is wrapped and of which type the key is");
        return Err(failure.with_next("leave --mechanism, --iv and --type out"));
    }
    let opened = args.place.open(store)?;
    let made = match text {
        Some(text) => of_text(args, &opened, &text)?,
        None => of_bytes(args, &opened, &content)?,
    };
    describe::report(&opened, &[made], form)
}

fn of_text(args: &Unwrap, opened: &Opened<'_>, text: &Text) -> Result<Handle> {
    let unwrapping = match &args.with {
        Some(name) => unwrapping(opened, name)?,
        None => text.header.wrapping_key.find(opened)?,
    };
    let (mut template, class) = proposal::template(&text.header.attributes)?;
    args.wished.put_into(&mut template, class);
    open(opened, text, unwrapping, &template)
}

/// Unwraps the key of a text file.
pub fn open(opened: &Opened<'_>, text: &Text, unwrapping: Handle, template: &Template) -> Result<Handle> {
    let means = Means { aad: text.above.clone().into_bytes(), ..text.header.means()? };
    let Some(transport_key) = &text.transport_key else {
        return wrapping::unwrap(opened, &means, unwrapping, &text.key, template);
    };
    let mut transient = transient();
    KeyKind::of(KeyType::Aes).put_into(&mut transient);
    transient.set_flag(CKA_UNWRAP, true);
    let transport = wrapping::unwrap(opened, &means, unwrapping, transport_key, &transient)?;
    let key = wrapping::unwrap(opened, &text.header.means_under()?, transport, &text.key, template);
    opened.sessions().destroy(opened.session, transport)?;
    key
}

fn of_bytes(args: &Unwrap, opened: &Opened<'_>, wrapped: &[u8]) -> Result<Handle> {
    let (Some(name), Some(kind)) = (&args.with, args.kind) else {
        let failure = Failure::new("the file is none that says what is in it");
        return Err(failure.with_next("name the unwrapping key with --with and the type of the key with --type"));
    };
    let unwrapping = unwrapping(opened, name)?;
    let means = args.how.to_unwrap(opened, unwrapping)?;
    let mut template = Template::of(kind.class());
    kind.put_into(&mut template);
    args.wished.put_into(&mut template, kind.class());
    wrapping::unwrap(opened, &means, unwrapping, wrapped, &template)
}

fn unwrapping(opened: &Opened<'_>, name: &str) -> Result<Handle> {
    hits::one(&opened.others(name, |class| matches!(class, Class::SecretKey | Class::PrivateKey))?, name)
}
