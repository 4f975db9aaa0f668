//! A tour through everything that the module does, for tests about the circumstances in which it is done.

use cryptoki_sys::*;

use super::{
    Digest, Encrypt, Hash, LABEL, Mechanism, Module, Operation, SO_PIN, Session, Sign, Token, USER_PIN, hashes,
};

/// Every key generation, cipher, MAC, digest and wrapping, with login and objects, in a slot with a token that has both
/// PINs and no session open.
pub fn tour(module: &Module, slot: CK_SLOT_ID) {
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_USER, USER_PIN));
    ok!(session.set_pin(USER_PIN, "another-pin"));
    ok!(session.set_pin("another-pin", USER_PIN));
    ok!(session.random(100));
    for length in [16, 24, 32] {
        ciphers(&session, length);
        wrapping(&session, length);
    }
    digests_and_macs(&session);
    objects(&session);
    ok!(session.logout());
    ok!(session.close());
}

/// The making of a token, with both PINs and another label, in the same slot; then back to the usual label.
pub fn make_token_again(module: &Module, slot: CK_SLOT_ID) {
    ok!(module.init_token(slot, SO_PIN, LABEL));
    let slot = Token::find(module, LABEL);
    let session = ok!(module.read_write(slot));
    ok!(session.login(CKU_SO, SO_PIN));
    ok!(session.init_pin(USER_PIN));
    ok!(session.set_pin(SO_PIN, "another-so-pin"));
    ok!(session.set_pin("another-so-pin", SO_PIN));
    ok!(session.close());
}

fn ciphers(session: &Session, length: CK_ULONG) {
    let usage =
        template![CKA_TOKEN => true, CKA_ENCRYPT => true, CKA_DECRYPT => true, CKA_SIGN => true, CKA_VERIFY => true];
    let key = ok!(session.aes_key(length, usage));
    let data = [0x5a; 4096];
    let modes = [
        Mechanism::plain(CKM_AES_ECB),
        Mechanism::ctr(128, &[4; 16]),
        Mechanism::with(CKM_AES_CBC, &[1; 16]),
        Mechanism::with(CKM_AES_CBC_PAD, &[2; 16]),
        Mechanism::gcm(&[3; 12], b"context", 128),
    ];
    for mode in &modes {
        let sealed = ok!(session.encrypt(mode, key, &data));
        assert_ne!(sealed, data);
        assert_eq!(ok!(Encrypt::parts(session, mode, key, data.chunks(1000))), sealed);
        assert_eq!(ok!(session.decrypt(mode, key, &sealed)), data);
    }
    let mac = ok!(session.sign(&Mechanism::plain(CKM_AES_CMAC), key, &data));
    assert_eq!(ok!(Sign::parts(session, &Mechanism::plain(CKM_AES_CMAC), key, data.chunks(99))), mac);
    ok!(session.verify(&Mechanism::plain(CKM_AES_CMAC), key, &data, &mac));
    ok!(session.destroy(key));
}

fn wrapping(session: &Session, length: CK_ULONG) {
    let wrapper = ok!(session.aes_key(length, template![CKA_WRAP => true, CKA_UNWRAP => true]));
    let plain = ok!(session.aes_key(length, template![CKA_EXTRACTABLE => true]));
    for number in [CKM_AES_KEY_WRAP, wrap_with_padding()] {
        let mechanism = Mechanism::plain(number);
        let wrapped = ok!(session.wrap(&mechanism, wrapper, plain));
        let class = template![CKA_CLASS => CKO_SECRET_KEY, CKA_KEY_TYPE => CKK_AES, CKA_EXTRACTABLE => true];
        let back = ok!(session.unwrap(&mechanism, wrapper, &wrapped, &class));
        assert_eq!(ok!(session.wrap(&mechanism, wrapper, back)), wrapped);
    }
}

fn digests_and_macs(session: &Session) {
    let data = [0xa5; 1000];
    let usage = template![CKA_VALUE_LEN => 64 as CK_ULONG, CKA_SIGN => true, CKA_VERIFY => true];
    let key = ok!(session.generate(&Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN), &usage));
    for Hash { digest, hmac, hmac_general, .. } in hashes() {
        let whole = ok!(session.digest(*digest, &data));
        assert_eq!(ok!(Digest::parts(session, &Mechanism::plain(*digest), 0, data.chunks(33))), whole);
        let mac = ok!(session.sign(&Mechanism::plain(*hmac), key, &data));
        ok!(session.verify(&Mechanism::plain(*hmac), key, &data, &mac));
        if !Module::is_softhsm() {
            ok!(session.verify(&Mechanism::words(*hmac_general, &[8]), key, &data, &mac[..8]));
        }
    }
}

fn objects(session: &Session) {
    let data = template![
        CKA_CLASS => CKO_DATA, CKA_TOKEN => true, CKA_PRIVATE => true, CKA_LABEL => "tour", CKA_VALUE => "data"
    ];
    let object = ok!(session.create(&data));
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "tour"])), [object]);
    assert_eq!(ok!(session.value(object, CKA_VALUE)), b"data");
    ok!(session.destroy(object));
}

/// RFC 5649: `CKM_AES_KEY_WRAP_KWP`; SoftHSM2 has the older number of the same.
fn wrap_with_padding() -> CK_MECHANISM_TYPE {
    if Module::is_softhsm() { CKM_AES_KEY_WRAP_PAD } else { CKM_AES_KEY_WRAP_KWP }
}
