//! Objects of every kind that the token keeps: how long they live, who sees them, what reading them shows.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    objects_are_made_found_read_and_destroyed,
    token_objects_outlive_the_process,
    token_objects_reach_other_processes,
    session_objects_end_with_their_session,
    session_objects_are_seen_by_other_sessions,
    objects_of_one_token_are_not_those_of_another,
    handles_are_not_reused,
    read_only_sessions_make_session_objects_alone,
    undestroyable_objects_stay,
    unique_ids_differ_and_stay,
    generated_keys_never_repeat,
];
pub const PEERS: &[Test] = &tests![finds_and_adds];

fn objects_are_made_found_read_and_destroyed() {
    let token = Token::new();
    let session = token.user();
    let kek = ok!(session.aes_key(32, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    for on_token in [false, true] {
        for private in [false, true] {
            let place = template![CKA_TOKEN => on_token, CKA_PRIVATE => private];
            for (kind, object) in every_kind(&session, kek, &place) {
                assert_ne!(object, 0);
                assert_eq!(ok!(session.flag(object, CKA_TOKEN)), on_token, "{kind}");
                assert_eq!(ok!(session.flag(object, CKA_PRIVATE)), private, "{kind}");
                assert_eq!(ok!(session.find(&template![CKA_LABEL => kind])), [object]);
                assert_eq!(ok!(session.value(object, CKA_LABEL)), kind.as_bytes());
                ok!(session.destroy(object));
                assert!(ok!(session.find(&template![CKA_LABEL => kind])).is_empty(), "{kind}");
                fails!(session.value(object, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
                fails!(session.destroy(object), CKR_OBJECT_HANDLE_INVALID);
            }
        }
    }
}

/// Data, and AES and generic secret keys, created, generated and unwrapped; each labelled with its kind.
fn every_kind(session: &Session, kek: CK_OBJECT_HANDLE, place: &Template) -> Vec<(&'static str, CK_OBJECT_HANDLE)> {
    let labelled = |kind| place.clone().with(CKA_LABEL, kind);
    let named = |key_type| template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => key_type];
    let secret = |kind| labelled(kind).and(named(CKK_GENERIC_SECRET));
    let aes = |kind| labelled(kind).and(named(CKK_AES));
    let wrapping = Mechanism::plain(CKM_AES_KEY_WRAP_KWP);
    let carried = ok!(session.aes_key(32, template![CKA_EXTRACTABLE => true]));
    let wrapped = ok!(session.wrap(&wrapping, kek, carried));
    ok!(session.destroy(carried));
    let generate = |mechanism, template| session.generate(&Mechanism::plain(mechanism), &template);
    vec![
        ("data", ok!(session.create(&labelled("data").with(CKA_CLASS, CKO_DATA).with(CKA_VALUE, "text")))),
        ("AES created", ok!(session.create(&aes("AES created").with(CKA_VALUE, &[5; 16])))),
        ("AES generated", ok!(session.aes_key(32, labelled("AES generated")))),
        ("AES unwrapped", ok!(session.unwrap(&wrapping, kek, &wrapped, &aes("AES unwrapped")))),
        ("secret created", ok!(session.create(&secret("secret created").with(CKA_VALUE, &[5; 3])))),
        (
            "secret generated",
            ok!(generate(CKM_GENERIC_SECRET_KEY_GEN, labelled("secret generated").with(CKA_VALUE_LEN, 20))),
        ),
        ("secret unwrapped", ok!(session.unwrap(&wrapping, kek, &wrapped, &secret("secret unwrapped")))),
    ]
}

fn token_objects_outlive_the_process() {
    let token = Token::new();
    let session = token.user();
    let stays = template![CKA_TOKEN => true];
    let data = stays.clone().with(CKA_CLASS, CKO_DATA).with(CKA_LABEL, "d").with(CKA_VALUE, "text");
    ok!(session.create(&data.with(CKA_APPLICATION, "app").with(CKA_OBJECT_ID, &[6, 1, 3])));
    let key =
        ok!(session.aes_key(32, stays.with(CKA_LABEL, "k").with(CKA_ID, &[1, 2]).with(CKA_START_DATE, "20260101")));
    let attributes =
        [CKA_LABEL, CKA_ID, CKA_START_DATE, CKA_UNIQUE_ID, CKA_VALUE_LEN, CKA_KEY_GEN_MECHANISM, CKA_LOCAL];
    let before = attributes.map(|attribute| ok!(session.value(key, attribute)));
    let sealed = ok!(session.encrypt(&cbc_pad(), key, b"text"));

    ok!(token.restart());
    let session = token.user();
    let data = ok!(session.find(&template![CKA_LABEL => "d"]))[0];
    assert_eq!(ok!(session.value(data, CKA_VALUE)), b"text");
    assert_eq!(ok!(session.value(data, CKA_APPLICATION)), b"app");
    assert_eq!(ok!(session.value(data, CKA_OBJECT_ID)), [6, 1, 3]);
    let key = ok!(session.find(&template![CKA_LABEL => "k"]))[0];
    assert_eq!(attributes.map(|attribute| ok!(session.value(key, attribute))), before);
    assert_eq!(ok!(session.decrypt(&cbc_pad(), key, &sealed)), b"text");
}

fn token_objects_reach_other_processes() {
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "here"]));
    ok!(session.aes_key(32, template![CKA_LABEL => "a session's own"]));
    let mut peer = peer!(finds_and_adds);
    let sealed = unhex(&peer.hear());
    assert_eq!(ok!(session.decrypt(&cbc_pad(), key, &sealed)), b"from the peer");
    let there = ok!(session.find(&template![CKA_LABEL => "there"]))[0];
    let sealed = ok!(session.encrypt(&cbc_pad(), there, b"from the test"));
    ok!(session.destroy(key));
    peer.say(&hex(&sealed));
    peer.finish();
}

