//! The figures for people.

use super::figures::{Field, Row};
use super::side::Lack;
use crate::figure::time;

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In columns, for a terminal; what was disturbed or lacking stands behind the row.
    Text,
    /// For a page.
    Markdown,
}

/// A column. Sides and numbers of threads are places in the [`Field`].
#[derive(Clone, Copy)]
pub enum Column {
    Median(usize),
    Best(usize),
    Ratio(usize),
    OwnCost,
    OfBare,
    Gain { side: usize, threads: usize },
}

/// The columns of times with one thread.
pub fn times(field: &Field) -> Vec<Column> {
    let sides = 0..field.names.len();
    let of_side = |side: usize| match side {
        0 => vec![Column::Median(0), Column::Best(0)],
        _ if field.has_bare && side + 1 == field.names.len() => {
            vec![Column::Median(side), Column::Best(side), Column::OwnCost, Column::OfBare]
        }
        _ => vec![Column::Median(side), Column::Best(side), Column::Ratio(side)],
    };
    sides.flat_map(of_side).collect()
}

/// The columns of what several threads do of what one does.
pub fn gains(field: &Field) -> Vec<Column> {
    let threads = 1..field.threads.len();
    threads.flat_map(|threads| (0..field.names.len()).map(move |side| Column::Gain { side, threads })).collect()
}

impl Form {
    /// The lines above the rows.
    pub fn heading(self, field: &Field, columns: &[Column]) -> String {
        let line = self.line("operation", columns.iter().map(|column| column.heading(field)), field, columns);
        match self {
            Self::Text => line,
            Self::Markdown => format!("{line}\n|---|{}", "--:|".repeat(columns.len())),
        }
    }

    /// One row.
    pub fn row(self, field: &Field, columns: &[Column], row: &Row) -> String {
        let cells = columns.iter().map(|column| column.cell(row).unwrap_or_else(|| "-".to_owned()));
        let line = self.line(&row.operation.name(), cells, field, columns);
        if self == Self::Text { line + &remarks(field, row) } else { line }
    }

    fn line(self, name: &str, cells: impl Iterator<Item = String>, field: &Field, columns: &[Column]) -> String {
        match self {
            Self::Text => {
                let cells = cells.zip(columns);
                cells.fold(format!("{name:<20}"), |line, (cell, column)| {
                    let width = column.heading(field).len().max(NARROWEST) + 2;
                    format!("{line}{cell:>width$}")
                })
            }
            Self::Markdown => cells.fold(format!("| {name} |"), |line, cell| format!("{line} {cell} |")),
        }
    }
}

/// `345 us` and a bit.
const NARROWEST: usize = 7;

impl Column {
    fn heading(self, field: &Field) -> String {
        let name = |side: usize| field.names.get(side).cloned().unwrap_or_default();
        match self {
            Self::Median(side) => name(side),
            Self::Best(_) => "best".to_owned(),
            Self::Ratio(_) => "ratio".to_owned(),
            Self::OwnCost => "own cost".to_owned(),
            Self::OfBare => "of bare".to_owned(),
            Self::Gain { side, threads } => {
                format!("x{} {}", field.threads.get(threads).copied().unwrap_or_default(), name(side))
            }
        }
    }

    fn cell(self, row: &Row) -> Option<String> {
        let number = |figure: f64| format!("{figure:.2}");
        match self {
            Self::Median(side) => match &row.sides.get(side)?.rounds {
                Err(Lack { is_fault: true, .. }) => Some("FAILED".to_owned()),
                _ => row.sides.get(side)?.median(0).map(time),
            },
            Self::Best(side) => row.sides.get(side)?.best(0).map(time),
            Self::Ratio(side) => row.ratio(side).map(number),
            Self::OwnCost => row.own_cost().map(time),
            Self::OfBare => row.ratio(row.sides.len().checked_sub(1)?).map(number),
            Self::Gain { side, threads } => row.sides.get(side)?.gain(threads).map(number),
        }
    }
}

fn remarks(field: &Field, row: &Row) -> String {
    let mut remarks = String::new();
    for (name, side) in field.names.iter().zip(&row.sides) {
        match &side.rounds {
            Err(lack) if name != BARE => remarks += &format!("  {name}: {}", lack.reason),
            _ if side.disturbed != 0 => remarks += &format!("  {name}: {} turns disturbed", side.disturbed),
            _ => (),
        }
    }
    remarks
}

/// What the bare primitive is called.
pub const BARE: &str = "bare";
