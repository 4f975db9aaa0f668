//! `keystead token fill`

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cryptoki_sys::{CKA_LABEL, CKA_PRIVATE, CKA_SENSITIVE, CKA_TOKEN, CKA_VALUE_LEN, CKM_AES_KEY_GEN};
use keystead::error::Error;
use keystead::object::Given;
use keystead::secret::Secret;
use serde::Serialize;

use super::choose::{NAME, choose_open};
use crate::failure::{Failure, Result};
use crate::login::session;
use crate::output::{Form, Word};
use crate::pin::{Role, UserSource};
use crate::progress::Progress;
use crate::store::Store;

pub const AFTER_HELP: &str = "\
The keys are private and sensitive AES keys of 256 bits, labelled \"filled 0\", \"filled 1\" and so on, made as a program makes them. They \
are there to try out a store of that size: take a token that holds nothing else. What stops it leaves those that were made.

Examples:
  keystead token init --label Large
  keystead token fill Large --objects 100000
  keystead token destroy Large";

#[derive(clap::Args)]
pub struct Args {
    /// The token
    #[arg(value_name = NAME)]
    token: String,

    /// How many keys
    #[arg(long, value_name = "N")]
    objects: u64,

    /// How many threads make them; they share a write to the disk
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,

    #[command(flatten)]
    pin: UserSource,
}

/// What was made, as it is printed.
#[derive(Serialize)]
struct Made {
    slot: u32,
    objects: u64,
    seconds: f64,
}

/// `keystead token fill`
pub fn run(args: &Args, store: Option<PathBuf>, form: Form) -> Result<()> {
    let store = Store::open(store)?;
    let (slot, _) = choose_open(&args.token, &store)?;
    let pin = args.pin.pin().existing()?;
    let start = Instant::now();
    let filling = Filling { store: &store, slot, pin: &pin, threads: args.threads };
    let progress = Mutex::new(Progress::new("keys made"));
    let mut done = 0_u64;
    while done < args.objects {
        let end = done.saturating_add(PART).min(args.objects);
        filling.part(done, end, &progress)?;
        done = end;
    }
    drop(progress);
    let made = Made { slot, objects: done, seconds: start.elapsed().as_secs_f64() };
    let rows = [("slot", made.slot.to_string()), ("made", format!("{done} keys in {:.1} s", made.seconds))];
    form.record(&made, &rows.map(|(name, text)| (name, Word::plain(text))))
}

/// After so many keys the sessions are closed, so that what the process has of them does not grow with their number.
const PART: u64 = 50_000;

struct Filling<'a> {
    store: &'a Store,
    slot: u32,
    pin: &'a Secret,
    threads: u16,
}

impl Filling<'_> {
    /// Makes the keys of these numbers under one login.
    fn part(&self, begin: u64, end: u64, progress: &Mutex<Progress>) -> Result<()> {
        let session = session(self.store, self.slot, Role::User, self.pin)?;
        let next = AtomicU64::new(begin);
        let made = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(|| self.keys(&next, end, progress))).collect();
            // All are waited for, and the first error is told.
            let ends = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(Error::FunctionFailed("a thread panicked".into()))));
            ends.fold(Ok(()), Result::and)
        });
        self.store.module.sessions().close(session)?;
        made.map_err(|error| Failure::of("not all keys were made", error))
    }

    fn keys(&self, next: &AtomicU64, end: u64, progress: &Mutex<Progress>) -> Result<(), Error> {
        let module = &self.store.module;
        let session = module.open_session(self.slot.into(), true)?;
        let mechanism = module.mechanisms().find(CKM_AES_KEY_GEN)?;
        let length = cryptoki_sys::CK_ULONG::to_ne_bytes(32);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return module.sessions().close(session);
            }
            let label = format!("filled {number}");
            let given = [
                (CKA_TOKEN, &[1][..]),
                (CKA_PRIVATE, &[1]),
                (CKA_SENSITIVE, &[1]),
                (CKA_VALUE_LEN, &length),
                (CKA_LABEL, label.as_bytes()),
            ];
            let given = given.map(|(attribute, value)| Given::new(attribute, value));
            let made = module.sessions().generate(session, mechanism, &given);
            if made.is_err() {
                // The others need not go on either.
                next.store(end, Ordering::Relaxed);
            }
            made?;
            if let Ok(mut progress) = progress.lock() {
                progress.tick();
            }
        }
    }
}
