//! Where PINs come from: a file, the environment or a prompt, and never the argument list, which every user of the
//! machine can read.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use keystead::config::Pins;
use keystead::secret::Secret;

use crate::failure::{Failure, Result};

/// The options that name sources of PINs.
#[derive(clap::Args)]
pub struct Sources {
    /// Takes the SO PIN from the first line of FILE; - is standard input
    #[arg(long, value_name = "FILE")]
    so_pin_file: Option<PathBuf>,

    /// Takes the SO PIN from the environment variable VAR [default: KEYSTEAD_SO_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "so_pin_file")]
    so_pin_env: Option<String>,

    /// Takes the user PIN from the first line of FILE; - is standard input, after the SO PIN if that is there too
    #[arg(long, value_name = "FILE")]
    user_pin_file: Option<PathBuf>,

    /// Takes the user PIN from the environment variable VAR [default: KEYSTEAD_PIN, if it is set]
    #[arg(long, value_name = "VAR", conflicts_with = "user_pin_file")]
    user_pin_env: Option<String>,
}

/// Whose PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The security officer's.
    So,
    /// The user's.
    User,
}

impl Sources {
    /// A PIN that exists already.
    pub fn existing(&self, role: Role) -> Result<Secret> {
        let pin = self.source(role)?.read(role, |prompt| typed(&format!("{prompt}: ")))?;
        if pin.is_empty() {
            return Err(Failure::new(format!("the {} is empty", role.name())));
        }
        Ok(pin)
    }

    /// A new PIN, of a length that the configuration allows; from a terminal, typed twice.
    pub fn new_pin(&self, role: Role, pins: &Pins) -> Result<Secret> {
        let allowed = |pin: &Secret| {
            pins.check_new(pin.expose()).map_err(|_| {
                let Pins { min, max, .. } = pins;
                Failure::new(format!("the {} has {} bytes and must have {min} to {max}", role.name(), pin.len()))
            })
        };
        let pin = self.source(role)?.read(role, |prompt| {
            let pin = typed(&format!("New {prompt}: "))?;
            allowed(&pin)?;
            if typed(&format!("New {prompt}, again: "))? == pin {
                return Ok(pin);
            }
            Err(Failure::new(format!("the two entries of the {} differ", role.name())).with_next("start again"))
        })?;
        allowed(&pin).map(|()| pin)
    }

    fn source(&self, role: Role) -> Result<Source> {
        let (file, variable) = match role {
            Role::So => (&self.so_pin_file, &self.so_pin_env),
            Role::User => (&self.user_pin_file, &self.user_pin_env),
        };
        let surroundings = Surroundings {
            default_is_set: std::env::var_os(role.default_variable()).is_some(),
            terminal: io::stdin().is_terminal(),
        };
        Source::choose(role, file.as_deref(), variable.as_deref(), &surroundings)
    }
}

impl Role {
    /// In sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::So => "SO PIN",
            Self::User => "user PIN",
        }
    }

    fn default_variable(self) -> &'static str {
        match self {
            Self::So => "KEYSTEAD_SO_PIN",
            Self::User => "KEYSTEAD_PIN",
        }
    }

    fn file_option(self) -> &'static str {
        match self {
            Self::So => "--so-pin-file",
            Self::User => "--user-pin-file",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    StandardInput,
    File(PathBuf),
    Variable(String),
    Prompt,
}

/// What the choice depends on beside the options.
struct Surroundings {
    default_is_set: bool,
    terminal: bool,
}

impl Source {
    /// The option first, then the default variable, then whoever sits at the terminal.
    fn choose(role: Role, file: Option<&Path>, variable: Option<&str>, around: &Surroundings) -> Result<Self> {
        match (file, variable) {
            (Some(file), _) if file == Path::new("-") => Ok(Self::StandardInput),
            (Some(file), _) => Ok(Self::File(file.to_owned())),
            (None, Some(variable)) => Ok(Self::Variable(variable.to_owned())),
            (None, None) if around.default_is_set => Ok(Self::Variable(role.default_variable().to_owned())),
            (None, None) if around.terminal => Ok(Self::Prompt),
            (None, None) => {
                let (name, option, default) = (role.name(), role.file_option(), role.default_variable());
                let failure = Failure::new(format!("there is no terminal to ask for the {name}"));
                Err(failure.with_next(format!("pass {option} FILE or set {default}")))
            }
        }
    }

