//! Each token: whether it can be opened, how its PINs stand and what they cost to guess.

use keystead::config::{Config, Pins};
use keystead::crypto::kdf::Argon2Cost;
use keystead::error::Error;
use keystead::slot::Found;
use keystead::store::sqlite;
use keystead::token::TokenState;

use super::configuration::work;
use super::files::count;
use super::{Patient, Report};
use crate::store::{Slot, Store};
use crate::token::label_of;

pub fn check(patient: &Patient, report: &mut Report) {
    let Ok(store) = &patient.store else { return };
    let mut good = 0_usize;
    for (slot, content) in store.slots() {
        match content {
            Slot::Blank => (),
            Slot::Token(state) => {
                let before = report.0.len();
                token(slot, &state, &patient.config, report);
                witness(slot, store, report);
                good = good.saturating_add(usize::from(report.0.len() == before));
            }
            Slot::Closed(Error::HostMemory(what)) => {
                let next = "raise the limit, or close programs, and look again";
                report.error(
                    "token",
                    format!("slot {slot} was not looked at: out of memory or descriptors for {what}"),
                    next,
                );
            }
            Slot::Closed(reason) => {
                let next = "restore it from a backup, or remove it with `keystead token destroy --without-pin`";
                report.error("token", format!("slot {slot}: {reason}"), next);
            }
        }
    }
    if good > 0 {
        let finding =
            format!("{} of format {} can be opened, and nothing is wrong with the PINs", count(good), sqlite::FORMAT);
        report.ok("token", finding);
    }
}

fn token(slot: u32, state: &TokenState, config: &Config, report: &mut Report) {
    let name = format!("the token {:?} in slot {slot}", label_of(state));
    let unlock = format!("`keystead token unlock {slot}`");
    if !state.user_pin_set {
        report.note("token", format!("{name} has no user PIN"), format!("the SO sets one: {unlock}"));
    }
    for (who, tries, locked) in [
        ("user", &state.user, format!("the SO sets a new one: {unlock}")),
        (
            "SO",
            &state.so,
            "no PIN opens it any more; the user can go on, and the owner of the files can destroy it".into(),
        ),
    ] {
        if tries.locked {
            report.error("token", format!("the {who} PIN of {name} is locked"), locked);
        } else if tries.low {
            let finding = format!("wrong {who} PINs of {name} were tried; {} tries are left", tries.left);
            report.warning("token", finding, "a right one sets the count back; ask who it was");
        }
    }
    let (user, so) = state.costs;
    for (who, cost) in [("user", user), ("SO", Some(so))] {
        if let Some(cost) = cost.filter(is_cheap) {
            let finding = format!(
                "the {who} PIN of {name} is hashed with {} KiB and {} passes only",
                cost.memory_kib, cost.passes
            );
            let next = match is_cheap(&of(&config.settings.pin)) {
                true => "set [pin] memory-kib and passes higher, then `keystead token change-pin`",
                false => "`keystead token change-pin`, also to the same PIN, hashes it as the configuration says now",
            };
            report.warning("token", finding, next);
        }
    }
    if state.write_protected {
        report.note(
            "token",
            format!("{name} is read-only here"),
            "wrong PINs are not counted where nothing can be written",
        );
    }
}

/// Whether the witness, if one is configured, knows the token.
fn witness(slot: u32, store: &Store, report: &mut Report) {
    if let Ok(Found::Token(token)) = store.module.slots().find(slot.into())
        && let Err(reason) = token.vouched()
    {
        let next = "until then nobody logs in, and nothing is written; find out first why it is so";
        report.error("token", format!("slot {slot}: {reason}"), next);
    }
}

fn is_cheap(cost: &Argon2Cost) -> bool {
    u64::from(cost.memory_kib).saturating_mul(cost.passes.into()) < work(&Pins::default())
}

fn of(pins: &Pins) -> Argon2Cost {
    Argon2Cost { memory_kib: pins.memory_kib, passes: pins.passes, lanes: pins.lanes }
}
