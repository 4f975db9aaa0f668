//! `keystead key`

pub mod describe;
mod export;
mod generate;
mod hits;
mod import;
mod kind;
pub mod names;
mod passphrase;
mod pbes2;
mod proposal;
mod public;
mod rewrap;
mod select;
mod show;
mod template;
mod text;
mod to;
mod transport;
mod unwrap;
mod value;
mod wrap;
mod wrapping;
mod wrapping_key;

use std::path::PathBuf;

use crate::ask::Asked;
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::store::Store;
use describe::Listed;
use hits::{hits, named, too_many};
use select::{Among, Object};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Lists the keys in a token, or other objects
    #[command(after_help = AFTER_HELP_LIST)]
    List(List),

    /// Makes a key, or a pair of keys, in a token
    #[command(after_help = generate::AFTER_HELP)]
    Generate(generate::Generate),

    /// Writes a key to a file, wrapped under another one
    #[command(after_help = wrap::AFTER_HELP)]
    Wrap(wrap::Wrap),

    /// Makes a key of a wrapped one
    #[command(after_help = unwrap::AFTER_HELP)]
    Unwrap(unwrap::Unwrap),

    /// Makes keys and certificates of files that other programs wrote
    #[command(after_help = import::AFTER_HELP)]
    Import(import::Import),

    /// Writes a public key to a file, also that of a private key or a certificate
    #[command(after_help = export::AFTER_HELP)]
    ExportPublic(export::ExportPublic),

    /// Wraps a wrapped key under another key, without making it a key of the token
    #[command(after_help = rewrap::AFTER_HELP)]
    Rewrap(rewrap::Rewrap),

    /// Shows every attribute of one object
    #[command(after_help = AFTER_HELP_SHOW)]
    Show(Show),

    /// Destroys objects
    #[command(after_help = AFTER_HELP_DESTROY)]
    Destroy(Destroy),
}

pub const AFTER_HELP: &str = "\
Examples:
  keystead key list --login
  keystead key show 'pkcs11:token=Test;object=signing' --login";

const AFTER_HELP_LIST: &str = "\
Without --login what everybody may see is listed; with it the user's PIN is asked for, and private objects are listed too.

Examples:
  keystead key list
  keystead key list --token Test --login
  keystead key list --class any --json | jq -r '.[].label'

Without a terminal, or in a pipe: a line each, with tabs between class, type, size, label, id, usage and flags.";

const AFTER_HELP_SHOW: &str = "\
An object is named by its unique id, its id in hexadecimal digits, its label, or a URI of RFC 7512; the first of these that hits is \
taken. The value of a key is never printed, even where programs may read it.

Examples:
  keystead key show signing --class private-key --login
  keystead key show 0a1b --token Test
  keystead key show 'pkcs11:token=Test;object=signing;type=private' --login";

const AFTER_HELP_DESTROY: &str = "\
Destroyed keys do not come back. What hits more than one object is refused without --all: a pair is two objects, see --class.

Examples:
  keystead key destroy signing --class private-key
  keystead key destroy 'pkcs11:token=Test;id=%01' --all";

#[derive(clap::Args)]
pub struct List {
    /// Only what is called so: a unique id, an id in hexadecimal digits, a label, or a pkcs11: URI
    #[arg(value_name = "OBJECT")]
    object: Option<String>,

    #[command(flatten)]
    among: Among,

    /// Logs in as the user
    #[arg(long)]
    login: bool,
}

#[derive(clap::Args)]
pub struct Show {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    among: Among,

    /// Logs in as the user
    #[arg(long)]
    login: bool,
}

#[derive(clap::Args)]
pub struct Destroy {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    among: Among,

    /// Destroys all that is called so, not only one object
    #[arg(long)]
    all: bool,

    /// Does not ask
    #[arg(long)]
    yes: bool,
}

const HEADINGS: &[&str] = &["class", "type", "size", "label", "id", "usage", "flags"];

/// `keystead key ...`
pub fn run(command: Command, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    match command {
        Command::List(args) => list(&args, &store, form),
        Command::Generate(args) => generate::run(&args, &store, form),
        Command::Wrap(args) => wrap::run(&args, &store, form),
        Command::Unwrap(args) => unwrap::run(&args, &store, form),
        Command::Import(args) => import::run(&args, &store, form),
        Command::ExportPublic(args) => export::run(&args, &store, form),
        Command::Rewrap(args) => rewrap::run(&args, &store, form),
        Command::Show(args) => show(&args, &store, form),
        Command::Destroy(args) => destroy(&args, &store, form),
    }
}

fn list(args: &List, store: &Store, form: Form) -> Result<()> {
    let opened = args.among.open(args.object.as_deref(), args.login, store)?;
    let mut stream = form.stream(HEADINGS);
    opened.each(|handle| match Listed::of(&opened, handle)? {
        Some(listed) => stream.push(&listed, Listed::row),
        None => Ok(()),
    })?;
    let none = stream.finish()? == 0;
    if none && !opened.logged_in {
        Failure::new("nothing is there that everybody may see").with_next("--login shows private objects too").say();
    }
    Ok(())
}

fn show(args: &Show, store: &Store, form: Form) -> Result<()> {
    let opened = args.among.open(Some(&args.object.name), args.login, store)?;
    show::show(&opened, hits::one(&opened, &args.object.name)?, form)
}

fn destroy(args: &Destroy, store: &Store, form: Form) -> Result<()> {
    let opened = args.among.open(Some(&args.object.name), true, store)?;
    let hits = hits(&opened, &args.object.name)?;
    if hits.len() > 1 && !args.all {
        return Err(too_many(&opened, &hits, "narrow it with --class, name one by its unique id, or pass --all"));
    }
    let named = named(&opened, &hits);
    let asked = Asked {
        what: format!("{named} would be destroyed"),
        warning: format!("{named} will be destroyed for good."),
        answer: "yes",
        described: "\"yes\"",
    };
    asked.unless(args.yes)?;
    let mut stream = form.stream(HEADINGS);
    for handle in hits {
        let listed = Listed::of(&opened, handle)?;
        opened.sessions().destroy(opened.session, handle)?;
        if let Some(listed) = listed {
            stream.push(&listed, Listed::row)?;
        }
    }
    stream.finish().map(drop)
}