    fn read(self, role: Role, prompt: impl FnOnce(&str) -> Result<Secret>) -> Result<Secret> {
        let unreadable =
            |place: String, error| Failure::of(format!("the {} cannot be read from {place}", role.name()), error);
        match self {
            Self::Prompt => prompt(role.name()),
            Self::StandardInput => line(&mut io::stdin().lock()).map_err(|e| unreadable("standard input".into(), e)),
            Self::File(path) => {
                let pin = File::open(&path).and_then(first_line);
                pin.map_err(|error| unreadable(path.display().to_string(), error))
            }
            Self::Variable(name) => match std::env::var_os(&name) {
                Some(value) => Ok(Secret::new(value.into_vec())),
                None => Err(Failure::new(format!("the variable {name} for the {} is not set", role.name()))),
            },
        }
    }
}

/// More than the longest PIN that any configuration allows, so that a longer one is refused and not cut.
const LONGEST: usize = 8192;

/// The first line of a whole file.
fn first_line(file: impl Read) -> io::Result<Secret> {
    // Never grows, so that no copy of the PIN is left behind.
    let mut bytes = Vec::with_capacity(LONGEST);
    file.take(LONGEST as u64).read_to_end(&mut bytes)?;
    let all = Secret::new(bytes);
    let end = all.expose().iter().position(|byte| *byte == b'\n').unwrap_or(all.len());
    Ok(without_return(all.expose().split_at_checked(end).map_or(&[], |(line, _)| line)))
}

/// The next line, leaving what follows to the next PIN.
fn line(input: &mut impl BufRead) -> io::Result<Secret> {
    let mut bytes = Vec::with_capacity(LONGEST);
    input.take(LONGEST as u64).read_until(b'\n', &mut bytes)?;
    let all = Secret::new(bytes);
    let line = all.expose();
    Ok(without_return(line.strip_suffix(b"\n").unwrap_or(line)))
}

fn without_return(line: &[u8]) -> Secret {
    Secret::from_slice(line.strip_suffix(b"\r").unwrap_or(line))
}

fn typed(prompt: &str) -> Result<Secret> {
    let typed = rpassword::prompt_password(prompt).map_err(|error| Failure::of("no PIN was typed", error))?;
    Ok(Secret::new(typed.into_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOBODY: Surroundings = Surroundings { default_is_set: false, terminal: false };

    #[test]
    fn an_option_wins_over_the_default_variable_and_that_over_the_prompt() {
        let all = Surroundings { default_is_set: true, terminal: true };
        let terminal = Surroundings { default_is_set: false, terminal: true };
        let choose = |file: Option<&str>, variable, around| {
            Source::choose(Role::So, file.map(Path::new), variable, around).unwrap()
        };
        assert_eq!(choose(Some("pins/so"), None, &all), Source::File("pins/so".into()));
        assert_eq!(choose(Some("-"), None, &all), Source::StandardInput);
        assert_eq!(choose(None, Some("OTHER"), &all), Source::Variable("OTHER".into()));
        assert_eq!(choose(None, None, &all), Source::Variable("KEYSTEAD_SO_PIN".into()));
        assert_eq!(choose(None, None, &terminal), Source::Prompt);
    }

    #[test]
    fn with_nobody_to_ask_the_ways_out_are_named() {
        for (role, option, variable) in
            [(Role::So, "--so-pin-file", "KEYSTEAD_SO_PIN"), (Role::User, "--user-pin-file", "KEYSTEAD_PIN")]
        {
            let sentence = Source::choose(role, None, None, &NOBODY).unwrap_err().to_string();
            assert!(sentence.contains(role.name()) && sentence.contains(option) && sentence.contains(variable));
        }
    }

    #[test]
    fn a_pin_is_the_first_line_without_its_end() {
        for (file, pin) in [
            ("1234", "1234"),
            ("1234\n", "1234"),
            ("1234\r\n", "1234"),
            ("1234\nmore\n", "1234"),
            (" 12 34 \n", " 12 34 "),
            ("\n1234\n", ""),
            ("", ""),
        ] {
            assert_eq!(first_line(file.as_bytes()).unwrap().expose(), pin.as_bytes(), "{file:?}");
            assert_eq!(line(&mut file.as_bytes()).unwrap().expose(), pin.as_bytes(), "{file:?}");
        }
    }

    #[test]
    fn two_pins_can_follow_each_other() {
        let mut input = &b"officer\nuser"[..];
        assert_eq!(line(&mut input).unwrap().expose(), b"officer");
        assert_eq!(line(&mut input).unwrap().expose(), b"user");
        assert!(line(&mut input).unwrap().is_empty());
    }

    #[test]
    fn a_pin_that_is_too_long_is_not_cut_to_an_allowed_one() {
        let endless = vec![b'1'; 3 * LONGEST];
        assert_eq!(first_line(&endless[..]).unwrap().len(), LONGEST);
        assert_eq!(line(&mut &endless[..]).unwrap().len(), LONGEST);
    }
}
