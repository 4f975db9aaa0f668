//! The programs that this project was made for, each driven as its users drive it, on a token that pkcs11-tool has made in a
//! home of its own; what came of it is checked by another program. Run them alone: `cargo test --release --test abi clients`.
//!
//! They run against SoftHSM2 too (`KEYSTEAD_MODULE=/usr/lib/softhsm/libsofthsm2.so`), by which the suites themselves are
//! checked; where it lacks something, the test says so.

pub mod engine;
pub mod java;
pub mod nss;
pub mod p11_kit;
pub mod tool_keys;
pub mod tool_opens;
pub mod tool_signs;
pub mod tool_tests;

use crate::support::*;

/// pkcs11-tool with a token that it has made.
fn token() -> Tool {
    Tool::with_token()
}

/// Runs a program, which must succeed; all that it said, on both streams.
fn says(program: &str, arguments: &[&str]) -> String {
    let output = output(program, arguments, &[]);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {}\n{said}", arguments.join(" "), output.status);
    said.into_owned()
}

/// openssl, which must succeed; what it wrote to its standard output.
fn openssl(arguments: &[&str]) -> Vec<u8> {
    run("openssl", arguments, &[])
}

/// Whether openssl succeeds.
fn openssl_agrees(arguments: &[&str]) -> bool {
    output("openssl", arguments, &[]).status.success()
}

/// A key pair made by openssl, both halves in the token under this id; the files of private and public key.
fn imported_pair(tool: &Tool, algorithm: &[&str], id: &str) -> (String, String) {
    let [private, public] = ["private", "public"].map(|half| tool.path(&format!("openssl-{half}-{id}")));
    openssl(&[&["genpkey"], algorithm, &["-out", &private]].concat());
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    let label = format!("key-{id}");
    for (half, file) in [("privkey", &private), ("pubkey", &public)] {
        // RSA keys derive nothing, EC keys decrypt nothing.
        let uses = if algorithm.contains(&"RSA") { "--usage-decrypt" } else { "--usage-derive" };
        let write = ["--write-object", file, "--type", half, "--id", id, "--label", &label];
        tool.user(&[&write[..], &["--usage-sign", uses]].concat(), "Created");
    }
    (private, public)
}

/// A message that differs in its first byte.
fn another_message(length: usize) -> Vec<u8> {
    let mut text = message(length);
    text[0] ^= 1;
    text
}

const RSA_2048: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
