//! The configuration, the environment, the log.

use std::env::var_os;
use std::path::Path;

use keystead::config::{Config, Pins};
use keystead::log::Level;

use super::{Patient, Report};

pub fn check(patient: &Patient, report: &mut Report) {
    let config = &patient.config;
    let readable = "put it right; until then programs see no slots";
    match (&config.no_store, &config.file) {
        (Some(reason), _) => report.error("configuration", &**reason, readable),
        (None, Some(file)) => report.ok("configuration", format!("{} is read", file.display())),
        (None, None) => report.ok("configuration", "no configuration file is read"),
    }
    environment(config, report);
    log(config, report);
    if let (Some(witness), Some(store)) = (&config.settings.token.witness, &config.store) {
        if witness.starts_with(store) {
            let finding = format!("[token] witness is {}, inside the store", witness.display());
            report.warning(
                "configuration",
                finding,
                "who puts the store back puts it back too: name a folder elsewhere",
            );
        } else if !witness.is_dir() {
            let finding = format!("[token] witness is {}, which is no folder", witness.display());
            report.error(
                "configuration",
                finding,
                "make it, writable for the users of the tokens, or mount what it is on",
            );
        }
    }
    let (own, usual) = (&config.settings.pin, Pins::default());
    if work(own) < work(&usual) {
        let finding = format!(
            "[pin] sets {} KiB and {} passes for new PINs, less than the usual {} and {}",
            own.memory_kib, own.passes, usual.memory_kib, usual.passes
        );
        report.warning("configuration", finding, "a thief of the files guesses faster: leave these settings out");
    }
}

/// What guessing a PIN costs, in KiB that are written.
pub fn work(pins: &Pins) -> u64 {
    u64::from(pins.memory_kib).saturating_mul(pins.passes.into())
}

fn environment(config: &Config, report: &mut Report) {
    let set = |name: &str| var_os(name).filter(|value| !value.is_empty());
    for (name, wins_over) in [
        ("KEYSTEAD_STORE", "no configuration file is read, and the folder is this one"),
        ("KEYSTEAD_CONF", "the user's and the system's configuration files are not read"),
    ] {
        if let Some(value) = set(name) {
            let finding = format!("{name} is {:?} here: {wins_over}", value.to_string_lossy());
            report.note("environment", finding, "other users and services may not have this variable");
        }
    }
    for name in ["KEYSTEAD_PIN", "KEYSTEAD_SO_PIN", "KEYSTEAD_NEW_PIN"] {
        if set(name).is_some() {
            let finding = format!("{name} is set: every program that is started from here has the PIN");
            report.warning("environment", finding, "a file that only you can read is safer; see --user-pin-file");
        }
    }
    for passed in Config::places().iter().filter(|file| file.exists() && Some(file) != config.file.as_ref().as_ref()) {
        let finding = format!("{} is there and is not read, since something else comes first", passed.display());
        report.note("configuration", finding, "nothing is merged; remove what is not wanted");
    }
}

fn log(config: &Config, report: &mut Report) {
    let Some(setting) = var_os("KEYSTEAD_LOG").filter(|setting| !setting.is_empty()) else {
        return report.ok("log", "off, as KEYSTEAD_LOG is not set");
    };
    let setting = setting.to_string_lossy();
    if config.log.wants(Level::Trace) {
        let finding = format!("KEYSTEAD_LOG={setting}: every call is written");
        return report.note("log", finding, "it costs time and space; \"info\" says why calls are refused");
    }
    if config.log.wants(Level::Error) {
        return report.ok("log", format!("KEYSTEAD_LOG={setting}"));
    }
    let place = setting.rsplit_once(',').map_or(&*setting, |(place, _)| place);
    let next = match Path::new(place).is_absolute() {
        true => "this user cannot write to that file, or the level is none of error, warn, info, trace",
        false => "it is stderr, syslog or an absolute path, and perhaps a comma and error, warn, info or trace",
    };
    report.warning("log", format!("KEYSTEAD_LOG={setting} means nothing, so nothing is logged"), next);
}
