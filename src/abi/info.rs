//! The structs that tell about library, slots, tokens, mechanisms and sessions. Names never change: they sit in saved
//! PKCS#11 URIs.

use cryptoki_sys::*;

use super::memory::padded;
use crate::config::Pins;
use crate::mechanism::Mechanism;
use crate::session;
use crate::token::TokenState;

const NAME: &str = "Keystead";

/// `CK_INFO`
pub(super) fn library() -> CK_INFO {
    CK_INFO {
        cryptokiVersion: CK_VERSION { major: 3, minor: 2 },
        manufacturerID: padded(NAME),
        flags: 0,
        libraryDescription: padded("Keystead PKCS#11 token"),
        libraryVersion: version(),
    }
}

/// `CK_SLOT_INFO`. Every slot has a token, perhaps a blank one.
pub(super) fn slot(id: u64) -> CK_SLOT_INFO {
    CK_SLOT_INFO {
        slotDescription: padded(&format!("{NAME} slot {id}")),
        manufacturerID: padded(NAME),
        flags: CKF_TOKEN_PRESENT,
        hardwareVersion: version(),
        firmwareVersion: version(),
    }
}

/// `CK_TOKEN_INFO` of a token; without a state, of the blank one in this slot.
pub(super) fn token(id: u64, state: Option<&TokenState>, pins: &Pins) -> CK_TOKEN_INFO {
    let (sessions, read_write) = state.map_or((0, 0), |state| state.sessions);
    CK_TOKEN_INFO {
        label: state.map_or([b' '; 32], |state| state.label),
        manufacturerID: padded(NAME),
        model: padded(NAME),
        serialNumber: state.map_or_else(|| padded(&format!("blank-{id:010}")), |state| state.serial),
        flags: state.map_or(CKF_LOGIN_REQUIRED, token_flags),
        ulMaxSessionCount: CK_EFFECTIVELY_INFINITE,
        ulSessionCount: sessions,
        ulMaxRwSessionCount: CK_EFFECTIVELY_INFINITE,
        ulRwSessionCount: read_write,
        ulMaxPinLen: pins.max as CK_ULONG,
        ulMinPinLen: pins.min as CK_ULONG,
        ulTotalPublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulTotalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePrivateMemory: CK_UNAVAILABLE_INFORMATION,
        hardwareVersion: version(),
        firmwareVersion: version(),
        // There is no CKF_CLOCK_ON_TOKEN, so this means nothing.
        utcTime: [b' '; 16],
    }
}

/// `CK_MECHANISM_INFO`
pub(super) fn mechanism(mechanism: &Mechanism) -> CK_MECHANISM_INFO {
    let (shortest, longest) = mechanism.key_sizes();
    CK_MECHANISM_INFO { ulMinKeySize: shortest, ulMaxKeySize: longest, flags: mechanism.flags() }
}

/// `CK_SESSION_INFO`
pub(super) fn session(info: &session::Info) -> CK_SESSION_INFO {
    let read_write = if info.read_write { CKF_RW_SESSION } else { 0 };
    CK_SESSION_INFO {
        slotID: info.slot.into(),
        state: info.state,
        flags: CKF_SERIAL_SESSION | read_write,
        ulDeviceError: 0,
    }
}

/// An initialised token always asks for a login, and its randomness needs none.
fn token_flags(state: &TokenState) -> CK_FLAGS {
    let flags = [
        (true, CKF_RNG | CKF_LOGIN_REQUIRED | CKF_TOKEN_INITIALIZED | CKF_DUAL_CRYPTO_OPERATIONS),
        (state.user_pin_set, CKF_USER_PIN_INITIALIZED),
        (state.write_protected, CKF_WRITE_PROTECTED),
        (state.user.low, CKF_USER_PIN_COUNT_LOW),
        (state.user.last, CKF_USER_PIN_FINAL_TRY),
        (state.user.locked, CKF_USER_PIN_LOCKED),
        (state.so.low, CKF_SO_PIN_COUNT_LOW),
        (state.so.last, CKF_SO_PIN_FINAL_TRY),
        (state.so.locked, CKF_SO_PIN_LOCKED),
    ];
    flags.into_iter().filter(|(holds, _)| *holds).fold(0, |all, (_, flag)| all | flag)
}

/// The version of this library.
fn version() -> CK_VERSION {
    let number = |text: &str| text.parse().unwrap_or_default();
    CK_VERSION { major: number(env!("CARGO_PKG_VERSION_MAJOR")), minor: number(env!("CARGO_PKG_VERSION_MINOR")) }
}
