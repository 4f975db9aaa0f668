//! Programs beside the module: pkcs11-tool, openssl, Python's `cryptography`. And hexadecimal, which they speak.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a program with this input; however it ends.
pub fn output(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}; {MISSING}"));
    // A program that does not read its input closes it, which is no fault.
    let _ = child.stdin.take().map(|mut pipe| pipe.write_all(input));
    child.wait_with_output().expect("the program's output")
}

/// Runs a program, which must succeed; what it printed.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = output(program, arguments, input);
    let said = || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {}\n{}", arguments.join(" "), output.status, said());
    output.stdout
}

/// `openssl enc` of a cipher without a padding of its own making; `direction` is `-e` or `-d`.
pub fn openssl_enc(direction: &str, cipher: &str, key: &[u8], iv: &str, input: &[u8]) -> Vec<u8> {
    run("openssl", &["enc", direction, &format!("-{cipher}"), "-K", &hex(key), "-iv", iv], input)
}

/// AES-GCM by Python's `cryptography`, which stands on libcrypto: the plaintext, or nothing where the tag is refused.
pub fn libcrypto_gcm_open(key: &[u8], iv: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let script = "import sys\nfrom cryptography.hazmat.primitives.ciphers.aead import AESGCM\n\
                  key, iv, aad, sealed = (bytes.fromhex(text) for text in sys.argv[1:])\n\
                  sys.stdout.buffer.write(AESGCM(key).decrypt(iv, sealed, aad))\n";
    let output = output(python(), &["-c", script, &hex(key), &hex(iv), &hex(aad), &hex(sealed)], &[]);
    output.status.success().then_some(output.stdout)
}

/// A key derivation function of Python's `cryptography`: `X963KDF` or `ConcatKDFHash`, with a hash of its names.
pub fn python_kdf(function: &str, hash: &str, secret: &[u8], shared: &[u8], length: usize) -> Vec<u8> {
    let script = "import sys\nfrom cryptography.hazmat.primitives import hashes\n\
                  from cryptography.hazmat.primitives.kdf import concatkdf, x963kdf\n\
                  function, hash, length, secret, shared = sys.argv[1:]\n\
                  module = x963kdf if function == 'X963KDF' else concatkdf\n\
                  kdf = getattr(module, function)(getattr(hashes, hash)(), int(length), bytes.fromhex(shared))\n\
                  sys.stdout.buffer.write(kdf.derive(bytes.fromhex(secret)))\n";
    let arguments = ["-c", script, function, hash, &length.to_string(), &hex(secret), &hex(shared)];
    run(python(), &arguments, &[])
}

/// The bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text; blanks between them do not count.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("text"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits")).collect()
}

/// Every file under a folder, with its bytes.
pub fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), std::fs::read(&path).expect("a readable file"))),
        }
    }
    found
}

/// Whether the bytes stand somewhere in the others.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

/// The first Python that has the module.
fn python() -> &'static str {
    let has_module = |python: &&str| {
        let mut command = Command::new(python);
        let quiet = command.args(["-c", "import cryptography"]).stdout(Stdio::null()).stderr(Stdio::null());
        matches!(quiet.status(), Ok(status) if status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_module);
    found.unwrap_or_else(|| panic!("no python3 with the module cryptography; {MISSING}"))
}

const MISSING: &str = "`make test` installs it, or apt-get install opensc openssl python3 python3-cryptography";
