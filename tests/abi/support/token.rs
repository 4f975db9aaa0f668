//! A token ready for use, where a suite is not about how it is made.

use cryptoki_sys::*;

use super::{Config, Home, Module, Result, Session};

/// The SO's PIN of tokens that the suites make.
pub const SO_PIN: &str = "so-pin-8642";
/// The user's PIN of tokens that the suites make.
pub const USER_PIN: &str = "user-pin-1357";
/// The label of tokens that the suites make.
pub const LABEL: &str = "suite";

/// A home, the initialised module, and the slot of a token with both PINs set and no session open.
pub struct Token {
    /// Where the token is.
    pub home: Home,
    /// The module.
    pub module: Module,
    /// The token's slot.
    pub slot: CK_SLOT_ID,
}

impl Token {
    /// A token in a home of its own.
    pub fn new() -> Token {
        Token::with(Config::default())
    }

    /// A token on which RSA keys of 1024 bits serve too.
    pub fn with_rsa_1024() -> Token {
        Token::with(Config { rsa_1024: true, ..Config::default() })
    }

    /// A token in a home with this configuration.
    pub fn with(config: Config) -> Token {
        Token::new_in(Home::with(config))
    }

    /// A token in this home, which this process uses from now on.
    pub fn new_in(home: Home) -> Token {
        home.enter();
        let module = Module::load();
        ok!(module.initialize());
        let mut slot = Token::make(&module, LABEL);
        if Module::is_softhsm() {
            // It gives a token another slot at the next C_Initialize, and then keeps it.
            ok!(module.finalize());
            ok!(module.initialize());
            slot = Token::find(&module, LABEL);
        }
        Token { home, module, slot }
    }

    /// Makes a token with both PINs in the last slot, which is blank, and gives its slot.
    pub fn make(module: &Module, label: &str) -> CK_SLOT_ID {
        let blank = *ok!(module.slots(true)).last().expect("a slot with a blank token");
        ok!(module.init_token(blank, SO_PIN, label));
        let slot = Token::find(module, label);
        let session = ok!(module.read_write(slot));
        ok!(session.login(CKU_SO, SO_PIN));
        ok!(session.init_pin(USER_PIN));
        ok!(session.close());
        slot
    }

    /// The slot of the token of that label, by a new list.
    pub fn find(module: &Module, label: &str) -> CK_SLOT_ID {
        let of_label = |slot: &CK_SLOT_ID| match module.token_info(*slot) {
            Ok(info) => String::from_utf8_lossy(&info.label).trim_end() == label,
            Err(_) => false,
        };
        ok!(module.slots(true)).into_iter().find(of_label).expect("the token is in the list")
    }

    /// A read-write session with the user logged in.
    pub fn user(&self) -> Session {
        let session = ok!(self.module.read_write(self.slot));
        ok!(session.login(CKU_USER, USER_PIN));
        session
    }

    /// A read-write session without a login of its own.
    pub fn session(&self) -> Session {
        ok!(self.module.read_write(self.slot))
    }

    /// The flags of the token now.
    pub fn flags(&self) -> CK_FLAGS {
        ok!(self.module.token_info(self.slot)).flags
    }

    /// In a peer of a test that made a token: the module, initialised, and the token's slot.
    pub fn in_peer() -> (Module, CK_SLOT_ID) {
        let module = Module::load();
        ok!(module.initialize());
        let slot = Token::find(&module, LABEL);
        (module, slot)
    }

    /// A new process: finalises and initialises again. The outcome of the second.
    pub fn restart(&self) -> Result {
        ok!(self.module.finalize());
        self.module.initialize()
    }

    /// SQLite's own check of the database, with no session of this process on it.
    pub fn is_sound(&self) {
        ok!(self.module.finalize());
        let database = rusqlite::Connection::open(self.home.database()).expect("the database");
        let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
        assert_eq!(verdict, "ok");
    }
}
