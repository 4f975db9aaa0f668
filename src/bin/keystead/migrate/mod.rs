//! `keystead migrate`: moves what another PKCS#11 module gives away.

mod advice;
mod bridge;
mod foreign;
mod ours;
mod proof;
mod report;
mod source;
mod transfer;

use std::path::PathBuf;

use crate::failure::{Failure, Result};
use crate::login;
use crate::output::Form;
use crate::pin::{Role, UserSource, Wanted};
use crate::progress::Progress;
use crate::store::Store;
use crate::token::choose::{NAME, choose_only, choose_open};
use crate::token::label_of;
use bridge::Bridge;
use ours::Ours;
use report::Report;
use source::Source;
use transfer::Transfer;

pub const AFTER_HELP: &str = "\
Keys are wrapped there and unwrapped here, under a key that both tokens have only for this; what the module shows is read where it \
wraps nothing. Each is compared with the original, by use where that can be. Labels, ids, uses, dates and sensitivity stay as they were. \
The other token is opened read-only, and nothing is removed from it. What is here already is left as it is, so the command can be \
repeated. What cannot move is listed with the reason, and with what to do about it.

Examples:
  keystead migrate --module /usr/lib/softhsm/libsofthsm2.so --token Old --to New
  keystead migrate --module /usr/lib/softhsm/libsofthsm2.so --token Old --dry-run
  keystead migrate --module /usr/lib/x86_64-linux-gnu/libsoftokn3.so \\
      --module-init \"configdir='sql:/home/me/nssdb' flags=readOnly\" --token 'NSS Certificate DB'

Exit code 3 if something stays.";

#[derive(clap::Args)]
pub struct Args {
    /// The other module's file
    #[arg(long, value_name = "FILE")]
    module: PathBuf,

    /// A text for the other module's C_Initialize (pReserved), as NSS wants one
    #[arg(long, value_name = "TEXT")]
    module_init: Option<String>,

    /// The token that is left; not needed where the module has one only
    #[arg(long, value_name = "LABEL|SERIAL|URI")]
    token: Option<String>,

    /// The token that the keys come to; not needed where there is one only
    #[arg(long, value_name = NAME)]
    to: Option<String>,

    /// Says what would be moved, and moves nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    from_pin: FromPin,

    #[command(flatten)]
    pin: UserSource,
}

/// The options that name a source of the other token's PIN.
#[derive(clap::Args)]
struct FromPin {
    /// Takes the other token's PIN from the first line of FILE; - is standard input, before the user PIN if that is there too
    #[arg(long, value_name = "FILE")]
    from_pin_file: Option<PathBuf>,

    /// Takes the other token's PIN from the environment variable VAR [default: KEYSTEAD_FROM_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "from_pin_file")]
    from_pin_env: Option<String>,
}

impl FromPin {
    fn pin(&self) -> Wanted<'_> {
        Wanted {
            name: "PIN of the other token",
            option: "--from-pin-file",
            default: "KEYSTEAD_FROM_PIN",
            file: self.from_pin_file.as_deref(),
            variable: self.from_pin_env.as_deref(),
        }
    }
}

/// `keystead migrate`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, state) = match &args.to {
        Some(token) => choose_open(token, &store)?,
        None => choose_only(&store)?,
    };
    let module = std::path::absolute(&args.module).map_err(|error| Failure::of(args.module.display(), error))?;
    let source = Source::open(module, args.module_init.as_deref(), args.token.as_deref(), args.from_pin.pin())?;
    let session = login::session(&store, slot, Role::User, &args.pin.pin().existing_of(&label_of(&state))?)?;
    let ours = Ours::new(&store, session, slot, &state);
    let transfer =
        Transfer { source: &source, ours: &ours, bridge: Bridge::new(&source, &ours), dry_run: args.dry_run };
    let items = source.items().map_err(|refused| Failure::of(source.module.display(), refused))?;
    let mut progress = Progress::new("objects looked at");
    let mut lines = Vec::new();
    for item in &items {
        lines.push(transfer.one(item)?);
        progress.reach(lines.len() as u64);
    }
    drop(progress);
    Report::new(&source, &ours, args.dry_run, lines).print(form)
}
