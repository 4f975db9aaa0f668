//! The figures, for people and as JSON.

use std::fmt;

use serde_json::{Value, json};

/// One figure.
#[derive(Clone, Copy)]
pub enum Cell {
    /// Nanoseconds.
    Time(f64),
    /// Bytes.
    Bytes(f64),
}

/// Rows in the order in which they were measured.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    objects: u64,
    name: &'static str,
    /// Ours first; none where a module lacks it or failed.
    cells: Vec<Option<Cell>>,
}

impl Table {
    /// Adds a row.
    pub fn add(&mut self, objects: u64, name: &'static str, cells: Vec<Option<Cell>>) {
        self.rows.push(Row { objects, name, cells });
    }

    /// The rows for a program: times in nanoseconds.
    pub fn json(&self) -> Value {
        let figure = |row: &Row, index: usize| row.cells.get(index).copied().flatten().map(Cell::figure);
        let row = |row: &Row| json!({ "objects": row.objects, "what": row.name, "ours": figure(row, 0), "peer": figure(row, 1), "ratio": row.ratio() });
        self.rows.iter().map(row).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| objects | what | ours | peer | ratio |")?;
        writeln!(f, "| ---: | --- | ---: | ---: | ---: |")?;
        for row in &self.rows {
            let cell = |index: usize| match row.cells.get(index) {
                Some(Some(cell)) => cell.to_string(),
                Some(None) => "none".to_owned(),
                None => String::new(),
            };
            let ratio = row.ratio().map(|ratio| format!("{ratio:.1}")).unwrap_or_default();
            writeln!(f, "| {} | {} | {} | {} | {ratio} |", row.objects, row.name, cell(0), cell(1))?;
        }
        Ok(())
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
            Self::Time(nanos) if nanos < 1e3 => write!(f, "{nanos:.0} ns"),
            Self::Time(nanos) if nanos < 1e6 => write!(f, "{:.1} us", nanos / 1e3),
            Self::Time(nanos) => write!(f, "{:.1} ms", nanos / 1e6),
            Self::Bytes(bytes) => write!(f, "{bytes:.0} B"),
        }
    }
}

/// The one in the middle of those that are numbers; none of none.
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.iter().copied().filter(|figure| figure.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
