//! One library instance as a value: what `C_Initialize` opens and `C_Finalize` ends. The command opens its own.

use crate::config::Config;
use crate::crypto;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::log::Log;
use crate::mechanism::Mechanisms;
use crate::session::Sessions;
use crate::slot::{Found, Slots};

/// Slots and sessions of one configuration.
pub struct Module {
    log: Log,
    mechanisms: Mechanisms,
    slots: Slots,
    sessions: Sessions,
}

impl Module {
    /// Opens the folder of tokens, but no token.
    pub fn open(config: Config) -> Result<Self> {
        // Before the host enters a sandbox: what cannot be had now will not be had later.
        crypto::first_draw()?;
        let log = config.log.clone();
        let mechanisms = Mechanisms::new(&config.settings);
        Ok(Self { log, mechanisms, slots: Slots::new(config), sessions: Sessions::new() })
    }

    /// The mechanisms, the same for every token.
    pub fn mechanisms(&self) -> &Mechanisms {
        &self.mechanisms
    }

    /// The slots.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Where lines for people go.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// `C_OpenSession`
    pub fn open_session(&self, slot: u64, read_write: bool) -> Result<Handle> {
        let token = match self.slots.find(slot)? {
            Found::Token(token) => token,
            Found::Blank => return Err(Error::TokenNotRecognized("it has not been initialised".into())),
        };
        let slot = u32::try_from(slot).map_err(|_| Error::SlotIdInvalid)?;
        self.sessions.open(slot, token, read_write)
    }

    /// `C_CloseAllSessions`
    pub fn close_all_sessions(&self, slot: u64) -> Result<()> {
        self.slots.check(slot)?;
        self.sessions.close_slot(u32::try_from(slot).map_err(|_| Error::SlotIdInvalid)?);
        Ok(())
    }

    /// `C_Finalize`: ends sessions and logins and closes the tokens. Calls in flight finish or get a code.
    pub fn finalize(&self) {
        self.sessions.end();
        self.slots.close();
    }
}
