//! One measurement, in a process of its own, and how it is begun and heard.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use cryptoki_sys::*;
use rand::RngExt;

use crate::failure::{Failure, Result};
use crate::module::{self, Module, Session, attribute, bytes, check};
use crate::token;

/// What a process is to do.
#[derive(Clone, Copy, clap::Subcommand)]
pub enum Act {
    /// Makes the token
    Make,
    /// Makes keys with the numbers from `from` to before `to`
    Fill {
        #[arg(long)]
        from: u64,
        #[arg(long)]
        to: u64,
    },
    /// Times the way from `C_Initialize` to a login
    Start,
    /// Times searches for one of so many keys by label, id and unique id, and reading its label
    Search {
        #[arg(long)]
        objects: u64,
    },
    /// Weighs the list of all objects
    List,
    /// Times making token keys; destroys them again
    Create {
        #[arg(long)]
        threads: u32,
    },
}

/// What a worker is told.
#[derive(clap::Args)]
pub struct WorkerArguments {
    #[arg(long)]
    module: PathBuf,
    #[command(subcommand)]
    act: Act,
}

/// A process at work. It says `ready`, waits for a line, does its act, and tells its figures in one line.
pub struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    /// Begins it; `point` says where its tokens are.
    pub fn start(module: &Path, act: Act, point: impl FnOnce(&mut Command)) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("stores-worker").arg("--module").arg(module).args(act.words());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        point(&mut command);
        let mut child = command.spawn()?;
        let (to, from) = child.stdin.take().zip(child.stdout.take()).ok_or_else(|| Failure::new("no pipes"))?;
        Ok(Self { child, to, from: BufReader::new(from) })
    }

    /// Waits until all is done that comes before the act.
    pub fn wait_until_ready(&mut self) -> Result<()> {
        match self.line()?.as_str() {
            "ready" => Ok(()),
            other => Err(Failure::new(other)),
        }
    }

    /// Lets it begin.
    pub fn go(&mut self) -> Result<()> {
        Ok(writeln!(self.to, "go")?)
    }

    /// Its figures, when it has begun.
    pub fn finish_after_go(mut self) -> Result<Vec<f64>> {
        let line = self.line()?;
        let _ = self.child.wait();
        line.split_ascii_whitespace().map(|word| word.parse().map_err(|_| Failure::new(line.clone()))).collect()
    }

    /// All of the above.
    pub fn finish(mut self) -> Result<Vec<f64>> {
        self.wait_until_ready()?;
        self.go()?;
        self.finish_after_go()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.from.read_line(&mut line)? {
            0 => Err(Failure::new("a process has ended before its time")),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Act {
    fn words(self) -> Vec<String> {
        match self {
            Self::Make => vec!["make".into()],
            Self::Fill { from, to } => vec!["fill".into(), format!("--from={from}"), format!("--to={to}")],
            Self::Start => vec!["start".into()],
            Self::Search { objects } => vec!["search".into(), format!("--objects={objects}")],
            Self::List => vec!["list".into()],
            Self::Create { threads } => vec!["create".into(), format!("--threads={threads}")],
        }
    }
}

/// Does what the arguments say.
pub fn work(arguments: &WorkerArguments) -> Result<()> {
    let load = || Module::load(&arguments.module);
    let logged_in = || -> Result<Session> {
        let session = token::open_session(&load()?)?;
        token::log_in(&session)?;
        Ok(session)
    };
    let figures = match arguments.act {
        Act::Make => {
            begin()?;
            token::log_in_to_new(&load()?)?;
            Vec::new()
        }
        Act::Start => {
            let _keeps_it_loaded = module::only_load(&arguments.module)?;
            begin()?;
            let begun = Instant::now();
            logged_in()?;
            vec![nanos(begun, 1)]
        }
        Act::Fill { from, to } => {
            let session = logged_in()?;
            begin()?;
            fill(&session, from, to)?;
            Vec::new()
        }
        Act::Search { objects } => {
            let session = logged_in()?;
            begin()?;
            search(&session, objects)?
        }
        Act::List => {
            let session = logged_in()?;
            begin()?;
            vec![weigh_list(&session)?]
        }
        Act::Create { threads } => {
            let session = logged_in()?;
            let sessions =
                (0..threads).map(|_| session.module.open_session(session.slot)).collect::<Result<Vec<_>>>()?;
            begin()?;
            vec![create(&sessions)?]
        }
    };
    println!("{}", figures.iter().map(f64::to_string).collect::<Vec<_>>().join(" "));
    Ok(())
}

fn begin() -> Result<()> {
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}

fn nanos(begun: Instant, times: u64) -> f64 {
    begun.elapsed().as_nanos() as f64 / times as f64
}

/// A token key with this number in its label and id.
fn make(session: &Session, label: &str, number: u64) -> Result<CK_OBJECT_HANDLE> {
    let (mut yes, mut length, mut label, mut id) =
        (CK_TRUE, 32 as CK_ULONG, format!("{label} {number}").into_bytes(), number.to_be_bytes());
    let mut template = [
        attribute(CKA_TOKEN, &mut yes),
        attribute(CKA_VALUE_LEN, &mut length),
        bytes(CKA_LABEL, &mut label),
        bytes(CKA_ID, &mut id),
    ];
    session.generate_from(CKM_AES_KEY_GEN, &mut template)
}

/// By as many threads as commits are shared by.
fn fill(session: &Session, from: u64, to: u64) -> Result<()> {
    const THREADS: u64 = 256;
    std::thread::scope(|scope| {
        let one = |thread: u64| {
            let session = session.module.open_session(session.slot)?;
            let mut numbers = (from.saturating_add(thread)..to).step_by(THREADS as usize);
            numbers.try_for_each(|number| make(&session, "key", number).map(drop))
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || one(thread))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(Failure::new("a thread panicked"))))
    })
}

