//! What the store lies on gets full, cannot be written, or goes away.

use std::fs;
use std::time::Duration;

use cryptoki_sys::*;

use crate::support::*;

pub const TESTS: &[Test] = &tests![
    on_an_overlay_the_first_write_is_no_replacement,
    a_full_disk_is_a_code_and_room_mends_it,
    a_file_size_limit_is_a_code_and_no_signal,
    a_read_only_file_system_serves_reads,
    a_removed_folder_is_a_clear_code,
    a_folder_with_another_token_in_its_place_is_a_clear_code,
    a_folder_restored_in_its_place_goes_on,
];

/// A token on a small file system of its own, which is gone with this process.
fn on_small_disk() -> Token {
    let home = Home::new();
    fs::create_dir(home.store()).unwrap();
    set_mode(&home.store(), 0o700);
    if !mount_in_memory(&home.store(), 2048) {
        skip("only root can mount a small file system");
    }
    Token::new_in(home)
}

/// The first write copies a file up, and from then on it is another one there.
fn on_an_overlay_the_first_write_is_no_replacement() {
    let token = Token::new();
    let label = |number: usize| format!("key {number}");
    let session = token.user();
    for number in 0..2 {
        ok!(session.aes_key(32, token_key(&label(number))));
    }
    ok!(session.close());
    ok!(token.module.finalize());
    let upper = token.home.path().join("upper");
    fs::create_dir(&upper).unwrap();
    if !mount_overlay(&token.home.store(), &upper) {
        skip("only root can mount an overlay");
    }
    ok!(token.module.initialize());
    let session = token.user();
    works(&session, ok!(session.find(&template![CKA_LABEL => label(0).as_str()]))[0]);
    for number in 2..5 {
        ok!(session.aes_key(32, token_key(&label(number))));
        all_work(&session, &(0..=number).map(label).collect::<Vec<_>>());
    }
    ok!(token.restart());
    all_work(&token.user(), &(0..5).map(label).collect::<Vec<_>>());
}

fn a_full_disk_is_a_code_and_room_mends_it() {
    let token = on_small_disk();
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("before")));
    let filler = token.home.store().join("filler");
    let mut made = 0;
    for round in 0..3 {
        fs::write(&filler, vec![7; (1 << 20) - 300_000 * round]).unwrap();
        let code = loop {
            match session.aes_key(32, token_key("filling")) {
                Ok(_) => made += 1,
                Err(code) => break code,
            }
            assert!(made < 2_000, "the disk never got full");
        };
        assert_eq!(code, Rv(CKR_DEVICE_MEMORY));
        // Nothing is half there, reads and uses go on, and it stays full.
        let sealed = ok!(session.encrypt(&gcm(), key, b"text"));
        assert_eq!(ok!(session.decrypt(&gcm(), key, &sealed)), b"text");
        assert_eq!(ok!(session.find(&template![CKA_LABEL => "filling"])).len(), made);
        fails!(session.aes_key(32, token_key("filling")), CKR_DEVICE_MEMORY);
        let other = ok!(token.module.read_only(token.slot));
        assert_eq!(ok!(other.find(&template![CKA_LABEL => "before"])).len(), 1);

        fs::write(&filler, b"").unwrap();
        for found in ok!(session.find(&template![CKA_LABEL => "filling"])).into_iter().take(3) {
            ok!(session.destroy(found));
            made -= 1;
        }
        works(&session, ok!(session.aes_key(32, token_key("after"))));
    }
    fs::remove_file(&filler).unwrap();
    token.is_sound();
}

