//! The figures as Markdown, by themselves or in a page of the documentation.

use std::fmt::{Display, Write};
use std::fs;
use std::path::Path;

use super::figures::{Field, Row};
use super::machine::Machine;
use super::plot;
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

    fn table(&self, columns: &[Column]) -> String {
        let mut table = Form::Markdown.heading(self.field, columns) + "\n";
        for row in self.rows {
            table.push_str(&Form::Markdown.row(self.field, columns, row));
            table.push('\n');
        }
        table
    }
}

/// A page of the documentation, and where in it the figures go: between two lines of it.
pub struct Page<'a> {
    path: &'a Path,
    before: String,
    after: String,
}

const BEGIN: &str = "<!-- Figures: written by make bench-page -->";
const END: &str = "<!-- End of figures -->";

/// The plots that a page shows.
const PLOTS: [&str; 4] = ["gcm-encrypt", "sha256", "gcm-encrypt-64-threads", "ecdsa-p256-sign-threads"];

impl<'a> Page<'a> {
    /// The page in this file.
    pub fn open(path: &'a Path) -> Result<Self> {
        let failure = |reason: &dyn Display| Failure::new(format!("{}: {reason}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| failure(&error))?;
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) =
            parts.ok_or_else(|| failure(&format!("no lines {BEGIN} and {END}, between which the figures go")))?;
        Ok(Self { path, before: before.to_owned(), after: after.to_owned() })
    }

    /// Puts the figures into it, and draws its plots into a folder beside it that has its name.
    pub fn write(&self, report: &Report) -> Result<()> {
        let folder = self.path.with_extension("");
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let drawn = plot::draw(&folder, report.field, report.rows, |plot| PLOTS.contains(&plot))?;
        let images: String = drawn.iter().map(|plot| format!("\n![{plot}]({name}/{plot}.svg)\n")).collect();
        let figures = report.markdown() + &images;
        Ok(fs::write(self.path, format!("{}{BEGIN}\n\n{figures}\n{END}{}", self.before, self.after))?)
    }
}

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
