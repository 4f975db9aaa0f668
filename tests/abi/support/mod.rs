//! What the suites stand on: a process for each test, the module behind its C function table, stores to throw away,
//! peers on the same store, and host programs in C. All `unsafe` of the suites is in here.

// Macros first: what stands below sees them.
#[macro_use]
mod rv;
#[macro_use]
mod trial;
#[macro_use]
mod template;
#[macro_use]
mod module;
#[macro_use]
mod process;

mod bench;
mod curve;
mod dual;
mod hashes;
mod home;
mod host;
mod in_place;
mod mechanism;
mod null;
mod object;
mod openssl;
mod operation;
mod pair;
mod pkcs11_tool;
mod records;
mod recover;
mod rsa;
mod session;
mod signature;
mod system;
mod table;
mod tally;
mod token;
mod token_key;
mod tool;
mod tour;

pub use bench::{Bench, Case, cbc, cbc_pad, ctr, ecb, gcm, message};
pub use curve::{
    CURVES, Curve, ED25519, X25519, ed25519_private, ed25519_public, octet_string, octets, padded, printable,
    x25519_private,
};
pub use dual::Dual;
pub use hashes::{HASHES, Hash, hashes};
pub use home::{Config, Home};
pub use host::Host;
pub use in_place::GUARD;
pub use mechanism::Mechanism;
pub use module::{Module, initialize_args};
pub use openssl::{Openssl, der_signature, ed25519_pkcs8, point_of, raw_signature};
pub use operation::{Decrypt, Digest, Encrypt, Operation, Sign};
pub use pkcs11_tool::Tool;
pub use process::{Forked, Peer, arguments, end_after, hear, say, tell};
pub use records::{Record, records};
pub use rsa::{RsaKey, RsaPair};
pub use rv::{GONE, Result, Rv};
pub use session::Session;
pub use signature::SignatureHash;
pub use system::{
    become_nobody, become_user, change_root, close_all_but_standard_streams, close_standard_streams, closed_on_exec,
    descriptors, enter_sandbox, in_a_thread, is_root, limit, locale, make_setuid_of_nobody, mount_in_memory,
    mount_overlay, open_to_all, remount_read_only, set_locale, set_mode, set_variable, umask, with_interrupting_timer,
    with_umask,
};
pub use table::{Entry, FUNCTIONS, Table, call_blank};
pub use tally::{Outcome, Tally};
pub use template::Template;
pub use token::{LABEL, SO_PIN, Token, USER_PIN};
pub use token_key::{all_work, token_key, works};
pub use tool::{contains, files, hex, libcrypto_gcm_open, openssl_enc, output, python_kdf, run, unhex};
pub use tour::{make_token_again, tour};
pub use trial::{Test, main, report, rounds, skip};
