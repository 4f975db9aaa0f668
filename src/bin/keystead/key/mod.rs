//! `keystead key`

mod describe;
mod names;
mod select;
mod show;

use std::path::PathBuf;

use keystead::handle::Handle;

use crate::ask::Asked;
use crate::failure::{Exit, Failure, Result};
use crate::output::Form;
use crate::store::Store;
use describe::Listed;
use select::{Object, Opened, Place};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Lists the keys in a token, or other objects
    #[command(after_help = AFTER_HELP_LIST)]
    List(List),

    /// Shows every attribute of one object
    #[command(after_help = AFTER_HELP_SHOW)]
    Show(Show),

    /// Destroys objects
    #[command(after_help = AFTER_HELP_DESTROY)]
    Destroy(Destroy),
}

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
    place: Place,

    /// Logs in as the user
    #[arg(long)]
    login: bool,
}

#[derive(clap::Args)]
pub struct Show {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    place: Place,

    /// Logs in as the user
    #[arg(long)]
    login: bool,
}

#[derive(clap::Args)]
pub struct Destroy {
    #[command(flatten)]
    object: Object,

    #[command(flatten)]
    place: Place,

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
        Command::Show(args) => show(&args, &store, form),
        Command::Destroy(args) => destroy(&args, &store, form),
    }
}

fn list(args: &List, store: &Store, form: Form) -> Result<()> {
    let opened = args.place.open(args.object.as_deref(), args.login, store)?;
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
    let opened = args.place.open(Some(&args.object.name), args.login, store)?;
    match hits(&opened, &args.object.name)?[..] {
        [one] => show::show(&opened, one, form),
        ref several => Err(too_many(&opened, several, "narrow it with --class, or name one by its unique id")),
    }
}

fn destroy(args: &Destroy, store: &Store, form: Form) -> Result<()> {
    let opened = args.place.open(Some(&args.object.name), true, store)?;
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

/// What is called so; at least one.
fn hits(opened: &Opened<'_>, name: &str) -> Result<Vec<Handle>> {
    let mut hits = Vec::new();
    opened.each(|handle| {
        hits.push(handle);
        Ok(())
    })?;
    if !hits.is_empty() {
        return Ok(hits);
    }
    let failure = Failure::new(format!("no such object is called {name:?}")).with_exit(Exit::NotFound);
    let next = match opened.logged_in {
        true => "`keystead key list --class any --login` shows what there is",
        false => "--login looks among private objects too",
    };
    Err(failure.with_next(next))
}

fn too_many(opened: &Opened<'_>, hits: &[Handle], next: &str) -> Failure {
    Failure::new(format!("{} are called so: {}", count(hits), named(opened, hits))).with_next(next)
}

fn count(hits: &[Handle]) -> String {
    format!("{} objects", hits.len())
}

/// The first few of them, for a sentence.
fn named(opened: &Opened<'_>, hits: &[Handle]) -> String {
    const FEW: usize = 4;
    let listed = hits.iter().take(FEW).filter_map(|handle| Listed::of(opened, *handle).ok().flatten());
    let mut names: Vec<String> = listed.map(|listed| listed.briefly()).collect();
    if hits.len() > FEW {
        names.push(format!("and {} more", hits.len().saturating_sub(FEW)));
    }
    names.join(", ")
}
