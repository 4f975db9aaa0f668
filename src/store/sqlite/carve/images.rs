//! The pages of a token's file and of its log, as they are: <https://www.sqlite.org/fileformat2.html>, section 4.
//!
//! SQLite believes the log up to the first frame whose checksum is wrong. Here each frame is judged beside the one before it only, so
//! that a damaged one costs itself.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use crate::store::sqlite::connection::beside;

/// How long a page is: the format of our files says so, whatever is left of their header.
pub(super) const PAGE: usize = 4096;

/// One page's bytes.
pub(super) type Page = [u8; PAGE];

/// Where the bytes of a page are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// In the file, counted from 0.
    File(u32),
    /// In the log, counted from 0.
    Frame(u32),
}

/// Which frames count where a page is looked for by its number: those before this one.
pub(super) type Moment = u32;

/// All images of a token's pages.
pub(super) struct Images {
    file: File,
    pages: u32,
    log: Option<(File, Vec<Frame>)>,
    /// The good frames of each page, ascending. The file's pages are counted from 1.
    by_page: BTreeMap<u32, Vec<u32>>,
    /// The last damaged frame of each page.
    damaged: BTreeMap<u32, u32>,
    /// Behind the last commit.
    now: Moment,
    found: [Option<Stamp>; 2],
}

/// A frame of the log.
#[derive(Clone, Copy)]
struct Frame {
    page: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// As it was written, and a commit follows; behind which.
    Committed(Moment),
    /// As it was written, but no commit follows: nobody was told that it was there.
    Open,
    /// Not as it was written, or what follows is not, so that it may have been committed.
    Damaged,
    /// Of the log before this one.
    Foreign,
}

impl Images {
    /// Of this file and the log beside it, if there is one. Nothing is written, nor is anything made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let pages = u32::try_from(about.len().div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let log = match File::open(beside(path, "-wal")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            log => Some(log?),
        };
        let found = [Some(Stamp::of(&about)), log.as_ref().map(File::metadata).transpose()?.as_ref().map(Stamp::of)];
        let log = log.map(|log| frames(&log).map(|frames| (log, frames))).transpose()?;
        let mut by_page: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut damaged = BTreeMap::new();
        let mut now = 0;
        for (number, frame) in log.iter().flat_map(|(_, frames)| (0..).zip(frames)) {
            match frame.state {
                State::Committed(behind) => {
                    by_page.entry(frame.page).or_default().push(number);
                    now = behind;
                }
                State::Damaged => drop(damaged.insert(frame.page, number)),
                State::Open | State::Foreign => {}
            }
        }
        Ok(Self { file, pages, log, by_page, damaged, now, found })
    }

    /// Every image that may hold something, with the moment that goes with it.
    pub(super) fn all(&self) -> impl Iterator<Item = (Image, Moment)> {
        let file = (0..self.pages).map(|page| {
            let image = Image::File(page);
            (image, if self.is_current(image) { self.now } else { 0 })
        });
        let frames = self.log.iter().flat_map(|(_, frames)| (0..).zip(frames));
        file.chain(frames.filter_map(|(number, frame)| match frame.state {
            State::Committed(behind) => Some((Image::Frame(number), behind)),
            State::Damaged | State::Foreign => Some((Image::Frame(number), self.now)),
            State::Open => None,
        }))
    }

    /// Whether this is what the page is now, as far as can be told: nothing that was written later is there, damaged or not.
    pub(super) fn is_current(&self, image: Image) -> bool {
        let last = |page| self.by_page.get(&page).and_then(|frames| frames.last());
        match image {
            Image::File(page) => {
                let page = page.saturating_add(1);
                last(page).is_none() && !self.damaged.contains_key(&page)
            }
            Image::Frame(number) => {
                let frame = self.log.as_ref().and_then(|(_, frames)| frames.get(number as usize));
                frame.is_some_and(|Frame { page, .. }| {
                    last(*page) == Some(&number) && self.damaged.get(page).is_none_or(|damaged| *damaged < number)
                })
            }
        }
    }

    /// The bytes; zeroes where the file is cut off.
    pub(super) fn read(&self, image: Image) -> io::Result<Page> {
        match (image, &self.log) {
            (Image::File(page), _) => read_page(&self.file, u64::from(page).saturating_mul(PAGE as u64)),
            (Image::Frame(frame), Some((log, _))) => read_page(log, at(frame).saturating_add(FRAME_HEADER as u64)),
            (Image::Frame(_), None) => Ok([0; PAGE]),
        }
    }

    /// The page with this number, counted from 1, at a moment; none if there is none.
    pub(super) fn page(&self, number: u32, moment: Moment) -> io::Result<Option<Page>> {
        let frames = self.by_page.get(&number).map_or(&[][..], Vec::as_slice);
        let before = frames.partition_point(|frame| *frame < moment);
        let image = match (before.checked_sub(1).and_then(|last| frames.get(last)), number.checked_sub(1)) {
            (Some(frame), _) => Image::Frame(*frame),
            (None, Some(page)) if page < self.pages => Image::File(page),
            (None, _) => return Ok(None),
        };
        self.read(image).map(Some)
    }

    /// How many bytes there are in all.
    pub(super) fn length(&self) -> u64 {
        self.found.iter().flatten().fold(0, |sum: u64, stamp| sum.saturating_add(stamp.length))
    }

    /// Whether nobody has written since this was opened, as far as the system tells.
    pub(super) fn is_still(&self) -> io::Result<bool> {
        let log = self.log.as_ref().map(|(log, _)| log.metadata()).transpose()?;
        Ok([Some(Stamp::of(&self.file.metadata()?)), log.as_ref().map(Stamp::of)] == self.found)
    }
}

