//! Whether anybody has committed since the revision was read last, found out without asking SQLite.
//!
//! The first page of the `-shm` file begins with the header of the WAL's index
//! (<https://www.sqlite.org/walformat.html>, section 2.2). Every commit, by whatever process and program, writes another
//! header before it returns, and a header never comes back: it holds a count of changes and checksums. SQLite's
//! connections compare it with the one they saw last to know whether what they have cached still holds. So do we, in a
//! read-only mapping of our own: as long as the header is the one that stood there *before* SQLite was asked, the answer
//! stands.
//!
//! The header means something only while a connection of this process holds its locks on the files: whoever comes first
//! to a file that nobody has open may begin a new index. So the notice lapses when connections close.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

use super::super::hold;
use super::system::{self, MappedPage};
use crate::fork;
use crate::system::{FileAccess, open_file};

/// What is known of one store's last revision, to be read by any thread without a lock.
#[derive(Default)]
pub(super) struct Notice {
    /// The header that is current; null while no connection is open.
    current: AtomicPtr<Header>,
    /// The process whose connections are meant. A child made behind the gate's back has none.
    process: AtomicU64,
    known: Known,
    /// When the files themselves were looked at last, in milliseconds of the coarse clock.
    looked: AtomicU64,
    /// Touched inside the gate only. A mapping stays as long as this value, since a reader may be looking at it; there is
    /// more than one after the files were replaced.
    mappings: Mutex<Vec<Mapping>>,
}

/// The first copy of the header, as 64-bit words: the one that is written last.
pub(super) type Header = [AtomicU64; WORDS];

/// What the header said.
pub(super) type Words = [u64; WORDS];

const WORDS: usize = 48 / 8;

/// After so long the files themselves are looked at and SQLite is asked, whatever the header says.
const LOOK_EVERY_MS: u64 = 100;

impl Notice {
    /// The revision, if there was certainly no commit since it was read, and it is not time to look at the files.
    pub(super) fn revision(&self) -> Option<u64> {
        let revision = self.known.of(self.current()?)?;
        let ours = self.process.load(Ordering::Relaxed) == fork::process();
        (ours && !self.is_due()).then_some(revision)
    }

    /// What the header says now; to be asked before SQLite is, and then handed to [`remember`](Self::remember).
    pub(super) fn header(&self) -> Option<Words> {
        let words = self.current()?.each_ref().map(|word| word.load(Ordering::Acquire));
        // A header without a page size is none: nobody has begun this index yet.
        let [_, begun, ..] = words;
        (begun != 0).then_some(words)
    }

    fn current(&self) -> Option<&Header> {
        // SAFETY: the pointer is null or points into one of `mappings`, which live as long as `self`.
        unsafe { self.current.load(Ordering::Acquire).as_ref() }
    }

    /// SQLite said `revision` after the header had said `words`.
    pub(super) fn remember(&self, words: Words, revision: u64) {
        self.known.store(words, revision);
    }

    /// Finds the header of a store that has a connection open. Where it cannot be had, SQLite is asked each time.
    pub(super) fn map(&self, shm: &Path) {
        if !self.current.load(Ordering::Relaxed).is_null() {
            return;
        }
        let Ok(file) = open_file(shm, FileAccess::Read) else { return };
        let Ok(about) = file.metadata() else { return };
        let identity = (about.dev(), about.ino());
        let mut mappings = hold(&self.mappings);
        if mappings.last().is_none_or(|last| last.identity != identity) {
            // An empty file has no page to be read; SQLite's own is never shorter than 3 bytes.
            let Some(page) = (about.len() > 0).then(|| MappedPage::of(&file)).flatten() else { return };
            mappings.push(Mapping { page, identity });
        }
        let Some(mapping) = mappings.last() else { return };
        self.known.clear();
        self.process.store(fork::process(), Ordering::Relaxed);
        self.current.store(mapping.page.start().cast::<Header>(), Ordering::Release);
    }

    /// A connection is about to be closed: nothing is known any more, whatever others are still open.
    pub(super) fn lapse(&self) {
        self.current.store(ptr::null_mut(), Ordering::Release);
    }

    /// Whether it is time to look at the files themselves.
    pub(super) fn is_due(&self) -> bool {
        system::coarse_clock().saturating_sub(self.looked.load(Ordering::Relaxed)) >= LOOK_EVERY_MS
    }

    /// Says that the files are looked at now.
    pub(super) fn look(&self) {
        self.looked.store(system::coarse_clock(), Ordering::Relaxed);
    }
}

struct Mapping {
    page: MappedPage,
    /// Device and inode.
    identity: (u64, u64),
}

/// A header and the revision that belongs to it: read without a lock, and whole or not at all. Odd while it is written.
#[derive(Default)]
struct Known {
    sequence: AtomicU64,
    words: Header,
    revision: AtomicU64,
}

impl Known {
    /// The revision of a header, if this is the header that is known.
    fn of(&self, header: &Header) -> Option<u64> {
        let before = self.sequence.load(Ordering::Acquire);
        let difference =
            |(known, now): (&AtomicU64, &AtomicU64)| known.load(Ordering::Relaxed) ^ now.load(Ordering::Acquire);
        let differences = self.words.iter().zip(header).map(difference).fold(0, |all, one| all | one);
        let revision = self.revision.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (differences == 0 && before == after && before.is_multiple_of(2)).then_some(revision)
    }

    /// Where two write at once one of them has its way, and either is true of the header that it names.
    fn store(&self, words: Words, revision: u64) {
        let before = self.sequence.load(Ordering::Relaxed);
        let (writing, written) = (before | 1, (before | 1).wrapping_add(1));
        if before % 2 == 1
            || self.sequence.compare_exchange(before, writing, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return;
        }
        fence(Ordering::Release);
        self.words.iter().zip(words).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
        self.revision.store(revision, Ordering::Relaxed);
        self.sequence.store(written, Ordering::Release);
    }

    /// Nothing is known: no header is like this, nor is what stands where one has not been written yet.
    fn clear(&self) {
        self.store([u64::MAX; WORDS], 0);
    }
}
