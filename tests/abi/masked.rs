//! Masked objects: `CKM_KEYSTEAD_MASK` of `C_WrapKey` and `C_UnwrapKey`, between two tokens that the command has put into one domain.
//! What is masked, and what is refused for which reason, has more tests beside `session`; here are the codes.

use std::process::Command;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_key_goes_whole_to_another_token,
    small_rooms_for_masked_objects_are_told_what_suffices,
    what_must_not_leave_masked_has_its_code,
    what_cannot_come_in_has_its_code_and_a_sentence,
    no_call_makes_a_key_of_a_domain,
];

/// As in `include/keystead.h`.
pub const CKM_KEYSTEAD_MASK: CK_MECHANISM_TYPE = 0xCB53_0001;
const CKK_KEYSTEAD_DOMAIN: CK_KEY_TYPE = 0xCB53_0001;
const CKK_KEYSTEAD_DOMAIN_REQUEST: CK_KEY_TYPE = 0xCB53_0002;
const CKA_KEYSTEAD_MASKABLE: CK_ATTRIBUTE_TYPE = 0xCB53_0001;

const OTHER: &str = "sibling";

/// Two tokens of one folder that share a domain, and their users' sessions.
struct Two {
    token: Token,
    here: Session,
    there: Session,
}

impl Two {
    fn new() -> Two {
        let token = Token::new();
        Token::make(&token.module, OTHER);
        for words in [["create", "--token", LABEL, "--name", "production"], ["join", "--token", OTHER, "--from", LABEL]]
        {
            let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
            command.arg("domain").args(words);
            for (variable, pin) in [("SO_PIN", SO_PIN), ("PIN", USER_PIN)] {
                command.env(format!("KEYSTEAD_{variable}"), pin).env(format!("KEYSTEAD_FROM_{variable}"), pin);
            }
            let output = command.output().expect("the command");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let there = ok!(token.module.read_write(Token::find(&token.module, OTHER)));
        ok!(there.login(CKU_USER, USER_PIN));
        Two { here: token.user(), there, token }
    }

    fn mask(&self, object: CK_OBJECT_HANDLE) -> Result<Vec<u8>> {
        self.here.wrap(&mask(), domain(&self.here), object)
    }

    fn unmask(&self, masked: &[u8], template: &Template) -> Result<CK_OBJECT_HANDLE> {
        self.there.unwrap(&mask(), domain(&self.there), masked, template)
    }
}

fn mask() -> Mechanism {
    Mechanism::plain(CKM_KEYSTEAD_MASK)
}

/// The key of the domain that the token is in.
fn domain(session: &Session) -> CK_OBJECT_HANDLE {
    ok!(session.find(&template![CKA_KEY_TYPE => CKK_KEYSTEAD_DOMAIN]))[0]
}

fn travels() -> Template {
    template![CKA_TOKEN => true, CKA_KEYSTEAD_MASKABLE => true, CKA_LABEL => "travels"]
}

fn a_key_goes_whole_to_another_token() {
    let two = Two::new();
    let key = ok!(two.here.aes_key(32, travels().with(CKA_ID, b"id".as_slice())));
    let arrived = ok!(two.unmask(&ok!(two.mask(key)), &template![]));
    let shown = [
        CKA_UNIQUE_ID,
        CKA_LABEL,
        CKA_ID,
        CKA_LOCAL,
        CKA_ALWAYS_SENSITIVE,
        CKA_NEVER_EXTRACTABLE,
        CKA_EXTRACTABLE,
        CKA_KEY_GEN_MECHANISM,
        CKA_CHECK_VALUE,
        CKA_KEYSTEAD_MASKABLE,
    ];
    for attribute in shown {
        assert_eq!(ok!(two.there.value(arrived, attribute)), ok!(two.here.value(key, attribute)), "{attribute:#x}");
    }
    assert!(ok!(two.there.flag(arrived, CKA_LOCAL)) && ok!(two.there.flag(arrived, CKA_NEVER_EXTRACTABLE)));
    let sealed = ok!(two.here.encrypt(&gcm(), key, b"text"));
    assert_eq!(ok!(two.there.decrypt(&gcm(), arrived, &sealed)), b"text");
    // The same once more is the same object, also in a new process.
    assert_eq!(ok!(two.unmask(&ok!(two.mask(key)), &template![CKA_LABEL => "travels"])), arrived);
    ok!(two.token.restart());
    let there = ok!(two.token.module.read_write(Token::find(&two.token.module, OTHER)));
    ok!(there.login(CKU_USER, USER_PIN));
    let found = ok!(there.find(&template![CKA_LABEL => "travels"]));
    assert_eq!(ok!(there.decrypt(&gcm(), found[0], &sealed)), b"text");
}

fn small_rooms_for_masked_objects_are_told_what_suffices() {
    let two = Two::new();
    let (key, by) = (ok!(two.here.aes_key(32, travels())), domain(&two.here));
    let (outcome, length) = two.here.wrap_into(&mask(), by, key, None);
    ok!(outcome);
    let mut room = vec![0; length];
    let (outcome, told) = two.here.wrap_into(&mask(), by, key, Some(&mut room[1..]));
    fails!(outcome, CKR_BUFFER_TOO_SMALL);
    assert_eq!((told, room.iter().any(|byte| *byte != 0)), (length, false));
    let (outcome, told) = two.here.wrap_into(&mask(), by, key, Some(&mut room));
    ok!(outcome);
    assert_eq!(told, length);
    ok!(two.unmask(&room, &template![]));
}

fn what_must_not_leave_masked_has_its_code() {
    let two = Two::new();
    let (session, by) = (&two.here, domain(&two.here));
    fails!(two.mask(ok!(session.aes_key(32, template![CKA_TOKEN => true]))), CKR_KEY_UNEXTRACTABLE);
    fails!(
        two.mask(ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]))),
        CKR_KEY_NOT_WRAPPABLE,
        "not a token object"
    );
    fails!(two.mask(by), CKR_KEY_NOT_WRAPPABLE, "the domain's own key");
    fails!(two.mask(0), CKR_KEY_HANDLE_INVALID);
    let key = ok!(session.aes_key(32, travels().with(CKA_EXTRACTABLE, true)));
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    fails!(session.wrap(&mask(), kek, key), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    fails!(session.wrap(&mask(), 0, key), CKR_WRAPPING_KEY_HANDLE_INVALID);
    fails!(session.wrap(&Mechanism::with(CKM_KEYSTEAD_MASK, b"x"), by, key), CKR_MECHANISM_PARAM_INVALID);
    fails!(session.wrap_authenticated(&mask(), by, key, b"", None).0, CKR_MECHANISM_INVALID);
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP_KWP), by, key), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
    fails!(session.wrap(&Mechanism::plain(CKM_AES_KEY_WRAP_KWP), kek, by), CKR_KEY_NOT_WRAPPABLE);
    fails!(session.value(by, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
    fails!(session.copy(by, &template![]), CKR_ACTION_PROHIBITED);
    fails!(session.set(by, &template![CKA_LABEL => "x"]), CKR_ACTION_PROHIBITED);
    let info = ok!(two.token.module.mechanism_info(two.token.slot, CKM_KEYSTEAD_MASK));
    assert_eq!((info.flags, info.ulMinKeySize, info.ulMaxKeySize), (CKF_WRAP | CKF_UNWRAP, 32, 32));
}

fn what_cannot_come_in_has_its_code_and_a_sentence() {
    let two = Two::new();
    let log = two.token.home.log_to_file();
    ok!(two.token.restart());
    let there = ok!(two.token.module.read_write(Token::find(&two.token.module, OTHER)));
    ok!(there.login(CKU_USER, USER_PIN));
    let two = Two { here: two.token.user(), there, token: two.token };
    let refused = |masked: &[u8], sentence: &str| {
        fails!(two.unmask(masked, &template![]), CKR_WRAPPED_KEY_INVALID, "{sentence}");
        let log = std::fs::read_to_string(&log).expect("the log");
        assert!(log.lines().last().is_some_and(|line| line.contains(sentence)), "{sentence:?} in {log}");
    };
    let key = ok!(two.here.aes_key(32, travels()));
    let masked = ok!(two.mask(key));
    let mut changed = masked.clone();
    *changed.last_mut().expect("not empty") ^= 1;
    refused(b"", "it is no masked object");
    refused(&changed, "is not as it was masked");
    fails!(two.unmask(&masked, &template![CKA_EXTRACTABLE => true]), CKR_TEMPLATE_INCONSISTENT);
    fails!(two.unmask(&masked, &template![CKA_VALUE => &[0; 32]]), CKR_ATTRIBUTE_READ_ONLY);
    let read_only = ok!(two.token.module.read_only(Token::find(&two.token.module, OTHER)));
    fails!(read_only.unwrap(&mask(), domain(&two.there), &masked, &template![]), CKR_SESSION_READ_ONLY);
    let kek = ok!(two.there.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    fails!(two.there.unwrap(&mask(), kek, &masked, &template![]), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
    let arrived = ok!(two.unmask(&masked, &template![]));
    ok!(two.there.set(arrived, &template![CKA_KEYSTEAD_MASKABLE => false]));
    refused(&masked, "a later state of it is here");
    fails!(two.there.wrap(&mask(), domain(&two.there), arrived), CKR_KEY_UNEXTRACTABLE);
    ok!(two.there.destroy(arrived));
    refused(&masked, "it was destroyed here");
}

fn no_call_makes_a_key_of_a_domain() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let base = ok!(session.aes_key(32, template![CKA_DERIVE => true, CKA_EXTRACTABLE => true]));
    let kwp = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let wrapped = ok!(session.wrap(&kwp, kek, base));
    for key_type in [CKK_KEYSTEAD_DOMAIN, CKK_KEYSTEAD_DOMAIN_REQUEST] {
        let named = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type];
        fails!(session.create(&named.clone().with(CKA_VALUE, &[1; 32])), CKR_ATTRIBUTE_VALUE_INVALID);
        fails!(session.unwrap(&kwp, kek, &wrapped, &named), CKR_ATTRIBUTE_VALUE_INVALID);
        fails!(session.aes_key(32, template![CKA_KEY_TYPE => key_type]), CKR_TEMPLATE_INCONSISTENT);
        let generic = Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN);
        fails!(session.generate(&generic, &named.with(CKA_VALUE_LEN, 32)), CKR_TEMPLATE_INCONSISTENT);
        fails!(session.copy(base, &template![CKA_KEY_TYPE => key_type]), CKR_ATTRIBUTE_READ_ONLY);
    }
}
