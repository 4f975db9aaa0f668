//! Two sides at the ends of a pair of pipes, and somebody who changes what goes through.

use std::io::{self, Read, Write, pipe};
use std::sync::{Arc, Mutex};
use std::thread;

use super::super::{How, Remote, Report, Ways, serve, sync};
use super::{Sibling, alone, siblings};
use crate::error::{Error, Result};

/// Keeps what goes through, and changes the byte at one place.
struct Tap<W> {
    /// Nothing once it is closed.
    output: Option<W>,
    seen: Arc<Mutex<Vec<u8>>>,
    change: Option<usize>,
    /// A length was changed: both sides would wait for the other.
    closes: bool,
}

impl<W> Tap<W> {
    fn new(output: W, seen: &Arc<Mutex<Vec<u8>>>, change: Option<usize>) -> Self {
        Self { output: Some(output), seen: Arc::clone(seen), change, closes: false }
    }
}

impl<W: Write> Write for Tap<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let output = self.output.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut seen = self.seen.lock().unwrap();
        let mut changed = bytes.to_vec();
        if let Some(at) = self.change.and_then(|at| at.checked_sub(seen.len())).filter(|at| *at < bytes.len()) {
            changed[at] ^= 0x40;
            self.closes = bytes.len() == size_of::<u32>();
        }
        seen.extend(bytes);
        output.write_all(&changed).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.take_if(|_| self.closes);
        self.output.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// What came of it here and there, and how many bytes went each way.
struct Talk {
    here: Result<Report>,
    there: Result<()>,
    lengths: [usize; 2],
}

/// Synchronises, changing one byte on the way there or back.
fn talk(from: &Sibling, to: &Sibling, change: [Option<usize>; 2]) -> Talk {
    let (asked, asking) = pipe().unwrap();
    let (answered, answering) = pipe().unwrap();
    let taps = [Arc::default(), Arc::default()];
    let asking = Tap::new(asking, &taps[0], change[0]);
    let answering = Tap::new(answering, &taps[1], change[1]);
    let (here, there) = thread::scope(|scope| {
        let server = scope.spawn(move || {
            serve(asked, answering, |domain| if domain == to.domain { Ok(to.replica()) } else { Err(no_member()) })
        });
        let here = (|| {
            let mut own = from.replica();
            let mut remote = Remote::new(answered, asking, &own)?;
            let report = sync(&mut own, &mut remote, Ways::Both, How::Commit, &mut |_, _| ())?;
            remote.end().map(|()| report)
        })();
        (here, server.join().unwrap())
    });
    Talk { here, there, lengths: taps.map(|tap: Arc<Mutex<Vec<u8>>>| tap.lock().unwrap().len()) }
}

fn no_member() -> Error {
    Error::DomainRefused("no member\n\u{1b}[2J".into())
}

#[test]
fn a_token_behind_a_pipe_is_like_one_here() {
    let [a, b] = siblings();
    let ids = [a.key("one"), a.key("two"), b.key("three")];
    let first = talk(&a, &b, [None, None]);
    let report = first.here.unwrap();
    assert_eq!((report.forth.created, report.back.created, first.there), (2, 1, Ok(())));
    assert!(ids.iter().all(|id| a.label(*id) == b.label(*id) && a.label(*id).is_some()));
    let again = talk(&b, &a, [None, None]);
    assert_eq!(again.here.unwrap().equal, 3);
    // Equal tokens say so in a few messages.
    assert!(again.lengths[0] < 500, "{:?}", again.lengths);
}

#[test]
fn nothing_that_was_changed_on_the_way_is_believed() {
    let [a, b] = siblings();
    a.key("one");
    let lengths = talk(&a, &b, [None, None]).lengths;
    let mut known = b.keys();
    let mut places: Vec<[Option<usize>; 2]> = Vec::new();
    for step in 0..60 {
        places.push([Some(step * lengths[0] / 60), None]);
        places.push([None, Some(step * lengths[1] / 60)]);
    }
    for place in places {
        a.key("another");
        let talked = talk(&a, &b, place);
        let refused = |outcome: Result<()>| matches!(outcome, Err(Error::Sync(_) | Error::DomainRefused(_)));
        // What came whole before is there, each time at most the keys that are new.
        if talked.here.is_ok() && talked.there.is_ok() {
            // There was no such byte any more.
            let beyond = |(place, length): (&Option<usize>, usize)| place.is_none_or(|at| at >= length);
            assert!(place.iter().zip(talked.lengths).all(beyond), "{place:?}");
        } else {
            assert!(refused(talked.here.map(drop)) || refused(talked.there), "{place:?}");
        }
        assert!(b.keys() >= known && b.keys() <= a.keys());
        known = b.keys();
    }
    assert!(talk(&a, &b, [None, None]).here.is_ok());
    assert_eq!(a.keys(), b.keys());
}

#[test]
fn who_is_not_in_the_domain_is_told_so_in_a_line() {
    let ([a, _], other) = (siblings(), alone());
    a.key("key");
    let talked = talk(&a, &other, [None, None]);
    let Err(Error::Sync(sentence)) = talked.here else { panic!("it was believed") };
    assert!(sentence.contains("no member") && !sentence.contains(char::is_control), "{sentence}");
    assert_eq!(talked.there, Err(no_member()));
    assert_eq!(other.keys(), 0);
}

#[test]
fn who_has_not_the_key_of_the_domain_gets_no_answer() {
    let ([a, b], other) = (siblings(), alone());
    a.key("key");
    let (asked, mut asking) = pipe().unwrap();
    let (mut answered, answering) = pipe().unwrap();
    let stranger = thread::spawn(move || {
        // It names the right domain, and makes its MACs with another key.
        let mut hello = Vec::new();
        let domain = a.domain;
        let sibling = Sibling { domain: other.domain, ..other };
        let mut own = Vec::new();
        let _ = Remote::new(io::empty(), &mut own, &sibling.replica());
        hello.extend(&own);
        let at = hello.windows(16).position(|window| window == sibling.domain.0).unwrap();
        hello[at..at + 16].copy_from_slice(&domain.0);
        asking.write_all(&hello).unwrap();
        // "About", with a MAC of zeros.
        asking.write_all(&[0, 0, 0, 2, 0x81, 0x00]).unwrap();
        asking.write_all(&[0; 32]).unwrap();
        drop(asking);
        let mut all = Vec::new();
        answered.read_to_end(&mut all).unwrap();
        all.len()
    });
    let served = serve(asked, answering, |_| Ok(b.replica()));
    assert!(matches!(served, Err(Error::Sync(_))));
    // A hello and nothing more.
    assert!(stranger.join().unwrap() < 100);
}