/// Searches for keys that nobody has looked at, by label; then for the same ones again, by each attribute.
fn search(session: &Session, objects: u64) -> Result<Vec<f64>> {
    const TIMES: u64 = 200;
    /// A module that looks at everything for each answer gives fewer of them.
    const LONGEST: Duration = Duration::from_millis(300);
    let mut random = rand::rng();
    let mut numbers = || (0..TIMES).map(|_| random.random_range(0..objects)).collect::<Vec<u64>>();
    let by_label = |number: &u64| one(session, CKA_LABEL, format!("key {number}").as_bytes());
    let by_id = |number: &u64| one(session, CKA_ID, &number.to_be_bytes());
    let timed = |search: &dyn Fn(&u64) -> Result<CK_OBJECT_HANDLE>, numbers: &[u64]| -> Result<f64> {
        let (begun, mut done) = (Instant::now(), 0);
        for number in numbers {
            search(number)?;
            done += 1;
            if begun.elapsed() > LONGEST {
                break;
            }
        }
        Ok(nanos(begun, done))
    };
    timed(&by_label, &numbers())?;
    let numbers = numbers();
    let mut figures = vec![timed(&by_label, &numbers)?, timed(&by_label, &numbers)?, timed(&by_id, &numbers)?];

    let keys = numbers.iter().take(20).map(by_id).collect::<Result<Vec<_>>>()?;
    let unique = keys.iter().map(|key| session.attribute(*key, CKA_UNIQUE_ID)).collect::<Result<Vec<_>>>();
    // A module of 2.40 has no such attribute.
    figures.push(match unique {
        Err(_) => f64::NAN,
        Ok(unique) => {
            let begun = Instant::now();
            unique.iter().try_for_each(|id| one(session, CKA_UNIQUE_ID, id).map(drop))?;
            nanos(begun, unique.len() as u64)
        }
    });
    let begun = Instant::now();
    keys.iter().try_for_each(|key| session.attribute(*key, CKA_LABEL).map(drop))?;
    figures.push(nanos(begun, keys.len() as u64));
    Ok(figures)
}

/// The one key of which an attribute has this value.
fn one(session: &Session, number: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Result<CK_OBJECT_HANDLE> {
    match session.find(&mut [bytes(number, &mut value.to_vec())])?.as_slice() {
        [key] => Ok(*key),
        found => Err(Failure::new(format!("{} objects were found instead of one", found.len()))),
    }
}

/// Bytes of memory for each object that was listed.
fn weigh_list(session: &Session) -> Result<f64> {
    let before = resident()?;
    let found = session.find(&mut [])?.len();
    // The list itself is the caller's.
    let own = found.saturating_mul(size_of::<CK_OBJECT_HANDLE>()) as f64;
    Ok((resident()? - before - own) / found.max(1) as f64)
}

/// Resident memory of this process, in bytes.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0).ok_or_else(|| Failure::new("the system does not tell how much memory a process has"))
}

/// The time between two keys of any of the sessions, each in a thread of its own.
fn create(sessions: &[Session]) -> Result<f64> {
    const EACH: u64 = 100;
    let begun = Instant::now();
    let made = std::thread::scope(|scope| {
        let one = |session: &Session| (0..EACH).map(|number| make(session, "short-lived", number)).collect();
        let threads: Vec<_> = sessions.iter().map(|session| scope.spawn(move || one(session))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|made| made.unwrap_or_else(|_| Err(Failure::new("a thread panicked"))))
            .collect::<Result<Vec<Vec<_>>>>()
    })?;
    let took = nanos(begun, EACH.saturating_mul(sessions.len() as u64));
    let session = sessions.first().ok_or_else(|| Failure::new("no sessions"))?;
    for key in made.into_iter().flatten() {
        // SAFETY: the function takes two numbers.
        let code = unsafe { (session.module.table.destroy_object)(session.handle, key) };
        check("C_DestroyObject", code)?;
    }
    Ok(took)
}
