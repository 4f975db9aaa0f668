//! What is typed at a terminal, and how a terminal is written to.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use keystead::key::Login;

use crate::home::{Home, PIN, SO_PIN, good, says};

#[test]
fn new_pins_are_typed_twice_and_not_shown() {
    let home = Home::new();
    let mut terminal = Terminal::run(home.command(&["token", "init", "--label", "Typed"]));
    for prompt in ["New SO PIN: ", "New SO PIN, again: "] {
        terminal.type_pin(prompt, "so typed");
    }
    for prompt in ["New user PIN: ", "New user PIN, again: "] {
        terminal.type_pin(prompt, "user typed");
    }
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    says(&seen, &["Typed", "serial"]);
    assert!(!seen.contains("typed"), "{seen}");
    assert_eq!(home.login(0, Login::So, "so typed"), Ok(()));
    assert_eq!(home.login(0, Login::User, "user typed"), Ok(()));
}

#[test]
fn two_pins_that_differ_or_are_too_short_make_no_token() {
    let home = Home::new();
    let mut terminal = Terminal::run(home.command(&["token", "init", "--label", "A"]));
    terminal.type_pin("New SO PIN: ", "one thing");
    terminal.type_pin("New SO PIN, again: ", "another");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(1), "{seen}");
    says(&seen, &["SO PIN differ"]);

    let mut terminal = Terminal::run(home.command(&["token", "init", "--label", "A"]));
    terminal.type_pin("New SO PIN: ", "abc");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(1), "{seen}");
    says(&seen, &["3 bytes", "4 to 255"]);
    assert!(!home.store().exists());
}

#[test]
fn the_passphrase_of_a_backup_is_typed_twice_and_not_shown() {
    let home = Home::new();
    home.token("A");
    let file = home.path("a.backup").to_str().unwrap().to_owned();
    let backup = |again: &str| {
        let mut terminal = Terminal::run(home.command(&["backup", &file]));
        terminal.type_pin("New passphrase: ", "correct horse");
        terminal.type_pin("New passphrase, again: ", again);
        terminal.end()
    };
    let (code, seen) = backup("another");
    assert_eq!(code, Some(1), "{seen}");
    says(&seen, &["passphrase differ"]);
    assert!(!home.path("a.backup").exists());
    let (code, seen) = backup("correct horse");
    assert_eq!(code, Some(0), "{seen}");
    says(&seen, &["0 objects"]);
    assert!(!seen.contains("horse"), "{seen}");

    let mut verify = home.command(&["backup", "verify", &file, "--seals"]);
    verify.env("NO_COLOR", "1");
    let mut terminal = Terminal::run(verify);
    terminal.type_pin("passphrase: ", "correct horse");
    terminal.wait_for("slot 0, token \"A\"");
    terminal.type_pin("user PIN: ", PIN);
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    says(&seen, &["as they were sealed"]);
}

#[test]
fn destruction_is_asked_about() {
    let home = Home::new();
    home.token("Old");
    let label = || home.json(&["token", "show", "0"])["label"].clone();
    let mut init = home.init("New");
    init.args(["--slot", "0"]);
    let mut terminal = Terminal::run(init);
    terminal.wait_for("\"Old\"");
    terminal.answer("to go on: ", "y");
    let (code, seen) = terminal.end();
    assert_eq!((code, label()), (Some(1), "Old".into()), "{seen}");
    says(&seen, &["nothing was changed"]);

    let mut init = home.init("New");
    init.args(["--slot", "0"]);
    let mut terminal = Terminal::run(init);
    terminal.answer("to go on: ", "yes");
    let (code, seen) = terminal.end();
    assert_eq!((code, label()), (Some(0), "New".into()), "{seen}");
}

#[test]
fn the_label_is_typed_before_a_token_is_destroyed() {
    let home = Home::new();
    home.token("Precious");
    let destroy = || {
        let mut command = home.command(&["token", "destroy", "0"]);
        command.env("KEYSTEAD_SO_PIN", SO_PIN);
        Terminal::run(command)
    };
    for answer in ["yes", "precious", ""] {
        let mut terminal = destroy();
        terminal.wait_for("\"Precious\" in slot 0 and every key in it will be destroyed for good");
        terminal.answer("Type its label to go on: ", answer);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(1), "{seen}");
        says(&seen, &["nothing was changed"]);
        assert_eq!(home.json(&["token", "list"]).as_array().unwrap().len(), 1);
    }
    let mut terminal = destroy();
    terminal.answer("Type its label to go on: ", "Precious");
    let (code, seen) = terminal.end();
    assert_eq!((code, home.module().slots().list(true)), (Some(0), vec![1]), "{seen}");
}

#[test]
fn a_token_is_let_in_and_joins_when_somebody_says_yes() {
    let home = Home::new();
    home.token("First");
    home.token("Second");
    let (request, grant) = (home.path("join.request"), home.path("join.grant"));
    let (request, grant) = (request.to_str().unwrap(), grant.to_str().unwrap());
    for words in
        [["create", "--name", "production", "--token", "First"], ["request", "--out", request, "--token", "Second"]]
    {
        let mut command = home.command(&[&["domain"], &words[..]].concat());
        good(&command.env("KEYSTEAD_SO_PIN", SO_PIN).env("KEYSTEAD_PIN", PIN).output().unwrap());
    }
    let said = |words: &[&str], answer: &str| {
        let mut terminal = Terminal::run(home.command(&[&["domain"], words].concat()));
        terminal.type_pin("SO PIN: ", SO_PIN);
        terminal.type_pin("user PIN: ", PIN);
        terminal.wait_for("fingerprint of ");
        terminal.answer("Type \"yes\" to go on: ", answer);
        terminal.end()
    };
    let steps =
        [["grant", request, "--out", grant, "--token", "First"], ["accept", grant, "--token", "Second", "--name", "p"]];
    for words in steps {
        let (code, seen) = said(&words, "y");
        assert_eq!(code, Some(1), "{seen}");
        says(&seen, &["nothing was changed"]);
        let (code, seen) = said(&words, "yes");
        assert_eq!(code, Some(0), "{seen}");
    }
    for token in [0, 1] {
        let mut list = home.command(&["domain", "list", "--token", &token.to_string(), "--json"]);
        let listed = good(&list.env("KEYSTEAD_PIN", PIN).output().unwrap());
        assert!(listed.contains("fingerprint"), "{listed}");
    }
}

