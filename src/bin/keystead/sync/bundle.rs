//! Bundles: what a token has, in a file or a pipe.

use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use keystead::transfer::{BundleReader, Peer, Report, export as write, import as read, withheld};

use super::Args;
use super::local::Local;
use super::report::{Done, Printed, Side};
use crate::failure::{Failure, Result};
use crate::file::{Output, input};
use crate::output::Form;
use crate::progress::Progress;

/// A token into a bundle.
pub fn export(args: &Args, from: &str, file: &Path, store: Option<PathBuf>, form: Form) -> Result<()> {
    let to_stdout = file.as_os_str() == "-";
    if to_stdout && form == Form::Json {
        crate::misused("standard output is for the bundle: leave --json out");
    }
    if to_stdout && io::stdout().is_terminal() {
        return Err(Failure::new("a bundle is nothing for a terminal").with_next("name a file, or use a pipe"));
    }
    let local = Local::open(from, store, args.pin.pin(), false)?;
    let domain = local.domain(None, args.domain.as_deref())?;
    let mut replica = local.replica(domain)?;
    let mut report = Report::default();
    report.forth.created = if args.dry_run {
        replica.about()?.items
    } else {
        let mut output = BufWriter::new(Output::new(file, args.force)?);
        let made = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut progress = Progress::new("objects written");
        let written = write(&mut replica, &mut output, made, &mut |done, all| progress.reach_of(done, all))?;
        output.into_inner().map_err(|error| Failure::from(error.into_error()))?.place()?;
        written
    };
    let done = Done { report, held_back: withheld(&mut replica)? };
    let to = Side { name: file.to_string_lossy().into_owned(), serial: None };
    let printed = Printed::new(args.setting(local.side(), to, domain), done, |id| replica.label(id));
    if to_stdout { printed.outcome() } else { printed.finish(form) }
}

/// A bundle into a token.
pub fn import(args: &Args, file: &Path, to: &str, store: Option<PathBuf>, form: Form) -> Result<()> {
    if file.as_os_str() == "-" && args.pin.is_standard_input() {
        crate::misused("standard input is for the bundle: the PIN comes from elsewhere");
    }
    let stream = input(file)?;
    let local = Local::open(to, store, args.pin.pin(), false)?;
    let (mut bundle, mut replica) = BundleReader::begin(stream, |header| local.member(header.domain))?;
    let mut progress = Progress::new("objects read");
    let imported = read(&mut bundle, &mut replica, args.how(), &mut |done, all| progress.reach_of(done, all))?;
    drop(progress);
    let header = bundle.header();
    let serial = Some(String::from_utf8_lossy(&header.serial).into_owned());
    let from = Side { name: file.to_string_lossy().into_owned(), serial };
    let done = Done { report: imported.report, held_back: Vec::new() };
    let printed = Printed::new(args.setting(from, local.side(), header.domain), done, |id| replica.label(id));
    match imported.cut {
        None => printed.finish(form),
        Some(error) => {
            // What came before the cut is here, and is told.
            let _ = printed.finish(form);
            Err(Failure::from(error).with_next("what came whole before that stays; get the rest with a new bundle"))
        }
    }
}
