//! The options that say where PINs are.

use std::path::{Path, PathBuf};

use super::{Role, Wanted};

/// The options that name sources of the SO's PIN and the user's.
#[derive(clap::Args)]
pub struct Sources {
    #[command(flatten)]
    so: SoSource,

    #[command(flatten)]
    user: UserSource,
}

/// The options that name a source of the SO's PIN.
#[derive(clap::Args)]
pub struct SoSource {
    /// Takes the SO PIN from the first line of FILE; - is standard input
    #[arg(long, value_name = "FILE")]
    so_pin_file: Option<PathBuf>,

    /// Takes the SO PIN from the environment variable VAR [default: KEYSTEAD_SO_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "so_pin_file")]
    so_pin_env: Option<String>,
}

/// The options that name a source of the user's PIN.
#[derive(clap::Args)]
pub struct UserSource {
    /// Takes the user PIN from the first line of FILE; - is standard input, after the SO PIN if that is there too
    #[arg(long, value_name = "FILE")]
    user_pin_file: Option<PathBuf>,

    /// Takes the user PIN from the environment variable VAR [default: KEYSTEAD_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "user_pin_file")]
    user_pin_env: Option<String>,
}

/// The options that name sources of a PIN and of the one that takes its place.
#[derive(clap::Args)]
pub struct ChangeSources {
    /// Takes the PIN as it is from the first line of FILE; - is standard input
    #[arg(long, value_name = "FILE")]
    old_pin_file: Option<PathBuf>,

    /// Takes the PIN as it is from the environment variable VAR [default: KEYSTEAD_PIN, with --so KEYSTEAD_SO_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "old_pin_file")]
    old_pin_env: Option<String>,

    /// Takes the new PIN from the first line of FILE; - is standard input, after the old PIN if that is there too
    #[arg(long, value_name = "FILE")]
    new_pin_file: Option<PathBuf>,

    /// Takes the new PIN from the environment variable VAR [default: KEYSTEAD_NEW_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "new_pin_file")]
    new_pin_env: Option<String>,
}

/// The options that name sources of the two PINs of another token, which lets this one into a domain.
#[derive(clap::Args)]
pub struct FromSources {
    /// Takes the SO PIN of the other token from the first line of FILE; - is standard input, after the PINs of this one
    #[arg(long, value_name = "FILE")]
    from_so_pin_file: Option<PathBuf>,

    /// Takes the SO PIN of the other token from the environment variable VAR [default: KEYSTEAD_FROM_SO_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "from_so_pin_file")]
    from_so_pin_env: Option<String>,

    #[command(flatten)]
    user: FromUserSource,
}

/// The options that name a source of the user's PIN of another token, which something comes from.
#[derive(clap::Args)]
pub struct FromUserSource {
    /// Takes the user PIN of the other token from the first line of FILE; - is standard input, after its SO PIN if that is there too
    #[arg(long, value_name = "FILE")]
    from_user_pin_file: Option<PathBuf>,

    /// Takes the user PIN of the other token from the environment variable VAR [default: KEYSTEAD_FROM_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "from_user_pin_file")]
    from_user_pin_env: Option<String>,
}

impl Sources {
    /// Whether standard input is to hold one of the PINs.
    pub fn use_standard_input(&self) -> bool {
        [&self.so.so_pin_file, &self.user.user_pin_file].into_iter().any(|file| file.as_deref() == Some(Path::new("-")))
    }

    /// The SO's PIN.
    pub fn so(&self) -> Wanted<'_> {
        self.so.pin()
    }

    /// The user's PIN.
    pub fn user(&self) -> Wanted<'_> {
        self.user.pin()
    }
}

impl SoSource {
    /// The SO's PIN.
    pub fn pin(&self) -> Wanted<'_> {
        Wanted {
            name: Role::So.name(),
            option: "--so-pin-file",
            default: Role::So.default_variable(),
            file: self.so_pin_file.as_deref(),
            variable: self.so_pin_env.as_deref(),
        }
    }
}

