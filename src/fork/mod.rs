//! The state word: initialised or not, running, exiting; and another value in every process.
//!
//! The word lives in a page that the kernel wipes when the process forks (`MADV_WIPEONFORK`, Linux 4.14), so a child
//! reads 0 however it was made: by `fork` with handlers, by raw `clone`, or before any handler ran. One load answers
//! "initialised?" and "forked?". Where the page cannot be had, the process id kept beside it is compared instead.

mod gate;
mod per_process;

pub use gate::{Gate, Inside};
pub use per_process::PerProcess;

use std::num::NonZeroU64;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// What the low two bits of the word say of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `C_Initialize` has not been called here, or `C_Finalize` has.
    NotInitialized,
    /// Between `C_Initialize` and `C_Finalize`.
    Running,
    /// The process runs its exit handlers; nothing may start any more.
    Exiting,
}

/// One reading of the state word: the state, and which process and which `C_Initialize` it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(u64);

impl Word {
    /// The state that the word holds.
    pub fn state(self) -> State {
        match self.0 & STATE_BITS {
            RUNNING => State::Running,
            EXITING => State::Exiting,
            _ => State::NotInitialized,
        }
    }

    /// The process that the word belongs to: never 0, and another number in parent and child.
    pub fn process(self) -> u64 {
        self.0 >> PROCESS_SHIFT
    }
}

/// Reads the word; in a process that has none yet, chooses its process number first.
pub fn word() -> Word {
    let page = page();
    let value = page.load();
    if value >> PROCESS_SHIFT != 0 { Word(value) } else { page.settle() }
}

/// Sets the state of this process and returns the new word, which differs from the 16,383 before it. Once the process is
/// exiting, that state stays.
pub fn set_state(running: bool) -> Word {
    word();
    let page = page();
    let state = if running { RUNNING } else { IDLE };
    let advance = |old: u64| {
        if old & STATE_BITS == EXITING {
            return None;
        }
        let count = (old >> COUNT_SHIFT).wrapping_add(1) & COUNT_MASK;
        Some((old >> PROCESS_SHIFT) << PROCESS_SHIFT | count << COUNT_SHIFT | state)
    };
    let _ = page.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, advance);
    word()
}

/// The number of this process: never 0, and another one in parent and child.
pub fn process() -> u64 {
    word().process()
}

/// A random number that this process shares with no other, whatever their process ids: parent and child may have the same in
/// two namespaces. What may never be the same in two processes belongs to it. None without entropy.
pub fn epoch() -> Option<NonZeroU64> {
    word();
    let page = page();
    NonZeroU64::new(page.epoch.load(Ordering::Acquire)).or_else(|| page.begin_epoch())
}

const STATE_BITS: u64 = 0b11;
const IDLE: u64 = 1;
const RUNNING: u64 = 2;
/// Both bits: the exit entry in `src/abi/exit.c` sets it by one `or`.
const EXITING: u64 = 3;

/// How often the state changed, modulo 2^14: tells one `C_Initialize` from the next.
const COUNT_SHIFT: u32 = 2;
const COUNT_MASK: u64 = 0x3fff;
const PROCESS_SHIFT: u32 = 16;

/// The page, as the rest of this module sees it.
struct Page {
    word: &'static AtomicU64,
    /// See [`epoch`].
    epoch: &'static AtomicU64,
    /// The process id for which the word holds, where the kernel does not wipe it.
    owner: Option<AtomicU32>,
}

impl Page {
    fn load(&self) -> u64 {
        if let Some(owner) = &self.owner
            && owner.load(Ordering::Acquire) != std::process::id()
        {
            return 0;
        }
        self.word.load(Ordering::Acquire)
    }

    /// Gives this process its number: the process id above a few random bits, so that a reused id differs.
    #[cold]
    fn settle(&self) -> Word {
        if let Some(owner) = &self.owner {
            let pid = std::process::id();
            if owner.swap(pid, Ordering::AcqRel) != pid {
                self.word.store(0, Ordering::Release);
                self.epoch.store(0, Ordering::Release);
            }
        }
        let mut noise = [0; 2];
        // Without entropy the pid alone has to do; key material never depends on this number.
        let _ = getrandom::fill(&mut noise);
        let process = u64::from(std::process::id()) << 16 | u64::from(u16::from_ne_bytes(noise));
        let fresh = process << PROCESS_SHIFT | IDLE;
        match self.word.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Word(fresh),
            // Another thread, or the exit entry, was first. A bare "exiting" still needs a process number.
            Err(_) => {
                let number = |old: u64| (old >> PROCESS_SHIFT == 0).then_some(old | process << PROCESS_SHIFT);
                let _ = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, number);
                Word(self.word.load(Ordering::Acquire))
            }
        }
    }
}