fn finds_and_adds() {
    let (module, slot) = Token::in_peer();
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    assert!(ok!(session.find(&template![CKA_LABEL => "a session's own"])).is_empty());
    let here = ok!(session.find(&template![CKA_LABEL => "here"]))[0];
    let there = ok!(session.aes_key(32, template![CKA_TOKEN => true, CKA_LABEL => "there"]));
    say(hex(&ok!(session.encrypt(&cbc_pad(), here, b"from the peer"))));
    let sealed = unhex(&hear());
    assert_eq!(ok!(session.decrypt(&cbc_pad(), there, &sealed)), b"from the test");
    assert!(ok!(session.find(&template![CKA_LABEL => "here"])).is_empty(), "destroyed by the test");
    fails!(Encrypt::init(&session, &cbc_pad(), here), CKR_KEY_HANDLE_INVALID);
}

fn session_objects_end_with_their_session() {
    let token = Token::new();
    let (keeper, session) = (token.user(), token.session());
    let ends = ok!(session.aes_key(32, template![CKA_LABEL => "ends"]));
    let data = ok!(session.create(&template![CKA_CLASS => CKO_DATA, CKA_LABEL => "ends"]));
    let stays = ok!(keeper.aes_key(32, template![CKA_LABEL => "stays"]));
    let on_token = ok!(session.aes_key(32, template![CKA_TOKEN => true]));
    ok!(session.close());
    assert!(ok!(keeper.find(&template![CKA_LABEL => "ends"])).is_empty());
    for gone in [ends, data] {
        fails!(keeper.value(gone, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
        fails!(Encrypt::init(&keeper, &cbc(), gone), CKR_KEY_HANDLE_INVALID);
    }
    ok!(keeper.encrypt(&cbc(), stays, &[0; 16]));
    ok!(keeper.encrypt(&cbc(), on_token, &[0; 16]));
}

fn session_objects_are_seen_by_other_sessions() {
    let token = Token::new();
    let (one, other) = (token.user(), ok!(token.module.read_only(token.slot)));
    let key = ok!(one.aes_key(32, template![CKA_LABEL => "shared"]));
    assert_eq!(ok!(other.find(&template![CKA_LABEL => "shared"])), [key]);
    let sealed = ok!(other.encrypt(&cbc_pad(), key, b"text"));
    assert_eq!(ok!(one.decrypt(&cbc_pad(), key, &sealed)), b"text");
    ok!(other.destroy(key));
    fails!(one.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
}

fn objects_of_one_token_are_not_those_of_another() {
    let token = Token::new();
    let slot = Token::make(&token.module, "second");
    let (one, other) = (token.user(), ok!(token.module.read_write(slot)));
    ok!(other.login(CKU_USER, USER_PIN));
    for template in [template![], template![CKA_TOKEN => true]] {
        let key = ok!(one.aes_key(32, template.with(CKA_LABEL, "mine")));
        assert!(ok!(other.find(&template![CKA_LABEL => "mine"])).is_empty());
        fails!(other.value(key, CKA_LABEL), CKR_OBJECT_HANDLE_INVALID);
        fails!(Encrypt::init(&other, &cbc(), key), CKR_KEY_HANDLE_INVALID);
        fails!(other.destroy(key), CKR_OBJECT_HANDLE_INVALID);
        ok!(one.value(key, CKA_LABEL));
    }
}

fn handles_are_not_reused() {
    let token = Token::new();
    let session = token.user();
    let mut seen = std::collections::HashSet::new();
    for round in 0..200 {
        let template = template![CKA_CLASS => CKO_DATA, CKA_TOKEN => round % 10 == 0];
        let object = ok!(session.create(&template));
        assert!(object != 0 && object != CK_UNAVAILABLE_INFORMATION);
        assert!(seen.insert(object), "handle {object} came twice");
        ok!(session.destroy(object));
    }
    for stale in seen.into_iter().chain([0, 1 << 40, CK_ULONG::MAX]) {
        fails!(session.value(stale, CKA_CLASS), CKR_OBJECT_HANDLE_INVALID);
    }
}

fn read_only_sessions_make_session_objects_alone() {
    let token = Token::new();
    let writer = token.user();
    let kept = ok!(writer.aes_key(32, template![CKA_TOKEN => true]));
    let session = ok!(token.module.read_only(token.slot));
    let on_token = template![CKA_TOKEN => true];
    fails!(session.aes_key(32, on_token.clone()), CKR_SESSION_READ_ONLY);
    fails!(session.aes_key_of(&[1; 16], on_token.clone()), CKR_SESSION_READ_ONLY);
    fails!(session.create(&on_token.with(CKA_CLASS, CKO_DATA)), CKR_SESSION_READ_ONLY);
    fails!(session.destroy(kept), CKR_SESSION_READ_ONLY);
    let own = ok!(session.aes_key(32, template![]));
    ok!(session.encrypt(&cbc(), own, &[0; 16]));
    ok!(session.encrypt(&cbc(), kept, &[0; 16]));
    ok!(session.destroy(own));
    assert_eq!(ok!(writer.objects(&template![])), [kept]);
}

fn undestroyable_objects_stay() {
    let token = Token::new();
    let session = token.user();
    for template in [template![], template![CKA_TOKEN => true]] {
        let key = ok!(session.aes_key(32, template.with(CKA_DESTROYABLE, false)));
        fails!(session.destroy(key), CKR_ACTION_PROHIBITED);
        ok!(session.encrypt(&cbc(), key, &[0; 16]));
    }
}

fn unique_ids_differ_and_stay() {
    let token = Token::new();
    let session = token.user();
    let mut ids: Vec<_> = (0..20)
        .map(|round| {
            let object = ok!(session.aes_key(32, template![CKA_TOKEN => round % 2 == 0, CKA_LABEL => "u"]));
            ok!(session.value(object, CKA_UNIQUE_ID))
        })
        .collect();
    assert!(ids.iter().all(|id| !id.is_empty()));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    ok!(token.restart());
    let session = token.user();
    for object in ok!(session.find(&template![CKA_LABEL => "u"])) {
        assert!(ids.contains(&ok!(session.value(object, CKA_UNIQUE_ID))));
    }
}

fn generated_keys_never_repeat() {
    let token = Token::new();
    let session = token.user();
    let open = template![CKA_SENSITIVE => false, CKA_EXTRACTABLE => true];
    let mut values: Vec<_> = (0..300)
        .map(|_| {
            let key = ok!(session.aes_key(16, open.clone()));
            ok!(session.value(key, CKA_VALUE))
        })
        .collect();
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 300);
    assert!(values.iter().all(|value| value.len() == 16));
}