impl UserSource {
    /// The user's PIN.
    pub fn pin(&self) -> Wanted<'_> {
        Wanted {
            name: Role::User.name(),
            option: "--user-pin-file",
            default: Role::User.default_variable(),
            file: self.user_pin_file.as_deref(),
            variable: self.user_pin_env.as_deref(),
        }
    }

    /// Whether standard input is to hold the PIN.
    pub fn is_standard_input(&self) -> bool {
        self.user_pin_file.as_deref() == Some(Path::new("-"))
    }

    /// Whether an option says where the PIN is.
    pub fn is_named(&self) -> bool {
        self.user_pin_file.is_some() || self.user_pin_env.is_some()
    }
}

impl ChangeSources {
    /// The PIN as it is.
    pub fn old(&self, role: Role) -> Wanted<'_> {
        Wanted {
            name: role.name(),
            option: "--old-pin-file",
            default: role.default_variable(),
            file: self.old_pin_file.as_deref(),
            variable: self.old_pin_env.as_deref(),
        }
    }

    /// The PIN that takes its place.
    pub fn new_one(&self, role: Role) -> Wanted<'_> {
        Wanted {
            name: role.name(),
            option: "--new-pin-file",
            default: "KEYSTEAD_NEW_PIN",
            file: self.new_pin_file.as_deref(),
            variable: self.new_pin_env.as_deref(),
        }
    }
}

impl FromSources {
    /// The SO's PIN of the other token.
    pub fn so(&self) -> Wanted<'_> {
        Wanted {
            name: "SO PIN of the other token",
            option: "--from-so-pin-file",
            default: "KEYSTEAD_FROM_SO_PIN",
            file: self.from_so_pin_file.as_deref(),
            variable: self.from_so_pin_env.as_deref(),
        }
    }

    /// The user's PIN of the other token.
    pub fn user(&self) -> Wanted<'_> {
        self.user.pin()
    }
}

impl FromUserSource {
    /// The user's PIN of the other token.
    pub fn pin(&self) -> Wanted<'_> {
        Wanted {
            name: "user PIN of the other token",
            option: "--from-user-pin-file",
            default: "KEYSTEAD_FROM_PIN",
            file: self.from_user_pin_file.as_deref(),
            variable: self.from_user_pin_env.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{Source, Surroundings};
    use super::*;

    const NOBODY: Surroundings = Surroundings { default_is_set: false, terminal: false };

    #[test]
    fn an_option_wins_over_the_default_variable_and_that_over_the_prompt() {
        let all = Surroundings { default_is_set: true, terminal: true };
        let terminal = Surroundings { default_is_set: false, terminal: true };
        let choose = |file: Option<&str>, variable: Option<&str>, around| {
            let source = SoSource { so_pin_file: file.map(Into::into), so_pin_env: variable.map(Into::into) };
            Source::choose(&source.pin(), around).unwrap()
        };
        assert_eq!(choose(Some("pins/so"), None, &all), Source::File("pins/so".into()));
        assert_eq!(choose(Some("-"), None, &all), Source::StandardInput);
        assert_eq!(choose(None, Some("OTHER"), &all), Source::Variable("OTHER".into()));
        assert_eq!(choose(None, None, &all), Source::Variable("KEYSTEAD_SO_PIN".into()));
        assert_eq!(choose(None, None, &terminal), Source::Prompt);
    }

    #[test]
    fn with_nobody_to_ask_the_ways_out_are_named() {
        let so = SoSource { so_pin_file: None, so_pin_env: None };
        let user = UserSource { user_pin_file: None, user_pin_env: None };
        let change = ChangeSources { old_pin_file: None, old_pin_env: None, new_pin_file: None, new_pin_env: None };
        for (wanted, words) in [
            (so.pin(), ["SO PIN", "--so-pin-file", "KEYSTEAD_SO_PIN"]),
            (user.pin(), ["user PIN", "--user-pin-file", "KEYSTEAD_PIN"]),
            (change.old(Role::So), ["SO PIN", "--old-pin-file", "KEYSTEAD_SO_PIN"]),
            (change.new_one(Role::User), ["user PIN", "--new-pin-file", "KEYSTEAD_NEW_PIN"]),
        ] {
            let sentence = Source::choose(&wanted, &NOBODY).unwrap_err().to_string();
            assert!(words.iter().all(|word| sentence.contains(word)), "{sentence}");
        }
    }
}
