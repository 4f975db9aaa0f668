//! p11-kit: the module from a module file, in its own listing and through its proxy.

use std::path::Path;

use super::*;

pub const TESTS: &[Test] =
    &tests![lists_tokens, serves_objects_through_the_proxy, lists_nothing_where_tokens_cannot_be];

fn lists_tokens() {
    let _tool = with_token();
    let said = says("p11-kit", &["list-modules"]);
    let token =
        said.split("token: ").find(|part| part.starts_with(LABEL)).unwrap_or_else(|| panic!("no token\n{said}"));
    for expected in ["login-required", "user-pin-initialized", "token-initialized", "rng", "manufacturer: "] {
        assert!(token.contains(expected), "{expected}:\n{said}");
    }
    assert_eq!(said.matches("library-description").count(), 1, "only the module under test\n{said}");
    // p11-kit 0.25 has a command for it.
    let tokens = output("p11-kit", &["list-tokens"], &[]);
    if tokens.status.success() {
        assert!(String::from_utf8_lossy(&tokens.stdout).contains(LABEL));
    }
}

fn serves_objects_through_the_proxy() {
    let tool = with_token();
    tool.key_pair("EC:prime256v1", "01");
    let public = tool.public_key("01");
    let proxy = PROXIES.into_iter().find(|place| Path::new(place).exists());
    let proxy = proxy.unwrap_or_else(|| panic!("no p11-kit-proxy in {PROXIES:?}; `make test` installs it"));
    let [text, signature] = [tool.file("text", &message(32)), tool.path("signature")];
    let login = ["--module", proxy, "--token-label", LABEL, "--login", "--pin", USER_PIN];
    let listed = says("pkcs11-tool", &[&login[..], &["--list-objects"]].concat());
    assert!(listed.contains("Private Key Object") && listed.contains("Public Key Object"), "{listed}");
    let sign = ["--sign", "-m", "ECDSA", "--id", "01", "--signature-format", "openssl"];
    says("pkcs11-tool", &[&login[..], &sign, &["--input-file", &text, "--output-file", &signature]].concat());
    let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-in", &text, "-sigfile", &signature];
    assert!(openssl_agrees(&verify));
    tool.file("text", &message(31));
    assert!(!openssl_agrees(&verify));
}

/// A module that is registered for everybody does not disturb those who have no token, and cannot have one.
fn lists_nothing_where_tokens_cannot_be() {
    if Module::is_softhsm() {
        return report("SoftHSM2 has no C_Initialize then");
    }
    let _tool = with_module_file(Config { store: Some("/dev/null/tokens".into()), ..Config::default() });
    let said = says("p11-kit", &["list-modules"]);
    assert!(said.contains("library-manufacturer: Keystead") && !said.contains("token:"), "{said}");
}

/// A home of a user who has a configuration of p11-kit with the module under test and without those of the system. For root
/// p11-kit reads no such thing, so root becomes nobody, and takes a copy of the module to where nobody finds it.
fn with_module_file(config: Config) -> Tool {
    let module = Module::path();
    let bytes = std::fs::read(&module).unwrap();
    become_nobody();
    let tool = Tool { home: Home::with(config) };
    let name = module.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
    let module = tool.file(name, &bytes);
    set_variable("KEYSTEAD_MODULE", Some(&module));
    let folder = tool.home.path().join("config/pkcs11");
    std::fs::create_dir_all(folder.join("modules")).unwrap();
    std::fs::write(folder.join("pkcs11.conf"), "user-config: only\n").unwrap();
    std::fs::write(folder.join("modules/tested.module"), format!("module: {module}\n")).unwrap();
    set_variable("XDG_CONFIG_HOME", Some(&tool.path("config")));
    tool
}

fn with_token() -> Tool {
    let tool = with_module_file(Config::default());
    tool.make_token(LABEL);
    tool
}

const PROXIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
    "/usr/lib/aarch64-linux-gnu/p11-kit-proxy.so",
    "/usr/lib64/p11-kit-proxy.so",
    "/usr/lib/p11-kit-proxy.so",
];
