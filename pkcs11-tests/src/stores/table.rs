//! The figures, for people and as JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::figure::time;

/// One figure.
#[derive(Clone, Copy)]
pub enum Cell {
    /// Nanoseconds.
    Time(f64),
    /// Bytes.
    Bytes(f64),
}

/// Rows in the order in which they were measured.
pub struct Table {
    rows: Vec<Row>,
    /// Whether each row is printed as soon as it is there.
    is_live: bool,
}

struct Row {
    objects: u64,
    name: &'static str,
    /// Ours first; none where a module lacks it or failed.
    cells: Vec<Option<Cell>>,
}

impl Table {
    /// An empty table, that prints its heading and each row when it comes, if it is live.
    pub fn new(is_live: bool) -> Self {
        if is_live {
            println!("| objects | what | ours | peer | ratio |\n| ---: | --- | ---: | ---: | ---: |");
        }
        Self { rows: Vec::new(), is_live }
    }

    /// Adds a row.
    pub fn add(&mut self, objects: u64, name: &'static str, cells: Vec<Option<Cell>>) {
        let row = Row { objects, name, cells };
        if self.is_live {
            println!("{row}");
        }
        self.rows.push(row);
    }

    /// The rows for a program: times in nanoseconds.
    pub fn json(&self) -> Value {
        let figure = |row: &Row, index: usize| row.cells.get(index).copied().flatten().map(Cell::figure);
        let row = |row: &Row| json!({ "objects": row.objects, "what": row.name, "ours": figure(row, 0), "peer": figure(row, 1), "ratio": row.ratio() });
        self.rows.iter().map(row).collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |index: usize| match self.cells.get(index) {
            Some(Some(cell)) => cell.to_string(),
            Some(None) => "none".to_owned(),
            None => String::new(),
        };
        let ratio = self.ratio().map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
        write!(f, "| {} | {} | {} | {} | {ratio} |", self.objects, self.name, cell(0), cell(1))
    }
}

impl Row {
    /// The other module's figure in ours.
    fn ratio(&self) -> Option<f64> {
        match self.cells.as_slice() {
            [Some(ours), Some(peer)] => Some(peer.figure() / ours.figure()),
            _ => None,
        }
    }
}

impl Cell {
    fn figure(self) -> f64 {
        match self {
            Self::Time(figure) | Self::Bytes(figure) => figure,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time(nanos) => f.write_str(&time(nanos)),
            Self::Bytes(bytes) => write!(f, "{bytes:.0} B"),
        }
    }
}
