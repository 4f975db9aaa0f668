//! The log for people: off unless `KEYSTEAD_LOG` asks for it, and never in the host's way.
//!
//! `KEYSTEAD_LOG=stderr|syslog|/path[,level]`, level one of `error` (the default), `warn`, `info`, `trace`. A log is a value that
//! a module hands down, not a global. What goes wrong in the log itself is nobody's business and is dropped.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::SystemTime;

use crate::system::{self, Kept};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something is broken or refused that the administrator should look at.
    Error,
    /// Something is not as it should be, and the call went on.
    Warn,
    /// Why a call was refused.
    Info,
    /// Every call with its answer.
    Trace,
}

/// A place to write lines to, or none. Cheap to clone.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Open>>);

impl Log {
    /// The log that a value of `KEYSTEAD_LOG` asks for; a value that makes no sense is no log.
    pub fn from_setting(setting: &str) -> Self {
        let (place, level) = setting.rsplit_once(',').unwrap_or((setting, "error"));
        let Some(level) = Level::from_name(level) else {
            return Self::default();
        };
        let sink = match place {
            "stderr" => Some(Sink::Stderr),
            "syslog" => syslog().and_then(Kept::new).ok().map(Sink::Syslog),
            path if path.starts_with('/') => {
                file(path).and_then(Kept::new).ok().map(|file| Sink::File(path.to_owned(), file))
            }
            _ => None,
        };
        Self(sink.map(|sink| Arc::new(Open { level, sink })))
    }

    /// Whether lines of this level are written at all.
    pub fn wants(&self, level: Level) -> bool {
        self.0.as_ref().is_some_and(|open| level <= open.level)
    }

    /// Writes one line. The text holds no secrets: PINs, keys and plaintext never reach a caller of this.
    #[inline(always)]
    pub fn line(&self, level: Level, text: fmt::Arguments<'_>) {
        if let Some(open) = self.0.as_ref().filter(|open| level <= open.level) {
            open.write(level, text);
        }
    }

    /// A line at [`Level::Error`].
    pub fn error(&self, text: fmt::Arguments<'_>) {
        self.line(Level::Error, text);
    }

    /// A line at [`Level::Warn`].
    pub fn warn(&self, text: fmt::Arguments<'_>) {
        self.line(Level::Warn, text);
    }
}

/// A file of the user's own making, not a device or a pipe that could hold the host up.
fn file(path: &str) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(system::above_standard_streams(file.into())?.into())
}

fn syslog() -> io::Result<UnixDatagram> {
    let socket: UnixDatagram = system::above_standard_streams(UnixDatagram::unbound()?.into())?.into();
    socket.connect("/dev/log")?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The time for people; a clock that is far off gives seconds.
fn now() -> String {
    /// The end of the year 9999, in seconds.
    const END: u64 = 253_402_300_800;
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) if since.as_secs() < END => {
            humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since).to_string()
        }
        Ok(since) => format!("{}s", since.as_secs()),
        Err(before) => format!("-{}s", before.duration().as_secs()),
    }
}

struct Open {
    level: Level,
    sink: Sink,
}

enum Sink {
    Stderr,
    File(String, Kept<File>),
    Syslog(Kept<UnixDatagram>),
}

impl Open {
    #[cold]
    fn write(&self, level: Level, text: fmt::Arguments<'_>) {
        let pid = std::process::id();
        let name = level.name();
        // A path with a line break in it must not look like a line of ours.
        let text = text.to_string().replace(['\n', '\r'], " ");
        let _ = match &self.sink {
            Sink::Stderr => system::write_to_stderr(format!("keystead[{pid}] {name}: {text}\n").as_bytes()),
            Sink::File(path, kept) => {
                let line = format!("{} [{pid}] {name}: {text}\n", now());
                match kept.still_open() {
                    Some(mut file) => file.write_all(line.as_bytes()),
                    None => file(path).and_then(|mut file| file.write_all(line.as_bytes())),
                }
            }
            Sink::Syslog(kept) => {
                let line = format!("<{}>keystead[{pid}]: {text}", LOG_AUTHPRIV | level.severity());
                match kept.still_open() {
                    Some(socket) => socket.send(line.as_bytes()).map(drop),
                    None => syslog().and_then(|socket| socket.send(line.as_bytes())).map(drop),
                }
            }
        };
    }
}

impl Level {
    fn from_name(name: &str) -> Option<Self> {
        [Level::Error, Level::Warn, Level::Info, Level::Trace].into_iter().find(|level| level.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Trace => "trace",
        }
    }

    /// RFC 5424, section 6.2.1.
    fn severity(self) -> u8 {
        match self {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Trace => 7,
        }
    }
}

/// Facility 10 of RFC 5424, section 6.2.1, shifted as a priority value has it.
const LOG_AUTHPRIV: u8 = 10 << 3;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_setting_chooses_place_and_level() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::from_setting(&format!("{},warn", path.display()));
        log.error(format_args!("one"));
        log.warn(format_args!("two"));
        log.line(Level::Info, format_args!("three"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("error: one\n") && text.contains("warn: two\n") && !text.contains("three"));
    }

    /// A daemon closes all descriptors and has the numbers for its own files.
    #[test]
    fn a_descriptor_that_the_host_took_over_is_not_written_to() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let (path, hosts) = (folder.path().join("log"), folder.path().join("host"));
        let log = Log::from_setting(path.to_str().unwrap());
        log.error(format_args!("one"));
        let number = match &log.0.as_ref().unwrap().sink {
            Sink::File(_, kept) => kept.still_open().unwrap().as_raw_fd(),
            _ => panic!("a file was asked for"),
        };
        system::replace_descriptor(&File::create(&hosts).unwrap(), number);
        log.error(format_args!("two"));
        drop(log);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("error: one\n") && text.contains("error: two\n"), "{text}");
        assert_eq!(std::fs::read(&hosts).unwrap(), b"");
        assert_eq!(std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap(), hosts, "and is not closed");
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_no_log() {
        for setting in ["", "relative/path", "stderr,loud", ","] {
            assert!(!Log::from_setting(setting).wants(Level::Error), "{setting}");
        }
    }
}