impl Page {
    #[cold]
    fn begin_epoch(&self) -> Option<NonZeroU64> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).ok()?;
        let fresh = u64::from_ne_bytes(random).max(1);
        let first = self.epoch.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire);
        NonZeroU64::new(first.map_or_else(|epoch| epoch, |_| fresh))
    }
}

/// Made without a lock: a child forked while another thread was making the page must not wait for that thread.
static PAGE: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());

fn page() -> &'static Page {
    // SAFETY: the pointer is null or was leaked from a box and is never freed.
    match unsafe { PAGE.load(Ordering::Acquire).as_ref() } {
        Some(page) => page,
        None => make_page(),
    }
}

#[cold]
fn make_page() -> &'static Page {
    let (words, owner) = match wiped_page() {
        Some(words) => (words, None),
        None => (&*Box::leak(Box::default()), Some(AtomicU32::new(0))),
    };
    let [word, epoch] = words;
    let fresh = Box::into_raw(Box::new(Page { word, epoch, owner }));
    // A thread that comes second leaves a page unused; that happens once in the life of a process, if ever.
    let first = PAGE.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire);
    let page = first.map_or_else(|page| page, |_| fresh);
    // SAFETY: `page` was leaked from a box, here or by the thread that was first, and is never freed.
    let page = unsafe { &*page };
    // SAFETY: the word is 'static, and C only ever uses it atomically.
    unsafe { keystead_publish_state_word(page.word.as_ptr()) };
    page
}

/// Two zeroed words in a page of their own that a forked child finds zeroed again, or nothing where that cannot be had.
fn wiped_page() -> Option<&'static [AtomicU64; 2]> {
    let length = usize::try_from(page_size()).ok()?;
    // SAFETY: an anonymous private mapping at an address the kernel chooses touches nothing that exists.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: address and length are those of the mapping just made, which nobody else knows.
    if unsafe { libc::madvise(address, length, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: as above; the mapping is given back whole.
        unsafe { libc::munmap(address, length) };
        return None;
    }
    let words = NonNull::new(address.cast::<[AtomicU64; 2]>())?;
    // SAFETY: the mapping is zeroed, aligned to a page, large enough, and never unmapped.
    Some(unsafe { words.as_ref() })
}

/// The size of a memory page in bytes.
fn page_size() -> i64 {
    // SAFETY: `sysconf` reads a constant of the system.
    match unsafe { libc::sysconf(libc::_SC_PAGESIZE) } {
        size if size > 0 => size,
        _ => 4096,
    }
}

unsafe extern "C" {
    fn keystead_publish_state_word(word: *mut u64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_state_makes_another_word() {
        in_a_child(|| {
            let first = set_state(true);
            assert_eq!(first.state(), State::Running);
            let second = set_state(false);
            assert_eq!(second.state(), State::NotInitialized);
            assert_ne!(first, set_state(true));
            assert_eq!(first.process(), second.process());
        });
    }

    #[test]
    fn a_child_has_another_number_and_is_not_initialised() {
        in_a_child(|| {
            let parents = set_state(true);
            in_a_child(|| {
                assert_eq!(word().state(), State::NotInitialized);
                assert_ne!(word().process(), parents.process());
            });
            assert_eq!(word(), parents);
        });
    }

    /// Where the kernel wipes no page: an old one, or a sandbox that refuses the call.
    #[test]
    fn without_a_wiped_page_the_process_id_tells() {
        let [word, epoch] = Box::leak(Box::new([AtomicU64::new(0), AtomicU64::new(0)]));
        let page = Page { word, epoch, owner: Some(AtomicU32::new(0)) };
        let parents = page.settle();
        assert_eq!(page.load(), parents.0);
        page.word.fetch_or(RUNNING, Ordering::SeqCst);
        in_a_child(|| {
            assert_eq!(page.load(), 0);
            let own = page.settle();
            assert_eq!(own.state(), State::NotInitialized);
            assert_ne!(own.process(), parents.process());
            assert_eq!(page.load(), own.0);
        });
        assert_eq!(page.load(), parents.0 | RUNNING);
    }

    #[test]
    fn a_child_has_an_epoch_of_its_own() {
        in_a_child(|| {
            let parents = epoch();
            assert!(parents.is_some());
            in_a_child(|| assert!(epoch().is_some() && epoch() != parents));
            assert_eq!(epoch(), parents);
        });
    }

    /// The word is the process's, and other tests of this process look at it.
    fn in_a_child(work: impl FnOnce()) {
        // SAFETY: the child does its work and leaves by `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
            // SAFETY: leaves without running anything of the parent's.
            unsafe { libc::_exit(failed.into()) };
        }
        let mut status = -1;
        // SAFETY: the status is written to where one is.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}
