//! `keystead mechanism`

use cryptoki_sys::*;
use keystead::config::Settings;
use keystead::mechanism::{Mechanism, Mechanisms, Unit};
use serde::Serialize;

use crate::failure::Result;
use crate::output::{Form, Word};

pub const AFTER_HELP: &str = "\
Examples:
  keystead mechanism list";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Lists the mechanisms that every token offers
    #[command(after_help = "\
Examples:
  keystead mechanism list
  keystead mechanism list --json

Without a terminal, or in a pipe: a line each, with tabs between number, name, key sizes and uses.")]
    List,
}

/// `keystead mechanism ...`
pub fn run(command: Command, form: Form) -> Result<()> {
    match command {
        Command::List => {
            let rows: Vec<Row> = Mechanisms::new(&Settings::default()).all().iter().map(|row| Row::of(row)).collect();
            form.list(&["number", "name", "key sizes", "does"], &rows, Row::words)
        }
    }
}

#[derive(Serialize)]
struct Row {
    number: String,
    name: &'static str,
    /// Absent where there is no key.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Keys>,
    does: Vec<&'static str>,
}

/// The lengths of keys in the unit that the standard uses for the mechanism.
#[derive(Serialize)]
struct Keys {
    shortest: u64,
    longest: u64,
    unit: &'static str,
}

impl Row {
    fn of(mechanism: &Mechanism) -> Self {
        let (shortest, longest) = mechanism.key_sizes();
        let keys = mechanism.keys.as_ref().map(|keys| {
            let unit = match keys.unit {
                Unit::Bits | Unit::BitsOfBytes => "bits",
                Unit::Bytes => "bytes",
            };
            Keys { shortest, longest, unit }
        });
        let does = USES.iter().filter(|(flag, _)| mechanism.flags() & flag != 0).map(|(_, use_)| *use_).collect();
        Self { number: format!("0x{:08x}", mechanism.number), name: mechanism.name, keys, does }
    }

    fn words(&self) -> Vec<Word> {
        let sizes = self.keys.as_ref().map_or_else(
            || "no key".to_owned(),
            |Keys { shortest, longest, unit }| format!("{shortest} to {longest} {unit}"),
        );
        [self.number.clone(), self.name.to_owned(), sizes, self.does.join(", ")].iter().map(Word::plain).collect()
    }
}

/// The flags of `CK_MECHANISM_INFO` in words.
const USES: [(u64, &str); 12] = [
    (CKF_GENERATE, "generate"),
    (CKF_GENERATE_KEY_PAIR, "generate pairs"),
    (CKF_ENCRYPT, "encrypt"),
    (CKF_DECRYPT, "decrypt"),
    (CKF_WRAP, "wrap"),
    (CKF_UNWRAP, "unwrap"),
    (CKF_SIGN, "sign"),
    (CKF_VERIFY, "verify"),
    (CKF_SIGN_RECOVER, "sign to recover"),
    (CKF_VERIFY_RECOVER, "recover"),
    (CKF_DIGEST, "digest"),
    (CKF_DERIVE, "derive"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_has_its_word() {
        let known = USES.iter().fold(0, |all, (flag, _)| all | flag);
        for row in Mechanisms::new(&Settings::default()).all() {
            let of_keys = row.keys.as_ref().map_or(0, |keys| keys.flags);
            assert_eq!(row.flags() & !known & !of_keys, 0, "{}", row.name);
        }
    }
}
