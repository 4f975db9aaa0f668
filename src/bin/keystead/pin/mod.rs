//! Where PINs come from: a file, the environment or a prompt, and never the argument list, which every user of the
//! machine can read.

mod options;

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use keystead::config::Pins;
use keystead::secret::Secret;

use crate::failure::{Exit, Failure, Result};

pub use options::{ChangeSources, FromSources, FromUserSource, SoSource, Sources, UserSource};

/// Whose PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The security officer's.
    So,
    /// The user's.
    User,
}

/// A PIN that a subcommand needs, and the places that it may come from.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// In sentences.
    pub name: &'static str,
    /// The option that names a file.
    pub option: &'static str,
    /// The variable that is looked at where no option says anything.
    pub default: &'static str,
    /// The file that an option names.
    pub file: Option<&'a Path>,
    /// The variable that an option names.
    pub variable: Option<&'a str>,
}

impl Wanted<'_> {
    /// A PIN that exists already.
    pub fn existing(self) -> Result<Secret> {
        self.existing_with("")
    }

    /// The same, where a prompt has to say whose it is.
    pub fn existing_of(self, whose: &str) -> Result<Secret> {
        self.existing_with(&format!("{whose}, "))
    }

    fn existing_with(self, whose: &str) -> Result<Secret> {
        let pin = self.source()?.read(self.name, |prompt| typed(&format!("{whose}{prompt}: ")))?;
        if pin.is_empty() {
            return Err(Failure::new(format!("the {} is empty", self.name)).with_exit(Exit::Login));
        }
        Ok(pin)
    }

    /// A new PIN, of a length that the configuration allows; from a terminal, typed twice.
    pub fn new_pin(self, pins: &Pins) -> Result<Secret> {
        self.new_one(|pin: &Secret| {
            pins.check_new(pin.expose()).map_err(|_| {
                let Pins { min, max, .. } = pins;
                Failure::new(format!("the {} has {} bytes and must have {min} to {max}", self.name, pin.len()))
            })
        })
    }

    /// A new one that `allowed` has nothing against; from a terminal, typed twice.
    pub fn new_one(self, allowed: impl Fn(&Secret) -> Result<()>) -> Result<Secret> {
        let pin = self.source()?.read(self.name, |prompt| {
            let pin = typed(&format!("New {prompt}: "))?;
            allowed(&pin)?;
            if typed(&format!("New {prompt}, again: "))? == pin {
                return Ok(pin);
            }
            Err(Failure::new(format!("the two entries of the {} differ", self.name)).with_next("start again"))
        })?;
        allowed(&pin).map(|()| pin)
    }

    fn source(&self) -> Result<Source> {
        let surroundings = Surroundings {
            default_is_set: std::env::var_os(self.default).is_some(),
            terminal: io::stdin().is_terminal(),
        };
        Source::choose(self, &surroundings)
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
    fn choose(wanted: &Wanted<'_>, around: &Surroundings) -> Result<Self> {
        let Wanted { name, option, default, file, variable } = *wanted;
        match (file, variable) {
            (Some(file), _) if file == Path::new("-") => Ok(Self::StandardInput),
            (Some(file), _) => Ok(Self::File(file.to_owned())),
            (None, Some(variable)) => Ok(Self::Variable(variable.to_owned())),
            (None, None) if around.default_is_set => Ok(Self::Variable(default.to_owned())),
            (None, None) if around.terminal => Ok(Self::Prompt),
            (None, None) => {
                let failure = Failure::new(format!("there is no terminal to ask for the {name}"));
                Err(failure.with_exit(Exit::Login).with_next(format!("pass {option} FILE or set {default}")))
            }
        }
    }

    fn read(self, name: &str, prompt: impl FnOnce(&str) -> Result<Secret>) -> Result<Secret> {
        let unreadable = |place: String, error| {
            Failure::of(format!("the {name} cannot be read from {place}"), error).with_exit(Exit::Login)
        };
        match self {
            Self::Prompt => prompt(name),
            Self::StandardInput => line(&mut io::stdin().lock()).map_err(|e| unreadable("standard input".into(), e)),
            Self::File(path) => {
                let pin = File::open(&path).and_then(first_line);
                pin.map_err(|error| unreadable(path.display().to_string(), error))
            }
            Self::Variable(variable) => match std::env::var_os(&variable) {
                Some(value) => Ok(Secret::new(value.into_vec())),
                None => {
                    let failure = Failure::new(format!("the variable {variable} for the {name} is not set"));
                    Err(failure.with_exit(Exit::Login))
                }
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
    let typed = rpassword::prompt_password(prompt).map_err(|error| Failure::of("nothing was typed", error))?;
    Ok(Secret::new(typed.into_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
