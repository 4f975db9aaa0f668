//! pkcs11-tool's own tests, with keys of every kind in the token, and without a line that complains.

use super::*;

pub const TESTS: &[Test] = &tests![tests_every_key, tests_ec, tests_threads, tests_forking_with_keys];

fn tests_every_key() {
    let tool = with_keys();
    // Software mechanisms: none of ours says that it is done in hardware.
    let output = tool.user_says(&["--test", "--allow-sw"]);
    if Module::is_softhsm() {
        assert!(output.contains("RSA-X-509: OK"), "{output}");
        return report("SoftHSM2 has no OAEP with SHA-256, at which the tests stop");
    }
    assert!(output.contains("No errors"), "{output}");
    for expected in [
        "all 4 digest functions seem to work",
        "all 4 signature functions seem to work",
        "RSA-X-509: OK",
        "RSA-PKCS: OK",
        "SHA1-RSA-PKCS: OK",
        "SHA256-RSA-PKCS: OK",
        "RSA-PKCS-OAEP: ",
    ] {
        assert!(output.contains(expected), "{expected}:\n{output}");
    }
    complains_of_nothing(&output);
}

fn tests_ec() {
    let tool = token();
    if !tool.offers("ECDSA-SHA1") {
        return report("SoftHSM2 has no ECDSA with SHA-1, by which it tests");
    }
    for curve in ["prime256v1", "secp384r1", "secp521r1"] {
        let key_type = format!("EC:{curve}");
        let output = tool.user_says(&["--test-ec", "--session-rw", "--key-type", &key_type, "--id", "01"]);
        assert!(output.contains("==> OK"), "{output}");
        complains_of_nothing(&output);
    }
    assert!(!tool.user(&["--list-objects"], "").contains("Key Object"), "it deletes what it makes");
}

/// Threads that initialise at once, list slots and read the token's information, while the main thread works.
fn tests_threads() {
    let tool = with_keys();
    if Module::is_softhsm() {
        return report("SoftHSM2 initialises twice at once, and crashes");
    }
    let threads =
        ["--test-threads", "IN:GI:SL:T0:SL:T0", "--test-threads", "IL:SL:T0:GI:SL:GI", "--test-threads", "IN:SL:GI"];
    let output = tool.user_says(&[&threads[..], &["--test", "--allow-sw"]].concat());
    assert!(output.contains("test_threads all threads have ended with CKR_OK"), "{output}");
    assert!(output.contains("No errors"), "{output}");
    for line in output.lines().filter(|line| line.contains("CKR_")) {
        assert!(line.contains("CKR_OK") || line.contains("CKR_CRYPTOKI_ALREADY_INITIALIZED"), "{line}\n{output}");
    }
    assert_eq!(output.matches("state:-1, rv:CKR_OK").count(), 3, "{output}");
}

fn tests_forking_with_keys() {
    let tool = with_keys();
    let output = tool.user_says(&["--test-fork", "--test", "--allow-sw"]);
    assert!(output.contains("Calling C_Initialize in forked child process"), "{output}");
    if !Module::is_softhsm() {
        assert!(output.contains("No errors"), "{output}");
        complains_of_nothing(&output);
    }
}

/// With a key pair of each type; the module's log does not stand between the lines of pkcs11-tool.
fn with_keys() -> Tool {
    let tool = token();
    tool.home.log_to_file();
    for (number, key_type) in ["rsa:2048", "EC:prime256v1", "EC:secp384r1", "EC:edwards25519"].iter().enumerate() {
        tool.key_pair(key_type, &format!("{number:02x}"));
    }
    tool
}

fn complains_of_nothing(output: &str) {
    for word in ["error:", "warning", "ERR:", "CKR_", "failed", "doesn't", "mismatch", "not supported"] {
        // Seeding is refused by every token whose randomness is the system's.
        let mut lines = output.lines().filter(|line| !line.contains("seeding (C_SeedRandom) not supported"));
        let complaint = lines.find(|line| line.to_lowercase().contains(&word.to_lowercase()));
        assert!(complaint.is_none(), "{complaint:?}\n{output}");
    }
}