#[derive(PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        Self { length: about.len(), modified: (about.mtime(), about.mtime_nsec()) }
    }
}

/// The frames of a log, in their order.
fn frames(log: &File) -> io::Result<Vec<Frame>> {
    let length = log.metadata()?.len();
    let count = length.saturating_sub(HEADER as u64).div_ceil(FRAME as u64);
    let header: [u8; HEADER] = read(log, 0)?;
    let mut salts: Option<[u8; 8]> = word(&header, 16);
    let big = header.get(3).is_some_and(|last| last & 1 == 1);
    let mut seed = pair(&header, 24);
    let sum = checksum([0; 2], header.get(..24).unwrap_or_default(), big);
    if seed != Some(sum) || !header.starts_with(&MAGIC) {
        // Whose frames they are tells the first one.
        (salts, seed) = (None, None);
    }
    // Once the log has no header, its words are taken to be as this machine writes them.
    let big = if seed.is_some() { big } else { cfg!(target_endian = "big") };
    let mut frames = Vec::new();
    for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        let frame: [u8; FRAME] = read(log, at(number))?;
        let ours = salts.is_none() || word(&frame, 8) == salts;
        salts = salts.or_else(|| word(&frame, 8));
        let told = pair(&frame, 16);
        let sum = seed.zip(frame.get(..8)).zip(frame.get(FRAME_HEADER..));
        let sum = sum.map(|((seed, head), page)| checksum(checksum(seed, head, big), page, big));
        let [page, size] = [0, 4].map(|place| word(&frame, place).map_or(0, u32::from_be_bytes));
        let state = match ours {
            true if sum.is_some() && sum == told => State::Open,
            true => State::Damaged,
            false => State::Foreign,
        };
        frames.push((Frame { page, state }, size != 0));
        seed = told;
    }
    Ok(judged(frames))
}

/// Tells what was committed; each frame comes with whether it ends a transaction.
fn judged(mut frames: Vec<(Frame, bool)>) -> Vec<Frame> {
    let (mut end, mut damage) = (None, false);
    let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    for (number, (frame, is_end)) in (0..count).rev().zip(frames.iter_mut().rev()) {
        damage |= frame.state == State::Damaged;
        if frame.state != State::Open {
            continue;
        }
        if *is_end {
            end = Some(number.saturating_add(1));
        }
        match end {
            Some(behind) => frame.state = State::Committed(behind),
            None if damage => frame.state = State::Damaged,
            None => {}
        }
    }
    frames.into_iter().map(|(frame, _)| frame).collect()
}

/// The checksum of section 4.2, going on from `sum`.
fn checksum(sum: [u32; 2], bytes: &[u8], big: bool) -> [u32; 2] {
    let number = |word: &[u8; 4]| if big { u32::from_be_bytes(*word) } else { u32::from_le_bytes(*word) };
    let [mut first, mut second] = sum;
    for words in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
        let [one, other] = words;
        first = first.wrapping_add(number(one)).wrapping_add(second);
        second = second.wrapping_add(number(other)).wrapping_add(first);
    }
    [first, second]
}

fn pair(bytes: &[u8], place: usize) -> Option<[u32; 2]> {
    let [first, second] = [place, place.saturating_add(4)].map(|place| word(bytes, place).map(u32::from_be_bytes));
    Some([first?, second?])
}

fn word<const LENGTH: usize>(bytes: &[u8], place: usize) -> Option<[u8; LENGTH]> {
    bytes.get(place..)?.first_chunk().copied()
}

/// Where a frame begins.
fn at(frame: u32) -> u64 {
    u64::from(frame).saturating_mul(FRAME as u64).saturating_add(HEADER as u64)
}

fn read_page(file: &File, at: u64) -> io::Result<Page> {
    read(file, at)
}

/// Zeroes where the file has ended.
fn read<const LENGTH: usize>(file: &File, at: u64) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let mut rest = &mut bytes[..];
    let mut at = at;
    while !rest.is_empty() {
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(read) => {
                at = at.saturating_add(read as u64);
                rest = rest.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const FRAME: usize = FRAME_HEADER + PAGE;
/// Without the last byte, which says how words are read.
const MAGIC: [u8; 3] = [0x37, 0x7f, 0x06];
