//! `--verify`: each token opened whole, with its user's PIN.

use keystead::key::Login;
use keystead::slot::Found;
use keystead::token::{Finding, Verdict};

use super::{Args, Patient, Report};
use crate::failure::Result;
use crate::login::session;
use crate::pin::Role;
use crate::progress::Progress;
use crate::store::{Slot, Store};
use crate::token::choose::choose;
use crate::token::label_of;

/// The slots of the tokens that are to be opened: those that are named, else all.
pub fn slots(args: &Args, patient: &Patient) -> Result<Vec<u32>> {
    let Ok(store) = &patient.store else { return Ok(Vec::new()) };
    let mut slots = match args.token.is_empty() {
        true => store.module.slots().list(true),
        false => args.token.iter().map(|token| choose(token, store).map(|(slot, _)| slot)).collect::<Result<_>>()?,
    };
    slots.sort_unstable();
    slots.dedup();
    Ok(slots)
}

/// Opens everything in these tokens. What cannot be opened at all is among the findings about tokens already.
pub fn check(args: &Args, slots: &[u32], patient: &Patient, report: &mut Report) {
    let Ok(store) = &patient.store else { return };
    for slot in slots {
        let Slot::Token(state) = store.slot(*slot) else { continue };
        let name = format!("the token {:?} in slot {slot}", label_of(&state));
        if !state.user_pin_set {
            let next = format!("the SO sets one with `keystead token unlock {slot}`; then look again");
            report.note(ABOUT, format!("{name} was not opened: it has no user PIN"), next);
            continue;
        }
        match verdict(args, *slot, &name, store) {
            Ok(verdict) => tell(&verdict, *slot, &name, report),
            Err(failure) => {
                let (what, next) = failure.into_parts();
                let next = next.unwrap_or_else(|| "without a login nothing can be opened; put that right".into());
                report.error(ABOUT, format!("{name} was not opened: {what}"), next);
            }
        }
    }
}

const ABOUT: &str = "seals";

fn verdict(args: &Args, slot: u32, name: &str, store: &Store) -> Result<Verdict> {
    let pin = args.pin.pin().existing_of(name)?;
    let session = session(store, slot, Role::User, &pin)?;
    let verdict = match store.module.slots().find(slot.into())? {
        Found::Token(token) if token.logged_in() == Login::User => {
            let mut progress = Progress::new("rows opened");
            token.verify(&mut |rows| progress.reach(rows))
        }
        _ => Err(keystead::error::Error::UserNotLoggedIn),
    };
    store.module.sessions().close(session)?;
    Ok(verdict?)
}

fn tell(verdict: &Verdict, slot: u32, name: &str, report: &mut Report) {
    for finding in &verdict.findings {
        report.error(ABOUT, format!("{name}: {finding}"), next(finding, slot));
    }
    let Verdict { objects, tombstones, unverified, unverified_tombstones, .. } = verdict;
    if verdict.findings.is_empty() {
        report.ok(
            ABOUT,
            format!(
                "{name}: {objects} objects and {tombstones} tombstones are as they were sealed, and none is missing"
            ),
        );
    }
    match unverified.saturating_add(*unverified_tombstones) {
        0 => (),
        loose => {
            let finding = format!("{name}: behind {loose} public objects or tombstones stands no login");
            let next =
                "whoever can write to the store could have made, changed or removed them: trust them with nothing";
            report.note(ABOUT, finding, next);
        }
    }
}

/// What to do about it. Where somebody was at the file, that comes first: he may come back.
fn next(finding: &Finding, slot: u32) -> String {
    match finding {
        Finding::Store(_) | Finding::Unreadable(..) => {
            format!("restore a backup; without one, `keystead store salvage {slot} DIR` saves what still opens")
        }
        Finding::Damaged(..) => {
            "find out who or what writes to the store, and restore a backup; the other objects work".into()
        }
        Finding::TokenRow | Finding::Terms(_) => "find out who writes to the store, and restore a backup".into(),
        Finding::PutBack(_) => "nobody gets it; find out who writes to the store".into(),
        Finding::DigestEdited => "find out who writes to the store, and compare what is there with a backup".into(),
        Finding::DigestDiffers => "find out who writes to the store; a backup tells what was there".into(),
    }
}
