//! `keystead doctor`: what is wrong, or could be, and what to do about it.
//!
//! Nothing is changed, and no token's file is touched but through the store, which knows how to beside others that have it open.

mod configuration;
mod files;
mod libraries;
mod machine;
mod tokens;
mod verify;

use std::path::{Path, PathBuf};

use keystead::config::Config;
use keystead::store::sqlite::Survey;
use serde::Serialize;

use crate::failure::{Exit, Failure, Result};
use crate::output::{Form, Word};
use crate::pin::UserSource;
use crate::store::{Store, config};
use crate::token::choose::NAME;

#[derive(clap::Args)]
#[command(after_help = "\
Looks at the configuration, the folder of tokens and its files, the PINs of each token, the locks, the limits of this process, and \
the modules that p11-kit knows. It changes nothing, needs no PIN, and works beside programs that have the tokens open. Run it as the \
user whose programs use the tokens.

With --verify it asks for the user PIN of each token, opens every object, and looks whether any is missing; a wrong PIN is counted.

Examples:
  keystead doctor
  keystead doctor --verify --token Test
  keystead doctor --json | jq -r '.[] | select(.severity == \"error\") | .finding'

Exit code 3 if there is an error among the findings; warnings and notes are none.")]
pub struct Args {
    /// Opens every object too, with the user PIN that each token is asked for in turn
    #[arg(long)]
    verify: bool,

    /// Opens this token only, by slot, label, serial number or URI; may be given several times
    #[arg(long, value_name = NAME, requires = "verify")]
    token: Vec<String>,

    #[command(flatten)]
    pin: UserSource,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Severity {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, and should be looked at.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    severity: Severity,
    /// What it is about.
    about: &'static str,
    finding: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What the checks look at.
struct Patient {
    config: Config,
    /// What lies in the folder, where it is there and can be read.
    survey: Option<Survey>,
    /// The store, or why it cannot be used.
    store: Result<Store>,
}

/// Every check, in the order in which findings are printed.
const CHECKS: &[fn(&Patient, &mut Report)] =
    &[configuration::check, files::check, tokens::check, files::check_locks, machine::check, libraries::check];

/// `keystead doctor`
pub fn run(args: &Args, given: Option<PathBuf>, form: Form) -> Result<()> {
    let config = config(given)?;
    let folder = config.store.as_deref();
    let survey = folder.and_then(|folder| Survey::of(folder).ok());
    let store = Store::with(config.clone());
    let patient = Patient { config, survey, store };
    let slots = if args.verify { verify::slots(args, &patient)? } else { Vec::new() };
    let mut report = Report::default();
    CHECKS.iter().for_each(|check| check(&patient, &mut report));
    verify::check(args, &slots, &patient, &mut report);
    report.print(form)
}

impl Patient {
    fn folder(&self) -> Option<&Path> {
        self.config.store.as_deref()
    }
}

/// The findings.
#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn ok(&mut self, about: &'static str, finding: impl Into<String>) {
        self.add(Severity::Ok, about, finding.into(), None);
    }

    fn note(&mut self, about: &'static str, finding: impl Into<String>, next: impl Into<String>) {
        self.add(Severity::Note, about, finding.into(), Some(next.into()));
    }

    fn warning(&mut self, about: &'static str, finding: impl Into<String>, next: impl Into<String>) {
        self.add(Severity::Warning, about, finding.into(), Some(next.into()));
    }

    fn error(&mut self, about: &'static str, finding: impl Into<String>, next: impl Into<String>) {
        self.add(Severity::Error, about, finding.into(), Some(next.into()));
    }

    fn add(&mut self, severity: Severity, about: &'static str, finding: String, next: Option<String>) {
        self.0.push(Finding { severity, about, finding, next });
    }

    fn print(&self, form: Form) -> Result<()> {
        form.list(&["", "about", "finding"], &self.0, Finding::row)?;
        let sentence = match self.0.iter().filter(|finding| finding.severity == Severity::Error).count() {
            0 => return Ok(()),
            1 => "one of these findings is an error".to_owned(),
            errors => format!("{errors} of these findings are errors"),
        };
        Err(Failure::new(sentence).with_exit(Exit::Partly))
    }
}

impl Finding {
    fn row(&self) -> Vec<Word> {
        let severity = match self.severity {
            Severity::Ok => Word::plain("ok"),
            Severity::Note => Word::plain("note"),
            Severity::Warning => Word::alarming("warning"),
            Severity::Error => Word::alarming("error"),
        };
        let next = self.next.as_ref().map(|next| format!("; {next}")).unwrap_or_default();
        vec![severity, Word::plain(self.about), Word::plain(format!("{}{next}", self.finding))]
    }
}
