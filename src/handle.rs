//! Handles, and the table behind them: for sessions and for objects alike.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use crate::lock;

/// What a caller holds: index and generation of a slot. Never 0, and given out once by its table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(u64);

impl Handle {
    /// No handle: nothing is ever behind it.
    pub const NONE: Self = Self(0);

    /// The handle that a caller passed; whether anything is behind it shows when it is used.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number for the caller.
    pub const fn raw(self) -> u64 {
        self.0
    }

    fn new(index: u32, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | (u64::from(index) + 1))
    }

    /// The index and generation that the number names, if it can name any.
    fn parts(self) -> Option<(u32, u32)> {
        let index = (self.0 as u32).checked_sub(1)?;
        Some((index, (self.0 >> 32) as u32))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A growing table of values behind [`Handle`]s, each under a small lock of its own of rank `RANK`. Slots live in chunks
/// of doubling size that are made once and never moved or freed, so looking up takes no lock of the table; only inserting and
/// removing touch the free list.
pub struct Slots<const RANK: u8, T> {
    first_generation: u32,
    chunks: Chunks<Slot<RANK, T>>,
    free: Mutex<Free>,
}

/// A cache line of its own, so that two threads on two sessions do not fight.
#[repr(align(64))]
struct Slot<const RANK: u8, T>(lock::Mutex<RANK, Content<T>>);

struct Content<T> {
    generation: u32,
    value: Option<T>,
}

/// Indexes that were given back, oldest first, and the first index that was never used.
struct Free {
    returned: VecDeque<u32>,
    fresh: u32,
}

const CHUNKS: usize = 20;
/// The length of the first chunk; each one is twice as long as the one before.
const FIRST: u32 = 32;
/// How many slots all chunks have together.
const SLOTS: u32 = FIRST * ((1 << CHUNKS) - 1);

impl<const RANK: u8, T> Slots<RANK, T> {
    /// An empty table. Generations begin anywhere, so that a handle of an earlier life of the library, of another token, or
    /// of the parent of a forked child is hardly ever taken for one of this table.
    pub fn new() -> Self {
        let mut start = [0; 4];
        // Without entropy they begin at 0, which is no secret either.
        let _ = getrandom::fill(&mut start);
        Self {
            first_generation: u32::from_ne_bytes(start) >> 1,
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: Mutex::new(Free { returned: VecDeque::new(), fresh: 0 }),
        }
    }

    /// Puts the value in that `make` makes for its handle; `None` when the table is full (33 million).
    pub fn insert(&self, make: impl FnOnce(Handle) -> T) -> Option<Handle> {
        let index = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            match free.returned.pop_front() {
                Some(index) => index,
                None => {
                    let fresh = free.fresh;
                    free.fresh = fresh.saturating_add(1).min(SLOTS);
                    fresh
                }
            }
        };
        let slot = self.slot(index, true)?;
        let mut content = slot.0.lock();
        let handle = Handle::new(index, content.generation);
        content.value = Some(make(handle));
        Some(handle)
    }

    /// Leaves so many slots that were never used.
    #[cfg(test)]
    pub fn leave(&self, slots: u32) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.returned.clear();
        free.fresh = SLOTS - slots;
    }

    /// Works on the value behind `handle` with its lock held, or returns `None` if there is none.
    pub fn with<R>(&self, handle: Handle, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.with_or(handle, || None, |value| Some(work(value)))
    }

    /// The same with another answer where there is no value: what `work` returns is not wrapped up once more.
    pub fn with_or<R>(&self, handle: Handle, missing: impl FnOnce() -> R, work: impl FnOnce(&mut T) -> R) -> R {
        let Some((index, generation)) = handle.parts() else { return missing() };
        let Some(slot) = self.slot(index, false) else { return missing() };
        let mut content = slot.0.lock();
        if content.generation != generation {
            return missing();
        }
        match &mut content.value {
            Some(value) => work(value),
            None => missing(),
        }
    }

    /// Takes the value out if `condition` holds for it; its handle is dead from then on.
    pub fn remove_if(&self, handle: Handle, condition: impl FnOnce(&T) -> bool) -> Option<T> {
        let (index, generation) = handle.parts()?;
        let mut content = self.slot(index, false)?.0.lock();
        if content.generation != generation || !content.value.as_ref().is_some_and(condition) {
            return None;
        }
        let value = content.value.take();
        let next = content.generation.checked_add(1);
        if let Some(next) = next {
            content.generation = next;
        }
        drop(content);
        // A slot whose generations are used up is never given out again.
        if next.is_some() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).returned.push_back(index);
        }
        value
    }

    /// Takes the value out; its handle is dead from then on.
    pub fn remove(&self, handle: Handle) -> Option<T> {
        self.remove_if(handle, |_| true)
    }

    /// Works on every value in turn, one lock at a time.
    pub fn for_each(&self, mut work: impl FnMut(Handle, &mut T)) {
        let end = self.free.lock().unwrap_or_else(PoisonError::into_inner).fresh;
        for index in 0..end {
            // Whoever makes a chunk may be slower than who makes the next.
            let Some(slot) = self.slot(index, false) else {
                continue;
            };
            let mut content = slot.0.lock();
            let handle = Handle::new(index, content.generation);
            if let Some(value) = content.value.as_mut() {
                work(handle, value);
            }
        }
    }

    /// Takes out every value for which `condition` holds and returns them.
    pub fn drain_if(&self, mut condition: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut found = Vec::new();
        self.for_each(|handle, value| {
            if condition(value) {
                found.push(handle);
            }
        });
        found.into_iter().filter_map(|handle| self.remove_if(handle, &mut condition)).collect()
    }

    fn slot(&self, index: u32, make: bool) -> Option<&Slot<RANK, T>> {
        let empty = || Slot::empty(self.first_generation);
        entry(&self.chunks, index, make.then_some(&empty))
    }
}

