//! The profiles that every token says it conforms to. PKCS#11 3.2, section 4.14; PKCS#11 Profiles 3.2, chapter 5.

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    a_new_token_shows_its_profiles_to_everybody,
    a_profile_is_found_by_each_of_its_attributes,
    a_profile_is_the_same_wherever_it_is_seen,
    a_profile_outlives_logins_and_sessions,
    nobody_makes_changes_copies_or_destroys_a_profile,
    a_certificate_is_found_before_login_with_its_key,
];

const PROFILES: [CK_PROFILE_ID; 3] = [CKP_BASELINE_PROVIDER, CKP_EXTENDED_PROVIDER, CKP_PUBLIC_CERTIFICATES_TOKEN];

fn profiles(session: &Session) -> Vec<CK_OBJECT_HANDLE> {
    ok!(session.find(&template![CKA_CLASS => CKO_PROFILE]))
}

fn profile(session: &Session, id: CK_PROFILE_ID) -> CK_OBJECT_HANDLE {
    let found = ok!(session.find(&template![CKA_CLASS => CKO_PROFILE, CKA_PROFILE_ID => id]));
    assert_eq!(found.len(), 1);
    found[0]
}

fn a_new_token_shows_its_profiles_to_everybody() {
    let token = Token::new();
    let session = token.session();
    let found = profiles(&session);
    let ids: Vec<_> = found.iter().map(|object| ok!(session.number(*object, CKA_PROFILE_ID))).collect();
    assert_eq!(ids, PROFILES);
    for object in found {
        assert_eq!(ok!(session.number(object, CKA_CLASS)), CKO_PROFILE);
        assert!(ok!(session.flag(object, CKA_TOKEN)) && !ok!(session.flag(object, CKA_PRIVATE)));
        for change in [CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE] {
            assert!(!ok!(session.flag(object, change)));
        }
        assert_eq!(ok!(session.value(object, CKA_LABEL)), b"");
        assert!(ok!(session.size(object)) > 0);
        fails!(session.value(object, CKA_KEY_TYPE), CKR_ATTRIBUTE_TYPE_INVALID);
        fails!(session.value(object, CKA_VALUE), CKR_ATTRIBUTE_TYPE_INVALID);
        fails!(session.encrypt(&Mechanism::plain(CKM_AES_ECB), object, &[0; 16]), CKR_KEY_HANDLE_INVALID);
    }
}

fn a_profile_is_found_by_each_of_its_attributes() {
    let token = Token::new();
    let session = token.user();
    let object = profile(&session, CKP_PUBLIC_CERTIFICATES_TOKEN);
    let unique = ok!(session.value(object, CKA_UNIQUE_ID));
    assert_eq!(ok!(session.find(&template![CKA_UNIQUE_ID => &unique])), [object]);
    assert_eq!(ok!(session.find(&template![CKA_PROFILE_ID => CKP_PUBLIC_CERTIFICATES_TOKEN])), [object]);
    let public = template![CKA_CLASS => CKO_PROFILE, CKA_TOKEN => true, CKA_PRIVATE => false, CKA_LABEL => ""];
    assert_eq!(ok!(session.find(&public)).len(), PROFILES.len());
    assert_eq!(ok!(session.find(&template![])).len(), PROFILES.len());
    for other in [
        template![CKA_PROFILE_ID => CKP_AUTHENTICATION_TOKEN],
        template![CKA_CLASS => CKO_PROFILE, CKA_TOKEN => false],
        template![CKA_CLASS => CKO_DATA, CKA_PROFILE_ID => CKP_BASELINE_PROVIDER],
        template![CKA_CLASS => CKO_PROFILE, CKA_ID => ""],
    ] {
        assert!(ok!(session.find(&other)).is_empty());
    }
}

/// One handle in a process; one unique id wherever the token is opened, and another one after it was made anew.
fn a_profile_is_the_same_wherever_it_is_seen() {
    let token = Token::new();
    let session = token.session();
    let before = profiles(&session);
    assert_eq!(profiles(&token.session()), before);
    let ids = |session: &Session| -> Vec<_> {
        profiles(session).into_iter().map(|object| ok!(session.value(object, CKA_UNIQUE_ID))).collect()
    };
    let known = ids(&session);
    assert!(known[0] != known[1] && known[1] != known[2] && known[0] != known[2]);
    ok!(token.restart());
    assert_eq!(ids(&token.session()), known);
    ok!(token.module.close_all(token.slot));
    ok!(token.module.init_token(token.slot, SO_PIN, "another"));
    assert!(ids(&token.session()).iter().all(|id| !known.contains(id)));
}

fn a_profile_outlives_logins_and_sessions() {
    let token = Token::new();
    let session = token.user();
    let found = profiles(&session);
    ok!(session.logout());
    assert_eq!(profiles(&session), found);
    ok!(session.number(found[0], CKA_PROFILE_ID));
    ok!(session.close());
    let session = token.session();
    assert_eq!(profiles(&session), found);
    ok!(session.number(found[0], CKA_PROFILE_ID));
}

/// Sections 5.7.1, 5.7.2, 5.7.3 and 5.7.6.
fn nobody_makes_changes_copies_or_destroys_a_profile() {
    let token = Token::new();
    let user = token.user();
    let object = profile(&user, CKP_BASELINE_PROVIDER);
    let refuses = |session: &Session| {
        fails!(session.set(object, &template![CKA_LABEL => "mine"]), CKR_ACTION_PROHIBITED);
        fails!(session.copy(object, &template![CKA_TOKEN => false]), CKR_ACTION_PROHIBITED);
        fails!(session.copy(object, &template![]), CKR_ACTION_PROHIBITED);
        fails!(session.destroy(object), CKR_ACTION_PROHIBITED);
        let another = template![CKA_CLASS => CKO_PROFILE, CKA_PROFILE_ID => CKP_AUTHENTICATION_TOKEN];
        fails!(session.create(&another), CKR_ATTRIBUTE_VALUE_INVALID);
    };
    refuses(&user);
    ok!(user.logout());
    refuses(&user);
    ok!(user.login(CKU_SO, SO_PIN));
    refuses(&user);
    assert_eq!(ok!(user.value(object, CKA_LABEL)), b"");
    assert_eq!(profiles(&user).len(), PROFILES.len());
}

/// PKCS#11 Profiles 3.2, section 5.5, item 8: what the last profile promises, where programs leave `CKA_PRIVATE` alone.
fn a_certificate_is_found_before_login_with_its_key() {
    let token = Token::new();
    let session = token.user();
    let certificate = template![CKA_CLASS => CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE => CKC_X_509, CKA_TOKEN => true,
                                CKA_SUBJECT => "subject", CKA_VALUE => "value", CKA_ID => "id"];
    let certificate = ok!(session.create(&certificate));
    let stays = || template![CKA_TOKEN => true, CKA_ID => "id"];
    let curve = template![CKA_EC_PARAMS => CURVES[0].params];
    let (public, _) = ok!(session.pair(CKM_EC_KEY_PAIR_GEN, &curve.and(stays()), &stays()));
    ok!(session.logout());
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_CERTIFICATE, CKA_ID => "id"])), [certificate]);
    assert_eq!(ok!(session.find(&template![CKA_CLASS => CKO_PUBLIC_KEY, CKA_ID => "id"])), [public]);
}
