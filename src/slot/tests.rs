//! What slots show when the folder fails.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::config::Settings;
use crate::key::Login;
use crate::session::Sessions;
use crate::store::memory::MemoryFolder;
use crate::store::{Check, Item, Store};

/// A folder that sometimes cannot be listed.
struct Flaky {
    inner: MemoryFolder,
    fails: Arc<AtomicBool>,
}

impl Folder for Flaky {
    fn slots(&self) -> Result<Vec<u32>> {
        if self.fails.load(Ordering::SeqCst) { Err(Error::HostMemory("descriptors")) } else { self.inner.slots() }
    }

    fn next_slot(&self) -> Result<u32> {
        self.inner.next_slot()
    }

    fn create(&self, slot: u32, token: &[u8], digest: &[u8]) -> Result<bool> {
        self.inner.create(slot, token, digest)
    }

    fn remove(&self, slot: u32, check: Option<&Check>) -> Result<bool> {
        self.inner.remove(slot, check)
    }

    fn owns(&self, slot: u32) -> Result<()> {
        self.inner.owns(slot)
    }

    fn restore(&self, slot: u32, items: &mut dyn FnMut() -> Result<Option<Item>>) -> Result<bool> {
        self.inner.restore(slot, items)
    }

    fn set_aside(&self, next: u32) -> Result<()> {
        self.inner.set_aside(next)
    }

    fn open(&self, slot: u32) -> Result<Arc<dyn Store>> {
        self.inner.open(slot)
    }

    fn usable(&self) -> Result<()> {
        self.inner.usable()
    }
}

fn slots() -> (Arc<AtomicBool>, Slots) {
    let fails = Arc::new(AtomicBool::new(false));
    let mut settings = Settings::default();
    (settings.pin.memory_kib, settings.pin.passes) = (8, 1);
    let config = Config::for_store("/nowhere".into(), settings);
    let folder = Flaky { inner: MemoryFolder::new(), fails: Arc::clone(&fails) };
    (fails, Slots::with_folder(config, Some(Box::new(folder))))
}

fn token(slots: &Slots) -> Arc<Token> {
    match slots.find(0).unwrap() {
        Found::Token(token) => token,
        Found::Blank => unreachable!("slot 0 was initialised"),
    }
}

#[test]
fn a_listing_that_fails_forgets_no_token() {
    let (fails, slots) = slots();
    slots.init_token(0, b"so pin", [b' '; 32]).unwrap();
    assert_eq!(slots.list(true), [0]);
    let sessions = Sessions::new();
    let session = sessions.open(0, token(&slots), true).unwrap();
    sessions.login(session, Login::So, b"so pin").unwrap();
    fails.store(true, Ordering::SeqCst);
    assert_eq!(slots.list(true), [0]);
    fails.store(false, Ordering::SeqCst);
    assert_eq!(slots.list(true), [0]);
    assert_eq!(token(&slots).logged_in(), Login::So, "it is the same token");
    assert_eq!(slots.init_token(0, b"so pin", [b' '; 32]), Err(Error::SessionExists));
}

#[test]
fn events_tell_of_tokens_that_others_make() {
    let (_, slots) = slots();
    assert_eq!(slots.wait_for_event(false), Err(Error::NoEvent));
    slots.init_token(slots.list(true).first().copied().unwrap().into(), b"so pin", [b' '; 32]).unwrap();
    assert_eq!(slots.wait_for_event(false), Err(Error::NoEvent), "our own is no event");
    let pins = slots.pins();
    let beginning = Beginning { so_pin: b"so pin", label: [b' '; 32], maskable: false, host_key: None };
    Token::create(slots.folder.as_deref().unwrap(), 1, pins, &beginning).unwrap();
    assert_eq!(slots.wait_for_event(true), Ok(1));
    assert_eq!(slots.wait_for_event(false), Err(Error::NoEvent));
}

#[test]
fn closing_ends_a_wait() {
    let (_, slots) = slots();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| slots.wait_for_event(true));
        slots.close();
        assert_eq!(waiting.join().unwrap(), Err(Error::NotInitialized));
    });
    assert_eq!(slots.find(0).err(), Some(Error::NotInitialized));
    assert!(slots.list(true).is_empty());
}