#[test]
fn a_pin_is_changed_at_the_terminal() {
    let home = Home::new();
    home.token("A");
    let mut terminal = Terminal::run(home.command(&["token", "change-pin", "A"]));
    terminal.type_pin("user PIN: ", PIN);
    terminal.type_pin("New user PIN: ", "typed anew");
    terminal.type_pin("New user PIN, again: ", "typed anew");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains("typed anew"), "{seen}");
    assert_eq!(home.login(0, Login::User, "typed anew"), Ok(()));
}

#[test]
fn a_terminal_gets_a_table_and_its_colours_can_be_turned_off() {
    let home = Home::new();
    home.token("A");
    let (_, seen) = Terminal::run(home.command(&["token", "list"])).end();
    says(&seen, &["label", "serial", "ready", "\x1b[1m"]);
    let mut plain = home.command(&["token", "list"]);
    plain.env("NO_COLOR", "1");
    let (_, seen) = Terminal::run(plain).end();
    says(&seen, &["label", "serial", "ready"]);
    assert!(!seen.contains('\x1b'), "{seen:?}");
    let (_, seen) = Terminal::run(home.command(&["token", "list", "--json"])).end();
    assert!(serde_json::from_str::<serde_json::Value>(&seen).unwrap().is_array());
}

/// A program in a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// What of it has been waited for.
    read: usize,
}

impl Terminal {
    fn run(mut command: Command) -> Self {
        let (keyboard, device) = pseudo_terminal();
        command.stdin(device.try_clone().unwrap()).stdout(device.try_clone().unwrap()).stderr(device);
        // SAFETY: between fork and exec the closure makes two system calls and allocates nothing.
        unsafe { command.pre_exec(become_its_terminal) };
        let child = command.spawn().unwrap();
        // Its copies of the device go with it, so that reading ends when the program does.
        drop(command);
        let (sender, screen) = mpsc::channel();
        let mut display = keyboard.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            // A terminal whose program has gone says EIO.
            while let Ok(length @ 1..) = display.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new(), read: 0 }
    }

    /// Waits until something has been written that was not waited for before.
    fn wait_for(&mut self, wanted: &str) {
        loop {
            if let Some(at) = self.seen[self.read..].find(wanted) {
                self.read += at + wanted.len();
                return;
            }
            match self.screen.recv_timeout(LONG) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("no {wanted:?} in: {}", self.seen),
            }
        }
    }

    /// Types a line where what is typed is shown.
    fn answer(&mut self, question: &str, line: &str) {
        self.wait_for(question);
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Types a line once the terminal shows nothing that is typed.
    fn type_pin(&mut self, prompt: &str, pin: &str) {
        self.wait_for(prompt);
        let begin = Instant::now();
        while echoes(&self.keyboard) {
            assert!(begin.elapsed() < LONG, "{prompt} is asked with the terminal's echo on");
            thread::sleep(Duration::from_millis(1));
        }
        writeln!(self.keyboard, "{pin}").unwrap();
    }

    /// The exit code and everything that was written.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        while let Ok(bytes) = self.screen.recv_timeout(LONG) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        (code, std::mem::take(&mut self.seen))
    }
}

/// A program that hangs fails its test.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LONG: Duration = Duration::from_secs(30);

/// The side of the user and the side of the program, 100 columns wide.
fn pseudo_terminal() -> (File, File) {
    let (mut user, mut program) = (-1, -1);
    let size = libc::winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let (name, modes) = (std::ptr::null_mut(), std::ptr::null());
    // SAFETY: both descriptors are written, no name is asked for, no modes are given, and the size is read.
    let failed = unsafe { libc::openpty(&mut user, &mut program, name, modes, &size) };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    for descriptor in [user, program] {
        // SAFETY: one of the new descriptors. Other tests start programs at the same time that must not keep it open.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: the descriptors are new and belong to nobody else.
    unsafe { (File::from_raw_fd(user), File::from_raw_fd(program)) }
}

/// Makes standard input the terminal that `/dev/tty` names.
fn become_its_terminal() -> io::Result<()> {
    // SAFETY: neither call takes memory; standard input is the terminal already.
    let done = unsafe { libc::setsid() >= 0 && libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0) == 0 };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether the terminal shows what is typed.
fn echoes(terminal: &File) -> bool {
    let mut modes = std::mem::MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: the descriptor is a terminal's, and the modes have a place.
    let failed = unsafe { libc::tcgetattr(terminal.as_raw_fd(), modes.as_mut_ptr()) };
    assert_eq!(failed, 0, "{}", io::Error::last_os_error());
    // SAFETY: zeroed is a valid value, and the call has filled it.
    let modes = unsafe { modes.assume_init() };
    modes.c_lflag & libc::ECHO != 0
}
