#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use minicbor::Encoder;

use super::*;
use crate::error::{Error, Result};
use crate::store::memory::MemoryFolder;
use crate::store::suite::{done, id, items, row, terms, token};
use crate::store::{Change, Folder, Item, ObjectId, Row, TERMS, TokenRow};

#[test]
fn what_is_written_is_read() {
    let folder = two_tokens();
    let backup = backup(&folder);
    let (header, tokens) = read(&backup).unwrap();
    assert_eq!(header, self::header());
    let expected = [0, 5].map(|slot| (slot, items(&*folder.open(slot).unwrap())));
    assert_eq!(tokens, expected);
    assert_eq!(tokens[0].1.len(), 4);
}

/// Made from docs/formats.md by a program that shares no code with this one: `tests/backups/make.py`.
#[test]
fn the_example_of_the_page_is_read_and_written_again() {
    let example = include_bytes!("../../../tests/backups/example.cbor");
    let (header, tokens) = read(example).unwrap();
    assert_eq!(header, self::header());
    let term = std::array::from_fn(|place| 0x30 + u8::try_from(place).unwrap());
    let mut terms = [None; TERMS];
    (terms[0], terms[TERMS - 1]) = (Some(term), Some([0; 16]));
    let token = |version, bytes: &[u8], revision| Item::Token {
        row: TokenRow { version, bytes: bytes.into(), digest: b"digest".into() },
        revision,
    };
    let grave = ObjectId([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    let expected = [
        (
            0,
            vec![
                token(2, b"token row", 4),
                Item::Object { row: Row { terms, ..row(1, 300, b"an object's row") }, revision: 1 },
                Item::Object { row: row(2, u64::MAX, b""), revision: 4 },
                Item::Tombstone { row: Row { id: grave, ..row(0, 2, b"a tombstone's row") }, revision: 3 },
            ],
        ),
        (5, vec![token(1, b"another", 0)]),
    ];
    assert_eq!(tokens, expected);

    let folder = MemoryFolder::new();
    for (slot, items) in expected {
        let mut items = items.into_iter();
        assert!(folder.restore(slot, &mut || Ok(items.next())).unwrap());
    }
    assert_eq!(backup(&folder), example);
}

#[test]
fn each_item_is_seen_before_it_is_written() {
    let folder = two_tokens();
    let store = folder.open(0).unwrap();
    let mut seen = vec![];
    let mut writer = Writer::begin(vec![], &header()).unwrap();
    let mut see = |item: &Item| {
        seen.push(item.clone());
        Ok(())
    };
    writer.token(0, &*store, &mut see).unwrap();
    assert_eq!(seen, items(&*store));
    let refused = writer.token(5, &*store, &mut |_| Err(Error::HostMemory("the test")));
    assert_eq!(refused, Err(Error::HostMemory("the test")));
}

#[test]
fn a_backup_that_ends_too_early_is_refused() {
    let backup = backup(&two_tokens());
    for length in 0..backup.len() {
        assert_eq!(read(&backup[..length]).unwrap_err(), damaged("it ends too early"), "{length} bytes");
    }
    assert_eq!(read(&[&backup[..], &[0]].concat()).unwrap_err(), damaged("something follows its end"));
}

/// Whoever can change it can make another one; but what is not written so is not taken.
#[test]
fn what_is_out_of_order_is_refused() {
    let (start, end) = (header_bytes(), [0x82, 5, 1]);
    let token = |slot| {
        item(|e| {
            e.array(6)
                .unwrap()
                .u8(1)
                .unwrap()
                .u32(slot)
                .unwrap()
                .u8(1)
                .unwrap()
                .u8(9)
                .unwrap()
                .bytes(b"t")
                .unwrap()
                .bytes(b"d")
                .unwrap()
        })
    };
    let object = |number, record: &[u8]| {
        item(|e| {
            e.array(6).unwrap().u8(2).unwrap().bytes(&[number; 16]).unwrap().u8(1).unwrap().u8(1).unwrap();
            e.encode([None::<u8>; TERMS]).unwrap();
            e.bytes(record).unwrap()
        })
    };
    let grave = |number| {
        item(|e| {
            e.array(5)
                .unwrap()
                .u8(3)
                .unwrap()
                .bytes(&[number; 16])
                .unwrap()
                .u8(1)
                .unwrap()
                .u8(1)
                .unwrap()
                .bytes(b"")
                .unwrap()
        })
    };
    let ends = |objects, tombstones| vec![0x83, 4, objects, tombstones];
    let long = object(2, &[7; 200_000]);
    let sequence = |parts: &[&[u8]]| read(&[&[&start[..]], parts].concat().concat());

    let good = sequence(&[&token(3), &object(1, b""), &long, &grave(1), &grave(2), &ends(2, 2), &end]).unwrap();
    assert_eq!((good.1[0].0, good.1[0].1.len()), (3, 5));
    assert_eq!(sequence(&[&[0x82, 5, 0]]).unwrap().1, []);

    let order = "its items are out of order";
    let parts = "a token holds another number of objects than it says";
    for (why, wrong) in [
        (order, vec![object(1, b""), ends(1, 0), end.into()]),
        (order, vec![token(3), ends(0, 0), token(3), ends(0, 0), vec![0x82, 5, 2]]),
        (order, vec![token(3), ends(0, 0), token(2), ends(0, 0), vec![0x82, 5, 2]]),
        (order, vec![token(3), token(4), ends(0, 0), end.into()]),
        (order, vec![token(3), end.into()]),
        (order, vec![start.clone(), end.into()]),
        (order, vec![token(3), start.clone(), ends(0, 0), end.into()]),
        (order, vec![token(3), object(2, b""), object(1, b""), ends(2, 0), end.into()]),
        (order, vec![token(3), object(2, b""), object(2, b""), ends(2, 0), end.into()]),
        (order, vec![token(3), grave(1), object(2, b""), ends(1, 1), end.into()]),
        (order, vec![token(3), grave(1), grave(1), ends(0, 2), end.into()]),
        (parts, vec![token(3), object(1, b""), ends(0, 0), end.into()]),
        (parts, vec![token(3), object(1, b""), ends(0, 1), end.into()]),
        ("it holds another number of tokens than it says", vec![token(3), ends(0, 0), vec![0x82, 5, 0]]),
    ] {
        let wrong: Vec<&[u8]> = wrong.iter().map(Vec::as_slice).collect();
        assert_eq!(sequence(&wrong).unwrap_err(), damaged(why));
    }
    assert_eq!(read(&end).unwrap_err(), damaged("it does not begin with a header"));
}

#[test]
fn only_the_one_form_of_an_item_is_taken() {
    let start = header_bytes();
    for (what, wrong) in [
        ("a long number", &[0x82, 5, 0x18, 0][..]),
        ("a long array", &[0x98, 2, 5, 0]),
        ("an array without end", &[0x9f, 5, 0, 0xff]),
        ("a kind that nobody knows", &[0x82, 6, 0]),
        ("an element too many", &[0x83, 5, 0, 0]),
        ("an element too few", &[0x81, 5]),
        ("a map", &[0xa1, 5, 0]),
        ("text", &[0x61, b'x']),
        ("no CBOR", &[0xff]),
        ("a number that nobody has", &[0x1c]),
    ] {
        let Err(Error::Backup(sentence)) = read(&[&start[..], wrong].concat()) else { panic!("{what} was taken") };
        assert!(sentence.starts_with("the backup is damaged: "), "{what}: {sentence}");
        assert!(!sentence.contains("too early"), "{what}: {sentence}");
    }
    // A length that nobody can believe takes no memory.
    let endless = [&start[..], &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
    assert_eq!(read(&endless).unwrap_err(), damaged("it ends too early"));
}

/// Whatever is read at all is what would be written: nothing has two forms, and nothing is read past.
#[test]
fn what_is_read_would_be_written_so() {
    let whole = backup(&two_tokens());
    let mut taken = 0;
    for (place, flip) in (0..whole.len()).flat_map(|place| (1..=255).map(move |flip| (place, flip))) {
        let mut changed = whole.clone();
        changed[place] ^= flip;
        let Ok((header, tokens)) = read(&changed) else { continue };
        taken += 1;
        let folder = MemoryFolder::new();
        for (slot, items) in tokens {
            let mut items = items.into_iter();
            // The same id may come as an object and as a tombstone: a token is not made of that.
            let _ = folder.restore(slot, &mut || Ok(items.next()));
        }
        let mut writer = Writer::begin(vec![], &header).unwrap();
        for slot in folder.slots().unwrap() {
            writer.token(slot, &*folder.open(slot).unwrap(), &mut |_| Ok(())).unwrap();
        }
        if folder.slots().unwrap().len() == 2 {
            assert_eq!(writer.end().unwrap(), changed, "byte {place}, {flip:#x}");
        }
    }
    assert!(taken > 1000, "{taken} were read, most of which change what is inside a row");
}

#[test]
fn another_format_is_named() {
    let of = |format: u64, rows: u64| {
        item(|e| {
            e.array(8).unwrap().u8(0).unwrap().str("keystead backup").unwrap().u64(format).unwrap().u64(rows).unwrap();
            e.u8(0).unwrap().u8(0).unwrap().u8(0).unwrap().u8(0).unwrap()
        })
    };
    let rows = crate::store::sqlite::FORMAT.unsigned_abs();
    for (bytes, words) in [
        (of(2, rows), "it has format 2; this library knows format 1".to_owned()),
        (of(1, rows + 1), format!("its tokens have format {}; this library knows format {rows}", rows + 1)),
        (
            item(|e| e.array(3).unwrap().u8(0).unwrap().str("something else").unwrap().u8(1).unwrap()),
            "no backup of Keystead".into(),
        ),
    ] {
        let Err(Error::Backup(sentence)) = read(&bytes) else { panic!("it was taken") };
        assert!(sentence.contains(&words), "{sentence}");
    }
}

#[test]
fn trouble_with_the_medium_is_said_as_such() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("a scratch"))
        }
    }
    let unread = Reader::begin(Broken).map(drop).unwrap_err();
    assert_eq!(unread.to_string(), "the backup cannot be read: a scratch");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let unwritten = Writer::begin(full, &header()).map(drop).unwrap_err();
    assert!(unwritten.to_string().starts_with("the backup cannot be written: No space left"), "{unwritten}");
}

