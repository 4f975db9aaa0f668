//! The same ciphertext in somebody else's hands: the `openssl` command.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::hex;
use super::party::Sealed;
use crate::failure::{Failure, Result};

/// Its version, or what to do when it is missing.
pub fn version() -> Result<String> {
    let output = run(&["version"], &[])?;
    Ok(String::from_utf8_lossy(&output).trim_end().to_owned())
}

/// `openssl enc -aes-256-cbc`, which pads as `CKM_AES_CBC_PAD` does.
pub fn seal(key: &[u8], iv: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    run(&["enc", "-aes-256-cbc", "-K", &hex::digits(key), "-iv", &hex::digits(iv)], text)
}

/// `openssl enc -d -aes-256-cbc`
pub fn open(key: &[u8], sealed: &Sealed) -> Result<Vec<u8>> {
    let (key, iv) = (hex::digits(key), hex::digits(&sealed.iv.0));
    run(&["enc", "-d", "-aes-256-cbc", "-K", &key, "-iv", &iv], &sealed.data.0)
}

/// What the command writes when it reads `input`, which is shorter than a pipe is deep.
fn run(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new("the openssl command is missing, and the demo shows it the same keys")
            .with_next("install it (Debian, Ubuntu: apt install openssl) and run the demo again"),
        _ => Failure::of("the openssl command cannot be started", error),
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read its input says why in the end.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(|error| Failure::of("openssl", error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Failure::new(format!("openssl {} failed: {reason}", arguments.first().unwrap_or(&""))))
}
