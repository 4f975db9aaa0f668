//! Synchronising two tokens.

use std::io::{self, BufReader, BufWriter};
use std::path::PathBuf;

use keystead::transfer::{How, Peer, Ways, serve, sync, withheld};

use super::command::with_command;
use super::endpoint::Endpoint;
use super::local::Local;
use super::report::{Done, Printed, Setting, Side};
use super::{Args, bundle};
use crate::failure::{Failure, Result};
use crate::output::Form;
use crate::progress::Progress;

/// `keystead sync`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    if let Some(token) = &args.serve {
        return answer(args, token, store, form);
    }
    // Missing beside --serve only.
    let (Some(from), Some(to)) = (&args.from, &args.to) else { crate::misused("FROM and TO are missing") };
    let stores =
        Stores { from: args.from_store.clone().or_else(|| store.clone()), to: args.to_store.clone().or(store) };
    match (Endpoint::parse(from), Endpoint::parse(to)) {
        (Endpoint::Token(from), Endpoint::Token(to)) => between(args, &from, &to, stores, form),
        (Endpoint::Token(from), Endpoint::Command(to)) => to_command(args, &from, &to, stores, form),
        (Endpoint::Command(from), Endpoint::Token(to)) => from_command(args, &from, &to, stores, form),
        (Endpoint::Token(_), Endpoint::Bundle(_)) | (Endpoint::Bundle(_), Endpoint::Token(_)) if args.both => {
            crate::misused("a bundle goes one way only: leave --both out")
        }
        (Endpoint::Token(from), Endpoint::Bundle(file)) => bundle::export(args, &from, &file, stores.from, form),
        (Endpoint::Bundle(file), Endpoint::Token(to)) => bundle::import(args, &file, &to, stores.to, form),
        _ => crate::misused("FROM or TO has to be a token here"),
    }
}

/// The folders of tokens of both sides.
struct Stores {
    from: Option<PathBuf>,
    to: Option<PathBuf>,
}

impl Args {
    /// Whether it is meant.
    pub(super) fn how(&self) -> How {
        if self.dry_run { How::Try } else { How::Commit }
    }

    fn ways(&self) -> Ways {
        if self.both { Ways::Both } else { Ways::One }
    }

    pub(super) fn setting(&self, from: Side, to: Side, domain: impl ToString) -> Setting {
        Setting { from, to, domain: domain.to_string(), dry_run: self.dry_run, both: self.both }
    }
}

fn between(args: &Args, from: &str, to: &str, stores: Stores, form: Form) -> Result<()> {
    let from = Local::open(from, stores.from, args.from_pin.pin(), true)?;
    let to = Local::open(to, stores.to, args.pin.pin(), true)?;
    if from.serial == to.serial {
        return Err(Failure::new("FROM and TO are the same token"));
    }
    let domain = from.domain(Some(&to), args.domain.as_deref())?;
    let (mut source, mut target) = (from.replica(domain)?, to.replica(domain)?);
    let done = synchronised(args, &mut source, &mut target)?;
    let label = |id| source.label(id).or_else(|| target.label(id));
    Printed::new(args.setting(from.side(), to.side(), domain), done, label).finish(form)
}

fn to_command(args: &Args, from: &str, command: &str, stores: Stores, form: Form) -> Result<()> {
    let from = Local::open(from, stores.from, args.pin.pin(), false)?;
    let domain = from.domain(None, args.domain.as_deref())?;
    let mut source = from.replica(domain)?;
    let (done, serial) = with_command(command, &mut source, |own, remote| synchronised(args, own, remote))?;
    let to = Side { name: command.to_owned(), serial: Some(serial) };
    Printed::new(args.setting(from.side(), to, domain), done, |id| source.label(id)).finish(form)
}

fn from_command(args: &Args, command: &str, to: &str, stores: Stores, form: Form) -> Result<()> {
    let to = Local::open(to, stores.to, args.pin.pin(), false)?;
    let domain = to.domain(None, args.domain.as_deref())?;
    let mut target = to.replica(domain)?;
    let (done, serial) = with_command(command, &mut target, |own, remote| synchronised(args, remote, own))?;
    let from = Side { name: command.to_owned(), serial: Some(serial) };
    Printed::new(args.setting(from, to.side(), domain), done, |id| target.label(id)).finish(form)
}

fn synchronised(args: &Args, from: &mut dyn Peer, to: &mut dyn Peer) -> Result<Done> {
    let mut progress = Progress::new("objects moved");
    let report = sync(from, to, args.ways(), args.how(), &mut |done, all| progress.reach_of(done, all))?;
    drop(progress);
    let mut held_back = withheld(from)?;
    if args.both {
        held_back.extend(withheld(to)?);
    }
    Ok(Done { report, held_back })
}

fn answer(args: &Args, token: &str, store: Option<PathBuf>, form: Form) -> Result<()> {
    if form == Form::Json {
        crate::misused("standard output is for the other side: leave --json out");
    }
    if args.pin.is_standard_input() {
        crate::misused("standard input is for the other side: the PIN comes from elsewhere");
    }
    let local = Local::open(token, store, args.pin.pin(), false)?;
    let (input, output) = (BufReader::new(io::stdin()), BufWriter::new(io::stdout()));
    Ok(serve(input, output, |domain| local.member(domain))?)
}
