//! `keystead sync`

mod bundle;
mod command;
mod endpoint;
mod local;
mod report;
mod run;

use std::path::PathBuf;

use crate::pin::{FromUserSource, UserSource};

pub use run::run;

pub const AFTER_HELP: &str = "\
FROM and TO are tokens of one domain (see `keystead domain`), by slot, label, serial number or pkcs11: URI. One of them may be
  NAME.keystead or file:PATH   a bundle in a file
  -                            a bundle in a pipe: standard input as FROM, standard output as TO
  exec:COMMAND                 a token behind `keystead sync --serve TOKEN`, which COMMAND runs

What differs moves, whole and masked; destruction moves too, and wins. Keys that must not leave stay, and are listed. Whatever stopped it: run it again.

Examples:
  keystead sync Prod Standby
  keystead sync Prod Standby --from-store /srv/one --to-store /srv/two --dry-run
  keystead sync Prod 'exec:ssh standby keystead sync --serve Standby --user-pin-file /etc/pin' --both
  keystead sync Prod prod.keystead
  keystead sync Prod - | ssh standby keystead sync - Standby --user-pin-file /etc/pin";

#[derive(clap::Args)]
pub struct Args {
    /// Where objects come from
    #[arg(value_name = "FROM", required_unless_present = "serve")]
    from: Option<String>,

    /// Where they go to
    #[arg(value_name = "TO", required_unless_present = "serve")]
    to: Option<String>,

    /// Answers for TOKEN on standard input and output, for exec: of another `keystead sync`
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["from", "to", "both", "dry_run", "domain", "from_store", "to_store", "force"])]
    serve: Option<String>,

    /// Moves both ways, until both tokens are equal
    #[arg(long)]
    both: bool,

    /// Changes nothing, and says what would move
    #[arg(long)]
    dry_run: bool,

    /// The domain, by its name or id, where a token is in several
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,

    /// The folder of tokens that FROM is in, if another than that of --store
    #[arg(long, value_name = "DIR")]
    from_store: Option<PathBuf>,

    /// The folder of tokens that TO is in, if another than that of --store
    #[arg(long, value_name = "DIR")]
    to_store: Option<PathBuf>,

    /// Replaces the bundle if the file is there already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    pin: UserSource,

    #[command(flatten)]
    from_pin: FromUserSource,
}
