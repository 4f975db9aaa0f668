//! What an object is besides its value, and what of it stands in the way. A token of our own is left, which has it all.

use cryptoki_sys::*;
use keystead::config::{Config, Settings};
use keystead::handle::Handle;
use keystead::key::Login;
use keystead::module::Module;
use keystead::object::{Given, nested};
use serde_json::{Value, json};

use super::old::{Report, leave_for_people, leave_our_own, two_stores};
use crate::home::{Home, PIN, good, says, text};

type Attributes<'a> = Vec<(u64, &'a [u8])>;

const YES: &[u8] = &[1];
const NO: &[u8] = &[0];

/// An extractable AES key on the token, with a label and with nothing that it may be used for.
fn key(label: &str) -> Attributes<'_> {
    let uses = [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE];
    let said = [(CKA_TOKEN, YES), (CKA_EXTRACTABLE, YES), (CKA_LABEL, label.as_bytes())];
    said.into_iter().chain(uses.map(|usage| (usage, NO))).collect()
}

/// Makes keys in the token that is left.
fn make(home: &Home, keys: &[Attributes<'_>]) {
    let module = Module::open(Config::for_store(home.path("old"), Settings::default())).unwrap();
    let session = module.open_session(0, true).unwrap();
    module.sessions().login(session, Login::User, PIN.as_bytes()).unwrap();
    for key in keys {
        generate(&module, session, key);
    }
}

fn generate(module: &Module, session: Handle, key: &[(u64, &[u8])]) {
    let length = 32_u64.to_ne_bytes();
    let given = key.iter().copied().chain([(CKA_VALUE_LEN, &length[..])]);
    let given: Vec<Given> = given.map(|(number, value)| Given::new(number, value)).collect();
    module.sessions().generate(session, module.mechanisms().find(CKM_AES_KEY_GEN).unwrap(), &given).unwrap();
}

fn report(home: &Home, code: i32) -> Report {
    let output = leave_our_own(home).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    Report(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn dates_ids_and_restrictions_are_taken_over() {
    let home = two_stores();
    let mechanisms = CKM_AES_GCM.to_ne_bytes();
    let more = [
        (CKA_ID, &[1, 2][..]),
        (CKA_START_DATE, b"20260101"),
        (CKA_END_DATE, b"20271231"),
        (CKA_ALLOWED_MECHANISMS, &mechanisms),
        (CKA_MODIFIABLE, NO),
        (CKA_COPYABLE, NO),
        (CKA_SENSITIVE, YES),
    ];
    make(&home, &[[key("dated"), more.to_vec()].concat()]);
    assert_eq!(report(&home, 0).fate("secret-key", "dated").0, "moved");
    let shown = home.command(&["key", "show", "dated", "--login", "--json"]).env("KEYSTEAD_PIN", PIN).output().unwrap();
    let shown: Value = serde_json::from_str(&good(&shown)).unwrap();
    for (attribute, value) in [
        ("CKA_ID", json!("0102")),
        ("CKA_START_DATE", json!("20260101")),
        ("CKA_END_DATE", json!("20271231")),
        ("CKA_ALLOWED_MECHANISMS", json!(["CKM_AES_GCM"])),
        ("CKA_MODIFIABLE", json!(false)),
        ("CKA_COPYABLE", json!(false)),
        ("CKA_SENSITIVE", json!(true)),
        ("CKA_ENCRYPT", json!(false)),
    ] {
        assert_eq!(shown[attribute], value, "{attribute}");
    }
}

#[test]
fn a_key_without_uses_is_compared_by_its_check_value() {
    let home = two_stores();
    make(&home, &[key("idle")]);
    assert_eq!(report(&home, 0).fate("secret-key", "idle"), ("moved", "CKM_AES_KEY_WRAP_KWP", "check value"));
    assert_eq!(report(&home, 0).fate("secret-key", "idle"), ("present", "-", "check value"));
}

/// It comes by a way that checks itself. The second time nothing tells whether the key of that name is the same.
#[test]
fn a_key_that_nothing_tells_of_moves_once() {
    let home = two_stores();
    make(&home, &[[key("dark"), vec![(CKA_CHECK_VALUE, &[])]].concat()]);
    assert_eq!(report(&home, 0).fate("secret-key", "dark"), ("moved", "CKM_AES_KEY_WRAP_KWP", "-"));
    let again = report(&home, 3);
    says(again.of("secret-key", "dark")["reason"].as_str().unwrap(), &["here already", "nothing tells"]);
}

#[test]
fn what_would_lose_a_restriction_stays() {
    let home = two_stores();
    let inner = [Given::new(CKA_EXTRACTABLE, NO)];
    let template = nested::write("CKA_UNWRAP_TEMPLATE", &inner).unwrap();
    make(
        &home,
        &[
            [key("strict"), vec![(CKA_UNWRAP_TEMPLATE, &template)]].concat(),
            [key("trusting"), vec![(CKA_WRAP_WITH_TRUSTED, YES), (CKA_SENSITIVE, YES)]].concat(),
        ],
    );
    let report = report(&home, 3);
    says(report.of("secret-key", "strict")["reason"].as_str().unwrap(), &["CKA_UNWRAP_TEMPLATE", "more than it may"]);
    says(report.of("secret-key", "trusting")["reason"].as_str().unwrap(), &["C_WrapKey answers CKR_KEY_NOT_WRAPPABLE"]);
}

#[test]
fn people_are_told_some_recipes_and_programs_all() {
    let home = two_stores();
    let labels: Vec<String> = (0..12).map(|number| format!("key {number}")).collect();
    let locked = |label| key(label).into_iter().filter(|(attribute, _)| *attribute != CKA_EXTRACTABLE).collect();
    make(&home, &labels.iter().map(|label| locked(label)).collect::<Vec<_>>());
    let all = report(&home, 3);
    assert!(all.objects().len() == 12 && all.objects().iter().all(|object| object["recipe"].is_array()));
    let said = text(&leave_for_people(&home).output().unwrap().stderr);
    assert_eq!(said.matches(" stays\n").count(), 10, "{said}");
    says(&said, &["2 more stay; --json has the recipe for each", "12 of 12 objects stay"]);
}
