//! The child process: it loads the module, runs the checks that it is told, and says each verdict as soon as it has it.

use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;
use std::path::PathBuf;

use serde_json::Value;

use super::module::Module;
use super::suite::{self, Check, Needs};
use super::trial::{Trial, Voice};
use super::verdict::Verdict;
use super::world::{Given, Settings, World};
use crate::failure::{Failure, Result};

/// Runs the checks that standard input names.
pub fn work() -> Result<()> {
    let voice = Voice::new(own_pipe()?);
    let orders: Value = serde_json::from_reader(io::stdin()).map_err(|error| Failure::new(error.to_string()))?;
    let (settings, names) = read(&orders).ok_or_else(|| Failure::new("orders that make no sense"))?;
    let module = Module::load(&settings.module)?;
    let world = World::new(module, settings);
    let checks: Vec<Check> = suite::all();
    for name in names {
        let Some(check) = checks.iter().find(|check| check.name() == name) else {
            return Err(Failure::new(format!("no check {name}")));
        };
        voice.say("begin", &name);
        let verdict = Trial::run(&world, &voice, |trial| {
            if check.needs == Needs::Login {
                trial.at("preparation");
                trial.world.prepare()?;
            }
            (check.run)(trial)
        });
        voice.say("end", &verdict_line(&verdict));
    }
    voice.say("done", "");
    Ok(())
}

fn verdict_line(verdict: &Verdict) -> String {
    verdict.to_json().to_string()
}

/// Standard output under another number: what the module prints goes where standard error goes.
fn own_pipe() -> Result<File> {
    // SAFETY: the numbers are those of the standard streams, and nothing has used them yet.
    let pipe = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3) };
    // SAFETY: as above.
    if pipe < 0 || unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) } < 0 {
        return Err(io::Error::last_os_error().into());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(pipe) })
}

fn read(orders: &Value) -> Option<(Settings, Vec<String>)> {
    let given = match (orders.get("slot")?.as_u64(), orders.get("pin")?.as_str()) {
        (Some(slot), Some(pin)) => Some(Given { slot, pin: pin.to_owned() }),
        _ => None,
    };
    let settings = Settings {
        module: PathBuf::from(orders.get("module")?.as_str()?),
        given,
        steps: orders.get("steps")?.as_u64()?,
        seed: orders.get("seed")?.as_u64()?,
    };
    let name = |value: &Value| value.as_str().map(str::to_owned);
    Some((settings, orders.get("checks")?.as_array()?.iter().map(name).collect::<Option<_>>()?))
}
