//! A token behind a command, such as `ssh host keystead sync --serve Prod`.

use std::io::{BufReader, BufWriter};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use keystead::transfer::{Peer, Remote, Replica};

use super::report::Done;
use crate::failure::{Failure, Result};

/// Runs a command in a shell and does something with the token that answers there: what came of it, and that token's serial number.
pub fn with_command(
    command: &str,
    own: &mut Replica,
    work: impl FnOnce(&mut dyn Peer, &mut dyn Peer) -> Result<Done>,
) -> Result<(Done, String)> {
    let spawned = Command::new("sh").arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| Failure::of(format!("{command:?} cannot be run"), error))?;
    match talked(&mut child, own, work) {
        Ok(done) => {
            let status = child.wait().map_err(|error| Failure::of(command, error))?;
            if status.success() { Ok(done) } else { Err(Failure::new(ended(command, status))) }
        }
        Err(failure) => match end(&mut child) {
            // What it said on standard error stands there already.
            Some(status) if !status.success() => Err(failure.with_next(ended(command, status))),
            _ => Err(failure),
        },
    }
}

fn talked(
    child: &mut Child,
    own: &mut Replica,
    work: impl FnOnce(&mut dyn Peer, &mut dyn Peer) -> Result<Done>,
) -> Result<(Done, String)> {
    let (Some(input), Some(output)) = (child.stdout.take(), child.stdin.take()) else {
        return Err(Failure::new("the command has no pipes"));
    };
    let mut remote = Remote::new(BufReader::new(input), BufWriter::new(output), own)?;
    let serial = String::from_utf8_lossy(&remote.about()?.serial).into_owned();
    let done = work(own, &mut remote)?;
    remote.end()?;
    Ok((done, serial))
}

/// Gives a command whose pipes are closed a moment to end by itself, and ends it otherwise.
fn end(child: &mut Child) -> Option<ExitStatus> {
    const MOMENT: Duration = Duration::from_secs(1);
    let begun = Instant::now();
    while begun.elapsed() < MOMENT {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => sleep(Duration::from_millis(10)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn ended(command: &str, status: ExitStatus) -> String {
    format!("{command:?} ended with {status}")
}