fn header() -> Header {
    Header { made: 1_800_000_000, library: "0.1.0".into(), next_slot: 9 }
}

/// Slot 0 with two objects and a tombstone, slot 5 with nothing.
fn two_tokens() -> MemoryFolder {
    let folder = MemoryFolder::new();
    let store = token(&folder);
    done(&*store, vec![Change::Insert(Row { terms: terms(&[(0, 7), (5, 9)]), ..row(2, u64::MAX, b"record") })]);
    done(&*store, vec![Change::Insert(row(1, 1, b"x")), Change::Insert(row(3, 1, b"y"))]);
    done(&*store, vec![Change::Delete { id: id(1), expected: 1, tombstone: b"grave".into() }]);
    assert!(folder.create(5, b"another", b"digest").unwrap());
    folder
}

fn backup(folder: &dyn Folder) -> Vec<u8> {
    let mut writer = Writer::begin(vec![], &header()).unwrap();
    for slot in folder.slots().unwrap() {
        writer.token(slot, &*folder.open(slot).unwrap(), &mut |_| Ok(())).unwrap();
    }
    writer.end().unwrap()
}

type Tokens = Vec<(u32, Vec<Item>)>;

fn read(bytes: &[u8]) -> Result<(Header, Tokens)> {
    let mut reader = Reader::begin(bytes)?;
    let mut tokens = vec![];
    while let Some(slot) = reader.next_token()? {
        let mut items = vec![];
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
        tokens.push((slot, items));
    }
    Ok((reader.header().clone(), tokens))
}

fn header_bytes() -> Vec<u8> {
    let mut bytes = vec![];
    Writer::begin(&mut bytes, &header()).unwrap();
    bytes
}

fn item(write: impl FnOnce(&mut Encoder<Vec<u8>>) -> &mut Encoder<Vec<u8>>) -> Vec<u8> {
    let mut encoder = Encoder::new(vec![]);
    write(&mut encoder);
    encoder.into_writer()
}

fn damaged(why: &str) -> Error {
    Error::Backup(format!("the backup is damaged: {why}").into())
}
