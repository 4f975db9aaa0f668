//! The figures as Markdown, by themselves or in a page of the documentation.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::figures::{Field, Row};
use super::machine::Machine;
use super::side::Side;
use super::table::{self, Column, Form};
use crate::failure::{Failure, Result};

/// All that is known.
pub struct Report<'a> {
    /// Where it was measured.
    pub machine: &'a Machine,
    /// Who took part.
    pub field: &'a Field,
    /// The processes of those.
    pub sides: &'a [Side],
    /// What was measured.
    pub rows: &'a [Row],
}

impl Report<'_> {
    /// Machine, modules, a table of times, and one of what several threads do.
    pub fn markdown(&self) -> String {
        let mut page = who(self.machine, self.field, self.sides);
        for columns in [table::times(self.field), table::gains(self.field)] {
            if !columns.is_empty() {
                page.push('\n');
                page.push_str(&self.table(&columns));
            }
        }
        page
    }

    /// Puts the same into a page, between the two lines that say where.
    pub fn write_into(&self, page: &Path) -> Result<()> {
        let old = fs::read_to_string(page)?;
        let between = old.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = between.ok_or_else(|| {
            Failure::new(format!("{}: no lines {BEGIN} and {END}, between which the figures go", page.display()))
        })?;
        Ok(fs::write(page, format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.markdown()))?)
    }

    fn table(&self, columns: &[Column]) -> String {
        let mut table = Form::Markdown.heading(self.field, columns) + "\n";
        for row in self.rows {
            table.push_str(&Form::Markdown.row(self.field, columns, row));
            table.push('\n');
        }
        table
    }
}

const BEGIN: &str = "<!-- Figures: written by make bench-page -->";
const END: &str = "<!-- End of figures -->";

/// The machine, and what each module says of itself.
pub fn who(machine: &Machine, field: &Field, sides: &[Side]) -> String {
    let mut lines = format!("{}\n", machine.line());
    for (name, side) in field.names.iter().zip(sides) {
        if let Some(file) = side.file() {
            let of = |what: &str| side.about.get(what).and_then(|text| text.as_str()).unwrap_or_default().to_owned();
            // Writing to a string does not fail.
            let _ = writeln!(lines, "- {name}: {file}, {} {}", of("description"), of("version"));
        }
    }
    lines
}