/// The entry of an index, in a chunk that is made where it is missing and `make` says of what.
fn entry<'a, E>(chunks: &'a Chunks<E>, index: u32, make: Option<&dyn Fn() -> E>) -> Option<&'a E> {
    let position = index.checked_add(FIRST)?;
    let chunk = (position / FIRST).ilog2();
    let length = FIRST.checked_shl(chunk)?;
    let cell = chunks.get(chunk as usize)?;
    let entries = match make {
        Some(make) => cell.get_or_init(|| (0..length).map(|_| make()).collect()),
        None => cell.get()?,
    };
    entries.get(position.checked_sub(length)? as usize)
}

/// What is known of the values of a [`Slots`] without their locks, by the same handles: whoever reads it never waits for who
/// works on the value. The locks here are held only to look, and nothing is taken inside them.
pub struct Beside<F> {
    chunks: Chunks<RwLock<Option<(Handle, F)>>>,
}

impl<F> Beside<F> {
    /// Nothing is known.
    pub fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Puts down what is known of the value behind `handle`, before anybody has the handle.
    pub fn put(&self, handle: Handle, facts: F) {
        let place = handle.parts().and_then(|(index, _)| entry(&self.chunks, index, Some(&|| RwLock::new(None))));
        if let Some(place) = place {
            *place.write().unwrap_or_else(PoisonError::into_inner) = Some((handle, facts));
        }
    }

    /// Looks at what is known of the value behind `handle`; `look` takes no lock.
    pub fn read<R>(&self, handle: Handle, look: impl FnOnce(&F) -> R) -> Option<R> {
        let known = self.place(handle)?.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(of, _)| *of == handle).map(|(_, facts)| look(facts))
    }

    /// Forgets it, unless the place is another handle's already.
    pub fn remove(&self, handle: Handle) {
        if let Some(place) = self.place(handle) {
            place.write().unwrap_or_else(PoisonError::into_inner).take_if(|(of, _)| *of == handle);
        }
    }

    fn place(&self, handle: Handle) -> Option<&RwLock<Option<(Handle, F)>>> {
        entry(&self.chunks, handle.parts()?.0, None)
    }
}

impl<F> Default for Beside<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Chunks of doubling size that are made once and never moved or freed.
type Chunks<E> = [OnceLock<Box<[E]>>; CHUNKS];

impl<const RANK: u8, T> Default for Slots<RANK, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const RANK: u8, T> Slot<RANK, T> {
    fn empty(generation: u32) -> Self {
        Self(lock::Mutex::new(Content { generation, value: None }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::HashSet;

    use super::*;

    type Table = Slots<{ lock::SESSION }, u32>;

    #[test]
    fn handles_are_never_zero_and_never_reused() {
        let table = Table::new();
        let mut seen = HashSet::new();
        for round in 0..1_000 {
            let handle = table.insert(|_| round).unwrap();
            assert_ne!(handle.raw(), 0);
            assert!(seen.insert(handle));
            if round % 3 != 0 {
                assert_eq!(table.remove(handle), Some(round));
                assert_eq!(table.with(handle, |value| *value), None);
            }
        }
    }

    #[test]
    fn each_handle_finds_its_own_value_over_many_chunks() {
        let table = Table::new();
        let handles: Vec<_> = (0..10_000).map(|value| table.insert(|_| value).unwrap()).collect();
        for (value, handle) in (0..).zip(&handles) {
            assert_eq!(table.with(*handle, |value| *value), Some(value));
        }
        assert_eq!(table.drain_if(|value| value % 2 == 0).len(), 5_000);
    }

    #[test]
    fn what_stands_beside_a_value_goes_with_its_handle() {
        let (table, beside) = (Table::new(), Beside::new());
        let insert = |value| {
            let put = |handle| {
                beside.put(handle, value);
                value
            };
            table.insert(put).unwrap()
        };
        let handles: Vec<_> = (0..1_000).map(insert).collect();
        for (value, handle) in (0..).zip(&handles) {
            assert_eq!(table.with(*handle, |_| beside.read(*handle, |value| *value)), Some(Some(value)));
        }
        let (old, _) = (handles[7], table.remove(handles[7]));
        beside.remove(old);
        assert_eq!(beside.read(old, |_| ()), None);
        let new = insert(7_000);
        beside.remove(old);
        assert_eq!((beside.read(old, |value| *value), beside.read(new, |value| *value)), (None, Some(7_000)));
        assert_eq!(beside.read(Handle::NONE, |_| ()), None);
    }

    #[test]
    fn numbers_that_nobody_gave_out_find_nothing() {
        let table = Table::new();
        table.insert(|_| 1).unwrap();
        for raw in [0, u64::MAX, u64::from(u32::MAX)] {
            assert_eq!(table.with(Handle::from_raw(raw), |value| *value), None);
        }
    }
}