fn a_file_size_limit_is_a_code_and_no_signal() {
    let token = Token::new();
    let in_child = || {
        ok!(token.module.initialize());
        let session = token.user();
        let key = ok!(session.aes_key(32, token_key("before")));
        limit(libc::RLIMIT_FSIZE, 500_000);
        let mut made = 0;
        let code = loop {
            match session.aes_key(32, token_key("filling")) {
                Ok(_) => made += 1,
                Err(code) => break code,
            }
            assert!(made < 2_000, "the limit was never met");
        };
        assert_eq!(code, Rv(CKR_DEVICE_MEMORY));
        works(&session, key);
        assert_eq!(ok!(session.find(&template![CKA_LABEL => "filling"])).len(), made);
        fails!(session.aes_key(32, token_key("filling")), CKR_DEVICE_MEMORY);
        (made as u32).to_le_bytes().to_vec()
    };
    let made = u32::from_le_bytes(Forked::start(in_child).join().try_into().unwrap());
    let session = token.user();
    assert_eq!(ok!(session.find(&template![CKA_LABEL => "filling"])).len(), made as usize);
    works(&session, ok!(session.aes_key(32, token_key("after"))));
    token.is_sound();
}

fn a_read_only_file_system_serves_reads() {
    let token = on_small_disk();
    let session = token.user();
    ok!(session.aes_key(32, token_key("before")));
    ok!(token.module.finalize());
    assert!(remount_read_only(&token.home.store()));
    ok!(token.module.initialize());
    assert_ne!(token.flags() & CKF_WRITE_PROTECTED, 0);
    let session = ok!(token.module.read_only(token.slot));
    ok!(session.login(CKU_USER, USER_PIN));
    works(&session, ok!(session.find(&template![CKA_LABEL => "before"]))[0]);
    ok!(session.close());
    let session = ok!(token.module.read_write(token.slot));
    ok!(session.login(CKU_USER, USER_PIN));
    fails!(session.aes_key(32, token_key("lost")), CKR_TOKEN_WRITE_PROTECTED);
}

fn a_removed_folder_is_a_clear_code() {
    let home = Home::new();
    let log = home.log_to_file();
    let token = Token::new_in(home);
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("before")));
    fs::remove_dir_all(token.home.store()).unwrap();
    fails!(session.aes_key(32, token_key("lost")), CKR_DEVICE_ERROR);
    std::thread::sleep(Duration::from_millis(150));
    fails!(session.encrypt(&gcm(), key, b"text"), CKR_DEVICE_ERROR);
    let said = fs::read_to_string(log).unwrap();
    assert!(said.contains("cannot look at") && said.contains("slot-00000000.db"), "{said}");
    assert!(!token.home.store().exists(), "no folder is made where one was removed");
    // A new life begins with a blank slot.
    ok!(token.restart());
    let slot = Token::make(&token.module, "anew");
    ok!(ok!(token.module.read_write(slot)).login(CKU_USER, USER_PIN));
}

fn a_folder_with_another_token_in_its_place_is_a_clear_code() {
    let other = Token::new();
    ok!(other.module.finalize());
    let token = Token::new();
    let session = token.user();
    let key = ok!(session.aes_key(32, token_key("before")));
    fs::rename(token.home.store(), token.home.path().join("aside")).unwrap();
    fs::rename(other.home.store(), token.home.store()).unwrap();
    fails!(session.aes_key(32, token_key("lost")), CKR_SESSION_HANDLE_INVALID);
    fails!(session.encrypt(&gcm(), key, b"text"), CKR_SESSION_HANDLE_INVALID);
    ok!(token.restart());
    let session = token.user();
    assert!(ok!(session.find(&template![CKA_CLASS => CKO_SECRET_KEY])).is_empty(), "that is the other token");
    token.is_sound();
}

/// The same token from a copy: what was written after the copy is gone, and what is written now is not lost.
fn a_folder_restored_in_its_place_goes_on() {
    let token = Token::new();
    ok!(token.user().aes_key(32, token_key("before")));
    ok!(token.module.finalize());
    let copy = token.home.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(token.home.store()).unwrap().flatten() {
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    ok!(token.module.initialize());
    let session = token.user();
    ok!(session.aes_key(32, token_key("not in the copy")));
    fs::rename(token.home.store(), token.home.path().join("aside")).unwrap();
    fs::rename(&copy, token.home.store()).unwrap();
    ok!(session.aes_key(32, token_key("after")));
    for (label, count) in [("before", 1), ("not in the copy", 0), ("after", 1)] {
        assert_eq!(ok!(session.find(&template![CKA_LABEL => label])).len(), count, "{label}");
    }
    token.is_sound();
}
