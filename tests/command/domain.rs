//! `keystead domain`

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use keystead::key::Login;
use serde_json::Value;

use crate::home::{Home, PIN, SO_PIN, bad, good, says, text};

/// What everybody types for the token `token`, with all four PINs where they are needed.
fn run(home: &Home, words: &[&str]) -> Output {
    let mut command = home.command(&[&["domain"], words].concat());
    command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
    command.env("KEYSTEAD_FROM_SO_PIN", SO_PIN).env("KEYSTEAD_FROM_PIN", PIN);
    command.output().unwrap()
}

fn json(home: &Home, words: &[&str]) -> Value {
    serde_json::from_str(&good(&run(home, &[words, &["--json"]].concat()))).unwrap()
}

fn two_tokens() -> Home {
    let home = Home::new();
    home.token("First");
    home.token("Second");
    home
}

#[test]
fn two_tokens_of_one_folder_share_a_domain_after_one_step() {
    let home = two_tokens();
    let made = json(&home, &["create", "--token", "First", "--name", "production"]);
    assert_eq!((&made["token"], &made["name"]), (&"First".into(), &"production".into()));
    let joined = json(&home, &["join", "--token", "Second", "--from", "First"]);
    assert_eq!(joined["token"], "Second");
    for same in ["name", "id", "fingerprint"] {
        assert_eq!(made[same], joined[same]);
    }
    let listed = json(&home, &["list", "--token", "Second"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["fingerprint"], made["fingerprint"]);
    says(&bad(&run(&home, &["join", "--token", "Second", "--from", "First"])), &["is in the domain", "already"]);
    assert_eq!(left_over(&home, "Second"), "", "what the failed step asked is withdrawn");
}

/// The requests that a token still waits for an answer to.
fn left_over(home: &Home, token: &str) -> String {
    let mut command = home.command(&["key", "list", "request to join a domain", "--token", token, "--login"]);
    good(&command.env("KEYSTEAD_PIN", PIN).output().unwrap())
}

#[test]
fn two_tokens_of_two_folders_share_a_domain_after_one_step() {
    let (one, two) = (Home::new(), Home::new());
    one.token("First");
    two.token("Second");
    let made = json(&one, &["create", "--name", "production"]);
    let folder = one.store();
    let from = ["join", "--from", "First", "--from-store", folder.to_str().unwrap(), "--name", "elsewhere"];
    let joined = json(&two, &from);
    assert_eq!((&joined["name"], &joined["id"]), (&"elsewhere".into(), &made["id"]));
}

#[test]
fn nobody_is_in_a_domain_without_the_consent_of_both_officers() {
    let home = two_tokens();
    let create = |so_pin: &str| {
        let mut command = home.command(&["domain", "create", "--token", "First", "--name", "production"]);
        command.env("KEYSTEAD_SO_PIN", so_pin).env("KEYSTEAD_PIN", PIN).output().unwrap()
    };
    says(&bad(&create("guess")), &["SO PIN is wrong", "9 tries are left"]);
    good(&create(SO_PIN));
    for (variable, words) in [("KEYSTEAD_SO_PIN", "SO PIN is wrong"), ("KEYSTEAD_FROM_SO_PIN", "SO PIN is wrong")] {
        let mut command = home.command(&["domain", "join", "--token", "Second", "--from", "First"]);
        command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
        command.env("KEYSTEAD_FROM_SO_PIN", SO_PIN).env("KEYSTEAD_FROM_PIN", PIN);
        says(&bad(&command.env(variable, "guess").output().unwrap()), &[words, "9 tries are left"]);
        assert_eq!(left_over(&home, "Second"), "");
    }
    // The right one sets the count back, and the SO is not logged in by it.
    good(&run(&home, &["join", "--token", "Second", "--from", "First"]));
    assert!(home.login(0, Login::So, SO_PIN).is_ok() && home.login(1, Login::User, PIN).is_ok());
}

/// The three steps between two machines, each with what it told.
struct Apart {
    one: Home,
    two: Home,
    request: Value,
    granted: Value,
}

impl Apart {
    /// All but the last step: `two` has an answer to accept.
    fn new() -> Self {
        let (one, two) = (Home::new(), Home::new());
        one.token("First");
        two.token("Second");
        good(&run(&one, &["create", "--name", "production"]));
        let mut apart = Self { one, two, request: Value::Null, granted: Value::Null };
        apart.request = apart.ask("join.request", &[]);
        apart.granted = apart.grant("join.request", "join.grant");
        apart
    }

    fn ask(&self, file: &str, more: &[&str]) -> Value {
        let out = self.two.path(file);
        json(&self.two, &[&["request", "--out", out.to_str().unwrap()], more].concat())
    }

    /// Lets in who asks in a file of `two`, into another file there.
    fn grant(&self, request: &str, answer: &str) -> Value {
        let (request, answer) = (self.two.path(request), self.two.path(answer));
        let words = ["grant", request.to_str().unwrap(), "--out", answer.to_str().unwrap()];
        let refused = bad(&run(&self.one, &words));
        let fingerprint = refused.split("fingerprint ").nth(1).unwrap().split(';').next().unwrap().to_owned();
        json(&self.one, &[&words[..], &["--fingerprint", &fingerprint]].concat())
    }

    fn accept(&self, answer: &str) -> Output {
        let fingerprint = self.granted["domain"]["fingerprint"].as_str().unwrap();
        let answer = self.two.path(answer);
        run(&self.two, &["accept", answer.to_str().unwrap(), "--fingerprint", fingerprint])
    }
}

#[test]
fn two_machines_share_a_domain_after_three_steps() {
    let apart = Apart::new();
    assert_eq!(apart.request["fingerprint"], apart.granted["request"]["fingerprint"]);
    assert_eq!((&apart.request["token"], &apart.granted["domain"]["token"]), (&"Second".into(), &"First".into()));
    for file in ["join.request", "join.grant"] {
        let mode = fs::metadata(apart.two.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let answer = apart.two.path("join.grant");
    let answer = answer.to_str().unwrap();
    let unsaid = bad(&run(&apart.two, &["accept", answer]));
    says(&unsaid, &["\"First\"", apart.granted["domain"]["fingerprint"].as_str().unwrap(), "--fingerprint"]);
    let wrong = bad(&run(&apart.two, &["accept", answer, "--fingerprint", "0a1b"]));
    says(&wrong, &["domain has the fingerprint", "not the one that was given"]);
    good(&apart.accept("join.grant"));
    let (one, two) = (json(&apart.one, &["list"]), json(&apart.two, &["list"]));
    assert_eq!((&one[0]["id"], &one[0]["fingerprint"]), (&two[0]["id"], &two[0]["fingerprint"]));
    says(&bad(&apart.accept("join.grant")), &["answered already"]);
}

#[test]
fn a_request_with_another_fingerprint_than_the_expected_one_is_not_answered() {
    let apart = Apart::new();
    let (request, out) = (apart.two.path("join.request"), apart.two.path("another.grant"));
    let words = ["grant", request.to_str().unwrap(), "--out", out.to_str().unwrap(), "--fingerprint", "0a1b 2c3d"];
    says(&bad(&run(&apart.one, &words)), &["request has the fingerprint", "not the one that was given"]);
    assert!(!out.exists());
}

#[test]
fn an_answer_to_an_earlier_request_is_not_accepted() {
    let apart = Apart::new();
    apart.ask("later.request", &[]);
    says(&bad(&apart.accept("join.grant")), &["earlier request", "asked anew"]);
    good(&run(&apart.two, &["request", "--withdraw"]));
    says(&bad(&apart.accept("join.grant")), &["answered already, or withdrawn"]);
    says(&bad(&run(&apart.two, &["request", "--withdraw"])), &["waits for no answer"]);
}

#[test]
fn an_answer_for_another_token_is_not_accepted() {
    let apart = Apart::new();
    apart.two.token("Third");
    let answer = apart.two.path("join.grant");
    let words = ["accept", answer.to_str().unwrap(), "--token"];
    let third = bad(&run(&apart.two, &[&words[..], &["Third"]].concat()));
    says(&third, &["answers the token \"Second\"", "this is another one"]);
    let mut anew = apart.two.command(&["token", "init", "--label", "Second", "--slot", "0", "--yes"]);
    good(&anew.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN).output().unwrap());
    says(&bad(&run(&apart.two, &[&words[..], &["0"]].concat())), &["initialised anew since"]);
}

#[test]
fn a_token_does_not_let_itself_in() {
    let home = Home::new();
    home.token("First");
    good(&run(&home, &["create", "--name", "production"]));
    let (request, answer) = (home.path("join.request"), home.path("join.grant"));
    let asked = json(&home, &["request", "--out", request.to_str().unwrap()]);
    let words = ["grant", request.to_str().unwrap(), "--out", answer.to_str().unwrap(), "--fingerprint"];
    let refused = bad(&run(&home, &[&words[..], &[asked["fingerprint"].as_str().unwrap()]].concat()));
    says(&refused, &["this token's own"]);
}

#[test]
fn a_request_that_has_expired_is_not_answered() {
    let apart = Apart::new();
    let asked = apart.ask("short.request", &["--valid-for", "1s"]);
    thread::sleep(Duration::from_millis(1100));
    let (request, out) = (apart.two.path("short.request"), apart.two.path("short.grant"));
    let words = ["grant", request.to_str().unwrap(), "--out", out.to_str().unwrap(), "--fingerprint"];
    let refused = bad(&run(&apart.one, &[&words[..], &[asked["fingerprint"].as_str().unwrap()]].concat()));
    says(&refused, &["has expired", "asks anew"]);
}

#[test]
fn what_was_altered_on_its_way_is_refused() {
    let apart = Apart::new();
    let text = fs::read_to_string(apart.two.path("join.grant")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // A digit of the request, of the encapsulated key and of what is sealed.
    for line in [5, lines.len() / 2 + 8, lines.len() - 3] {
        let mut altered: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let digit = if altered[line].starts_with('A') { "B" } else { "A" };
        altered[line].replace_range(..1, digit);
        fs::write(apart.two.path("altered.grant"), altered.join("\n") + "\n").unwrap();
        let refused = bad(&apart.accept("altered.grant"));
        says(&refused, &["altered.grant"]);
    }
    fs::write(apart.two.path("altered.grant"), &text[..text.len() / 2]).unwrap();
    says(&bad(&apart.accept("altered.grant")), &["KEYSTEAD DOMAIN GRANT"]);
    let request = apart.two.path("join.request");
    fs::copy(&request, apart.two.path("altered.grant")).unwrap();
    says(&bad(&apart.accept("altered.grant")), &["KEYSTEAD DOMAIN REQUEST", "KEYSTEAD DOMAIN GRANT is needed"]);
    good(&apart.accept("join.grant"));
}

#[test]
fn a_domain_that_was_left_is_joined_anew() {
    let apart = Apart::new();
    good(&apart.accept("join.grant"));
    let unknown = run(&apart.two, &["leave", "another", "--yes"]);
    assert_eq!(unknown.status.code(), Some(5));
    says(&bad(&unknown), &["no domain called \"another\"", "domain list"]);
    says(&bad(&run(&apart.two, &["leave", "production"])), &["would leave", "--yes"]);
    let left = json(&apart.two, &["leave", "production", "--yes"]);
    assert_eq!(left["fingerprint"], apart.granted["domain"]["fingerprint"]);
    assert_eq!(run(&apart.two, &["list"]).stdout, b"");
    says(&bad(&apart.accept("join.grant")), &["answered already"]);
    apart.ask("again.request", &[]);
    apart.grant("again.request", "again.grant");
    good(&apart.accept("again.grant"));
}

#[test]
fn files_are_not_overwritten_and_go_through_pipes() {
    let apart = Apart::new();
    let request = apart.two.path("join.request");
    let request = request.to_str().unwrap();
    says(&bad(&run(&apart.two, &["request", "--out", request])), &["is there already", "--force"]);
    good(&apart.accept("join.grant"));
    good(&run(&apart.two, &["request", "--out", request, "--force"]));
    let piped = run(&apart.two, &["request", "--out", "-"]);
    assert!(text(&piped.stdout).starts_with("-----BEGIN KEYSTEAD DOMAIN REQUEST-----\n"));
    let told = text(&piped.stderr);
    let fingerprint = told.lines().find_map(|line| line.strip_prefix("fingerprint of the request: ")).unwrap();
    let mut grant = apart.one.command(&["domain", "grant", "-", "--out", "-", "--fingerprint", fingerprint]);
    grant.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN);
    let mut grant = grant.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    grant.stdin.take().unwrap().write_all(&piped.stdout).unwrap();
    let granted = grant.wait_with_output().unwrap();
    assert!(text(&granted.stdout).starts_with("-----BEGIN KEYSTEAD DOMAIN GRANT-----\n"), "{granted:?}");
    assert_eq!(run(&apart.two, &["request", "--out", "-", "--json"]).status.code(), Some(2));
}

#[test]
fn of_two_who_accept_at_once_one_wins() {
    for _ in 0..4 {
        let apart = Apart::new();
        let outcomes = thread::scope(|scope| {
            let both = [0; 2].map(|_| scope.spawn(|| apart.accept("join.grant").status.code()));
            both.map(|one| one.join().unwrap())
        });
        assert!(outcomes == [Some(0), Some(1)] || outcomes == [Some(1), Some(0)], "{outcomes:?}");
        assert_eq!(json(&apart.two, &["list"]).as_array().unwrap().len(), 1);
    }
}

#[test]
fn two_domains_of_a_token_have_two_names() {
    let apart = Apart::new();
    good(&run(&apart.two, &["create", "--name", "production"]));
    says(&bad(&run(&apart.two, &["create", "--name", "production"])), &["\"production\" already", "another name"]);
    says(&bad(&apart.accept("join.grant")), &["\"production\" already", "another name"]);
    let (answer, fingerprint) =
        (apart.two.path("join.grant"), apart.granted["domain"]["fingerprint"].as_str().unwrap());
    let words = ["accept", answer.to_str().unwrap(), "--fingerprint", fingerprint, "--name", "of the others"];
    good(&run(&apart.two, &words));
    let listed = json(&apart.two, &["list"]);
    let mut names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["of the others", "production"]);
    let request = apart.ask("third.request", &[]);
    let third = apart.two.path("third.request");
    let words = ["grant", third.to_str().unwrap(), "--out", "unused", "--fingerprint"];
    let several = bad(&run(&apart.two, &[&words[..], &[request["fingerprint"].as_str().unwrap()]].concat()));
    says(&several, &["several domains", "--domain"]);
}
