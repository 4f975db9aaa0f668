//! `keystead key generate`

use keystead::handle::Handle;
use keystead::key::Class;

use super::describe;
use super::kind::{self, KeyKind};
use super::select::{Opened, Place};
use super::template::{Template, Wished};
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
Examples:
  keystead key generate --type aes:256 --label data
  keystead key generate --type rsa:3072 --label signing --id 01 --usage sign
  keystead key generate --type ec:p-256 --label agreement --usage derive
  keystead key generate --type aes:256 --label kek --usage wrap,unwrap --json

A pair is two objects of one label and one id. A key is sensitive and not extractable unless it is made so: see docs/attributes.md.";

#[derive(clap::Args)]
pub struct Generate {
    /// aes:BITS, generic:BYTES, hmac-sha256:BYTES and the like, rsa:BITS, ec:CURVE, ed25519 or x25519
    #[arg(long = "type", value_name = kind::NAME, value_parser = KeyKind::parse)]
    kind: KeyKind,

    #[command(flatten)]
    wished: Wished,

    #[command(flatten)]
    place: Place,
}

/// `keystead key generate`
pub fn run(args: &Generate, store: &Store, form: Form) -> Result<()> {
    let opened = args.place.open(store)?;
    let made = match args.kind.class() {
        Class::SecretKey => vec![secret(args, &opened)?],
        _ => pair(args, &opened)?.to_vec(),
    };
    describe::report(&opened, &made, form)
}

fn secret(args: &Generate, opened: &Opened<'_>) -> Result<Handle> {
    let mut template = Template::of(Class::SecretKey);
    args.kind.put_size_into(&mut template);
    args.wished.put_into(&mut template, Class::SecretKey);
    let mechanism = opened.mechanisms().iter().find(|row| row.does.generate == Some(args.kind.key_type));
    let mechanism = mechanism.ok_or_else(no_mechanism)?;
    Ok(opened.sessions().generate(opened.session, mechanism, &template.given())?)
}

/// The public key and the private one.
fn pair(args: &Generate, opened: &Opened<'_>) -> Result<[Handle; 2]> {
    let half = |class| {
        let mut template = Template::of(class);
        args.wished.put_into(&mut template, class);
        template
    };
    let (mut public, private) = (half(Class::PublicKey), half(Class::PrivateKey));
    args.kind.put_size_into(&mut public);
    let makes = |pair: &keystead::mechanism::Pair| pair.key_type == args.kind.key_type;
    let mechanism = opened.mechanisms().iter().find(|row| row.does.generate_pair.as_ref().is_some_and(makes));
    let mechanism = mechanism.ok_or_else(no_mechanism)?;
    let given = [&public.given()[..], &private.given()];
    Ok(opened.sessions().generate_pair(opened.session, mechanism, given)?)
}

fn no_mechanism() -> Failure {
    Failure::new("no mechanism makes keys of this type").with_next("`keystead mechanism list` shows what there is")
}
