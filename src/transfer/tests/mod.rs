//! Tokens in memory that share a domain, and what somebody between them can do.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod bundles;
mod comparisons;
mod conversations;
mod domains;
mod kit;
mod liars;
mod rules;

use std::sync::Arc;

use cryptoki_sys::*;

use super::{Answer, Domain, DomainId, DomainName, Lifetime, Replica, Request};
use crate::config::Pins;
use crate::handle::Handle;
use crate::key::{Caller, Login};
use crate::log::Log;
use crate::object::attribute::CKA_KEYSTEAD_MASKABLE;
use crate::object::{Draft, Given, New, Template, Way};
use crate::store::memory::MemoryFolder;
use crate::store::{Folder, ObjectId};
use crate::token::{Beginning, Portable, Token};

const PINS: Pins = Pins { min: 4, max: 255, user_tries: 10, so_tries: 10, memory_kib: 8, passes: 1, lanes: 1 };
const SO_PIN: &[u8] = b"so pin";
const PIN: &[u8] = b"user pin";

/// A token with the user logged in.
pub struct Sibling {
    pub token: Arc<Token>,
    pub caller: Caller,
    pub domain: DomainId,
}

/// Two tokens of one domain.
pub fn siblings() -> [Sibling; 2] {
    let first = alone();
    let (token, caller) = member();
    let request = Request::make(&token, &caller, Lifetime::DEFAULT).unwrap();
    let granting = first.token.approve(SO_PIN).unwrap();
    let domain = Domain::find(&first.token, &first.caller, first.domain).unwrap();
    let answer = Answer::make(&first.token, &first.caller, &granting, &domain, &request).unwrap();
    let joining = token.approve(SO_PIN).unwrap();
    let name = DomainName::parse("production").unwrap();
    answer.open(&token, &caller).unwrap().accept(&token, &caller, &joining, &name).unwrap();
    let second = Sibling { token, caller, domain: first.domain };
    [first, second]
}

/// A token in a domain of its own.
pub fn alone() -> Sibling {
    let (token, caller) = member();
    let approval = token.approve(SO_PIN).unwrap();
    let name = DomainName::parse("production").unwrap();
    let domain = Domain::create(&token, &caller, &approval, &name).unwrap().id();
    Sibling { token, caller, domain }
}

fn member() -> (Arc<Token>, Caller) {
    let folder = MemoryFolder::new();
    let beginning = Beginning { so_pin: SO_PIN, label: [b' '; 32], maskable: true, host_key: None };
    assert!(Token::create(&folder, 0, &PINS, &beginning).unwrap());
    let token = Token::open(folder.open(0).unwrap(), &PINS.into(), Log::default(), None).unwrap();
    token.open_session(true).unwrap();
    token.login(Login::So, SO_PIN).unwrap();
    token.init_user_pin(PIN).unwrap();
    token.logout(|| ()).unwrap();
    token.login(Login::User, PIN).unwrap();
    let caller = token.caller(true);
    (token, caller)
}

impl Sibling {
    /// The token as a side, of this moment.
    pub fn replica(&self) -> Replica {
        let domain = Domain::find(&self.token, &self.caller, self.domain).unwrap();
        Replica::new(Arc::clone(&self.token), self.caller, domain)
    }

    /// A key that is nowhere yet.
    pub fn made(&self, label: &str) -> New {
        let (class, aes) = (CKO_SECRET_KEY.to_ne_bytes(), CKK_AES.to_ne_bytes());
        let given = [
            (CKA_CLASS, &class[..]),
            (CKA_KEY_TYPE, &aes),
            (CKA_TOKEN, &[1]),
            (CKA_KEYSTEAD_MASKABLE, &[1]),
            (CKA_LABEL, label.as_bytes()),
            (CKA_VALUE, &[label.len() as u8; 32]),
        ];
        let given = given.map(|(number, value)| Given::new(number, value));
        let template = Template::parse(&given, Way::Create).unwrap();
        Draft::new(template, self.token.basis(&self.caller)).finish().unwrap()
    }

    /// Puts a key in.
    pub fn key(&self, label: &str) -> ObjectId {
        let new = self.made(label);
        let id = new.0.id;
        self.token.insert(&self.caller, Handle::NONE, [new]).unwrap();
        id
    }

    /// Puts three keys in.
    pub fn three(&self) -> [ObjectId; 3] {
        ["one", "two", "three"].map(|label| self.key(label))
    }

    /// The label of a key, if it is there.
    pub fn label(&self, id: ObjectId) -> Option<String> {
        self.replica().label(id)
    }

    /// How many keys there are, beside that of the domain.
    pub fn keys(&self) -> usize {
        self.token.ids(None, 10_000).unwrap().len() - 1
    }

    /// Gives a key another label.
    pub fn rename(&self, id: ObjectId, label: &str) {
        let handle = self.token.handle_by_id(id);
        self.token.change(&self.caller, handle, &[Given::new(CKA_LABEL, label.as_bytes())]).unwrap();
    }

    /// Destroys a key.
    pub fn destroy(&self, id: ObjectId) {
        self.token.destroy(&self.caller, self.token.handle_by_id(id)).unwrap();
        assert!(matches!(self.token.portable(id), Ok(Portable::Tombstone { .. })));
    }
}
