//! How listings are printed: a table for a terminal, words separated by tabs for everything else, or JSON.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, UNIX_EPOCH};

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// The form of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Columns as wide as their content, for people.
    Table,
    /// A line a row, tabs between the words, no headings.
    Plain,
    /// One JSON value.
    Json,
}

impl Form {
    /// JSON where it is asked for, a table on a terminal, else plain.
    pub fn choose(json: bool) -> Self {
        match json {
            true => Self::Json,
            false if io::stdout().is_terminal() => Self::Table,
            false => Self::Plain,
        }
    }

    /// Prints a list: in JSON the items, else a row for each.
    pub fn list<T: Serialize>(self, headings: &[&str], items: &[T], row: impl Fn(&T) -> Vec<Word>) -> Result<()> {
        if self == Self::Json {
            return json(items);
        }
        let rows: Vec<Vec<Word>> = items.iter().map(row).collect();
        match self {
            Self::Table if !rows.is_empty() => table(headings, &rows),
            _ => plain(&rows),
        }
    }

    /// A list that is printed while it is read, since nobody knows how long it is.
    pub fn stream(self, headings: &'static [&'static str]) -> Stream {
        Stream { form: self, headings, rows: Vec::new(), printed: 0 }
    }

    /// Prints one thing: in JSON the item, else a row for each of its properties.
    pub fn record<T: Serialize>(self, item: &T, properties: &[(&str, Word)]) -> Result<()> {
        let rows: Vec<Vec<Word>> =
            properties.iter().map(|(name, word)| vec![Word::plain(*name), word.clone()]).collect();
        match self {
            Self::Json => json(item),
            Self::Table => table(&[], &rows),
            Self::Plain => plain(&rows),
        }
    }
}

/// A list under way.
pub struct Stream {
    form: Form,
    headings: &'static [&'static str],
    /// Of the table: its columns are as wide as their content, so a part of it is printed at a time.
    rows: Vec<Vec<Word>>,
    printed: usize,
}

/// So many rows of a table are printed at a time.
const PART: usize = 1000;

impl Stream {
    /// The next item.
    pub fn push<T: Serialize>(&mut self, item: &T, row: impl Fn(&T) -> Vec<Word>) -> Result<()> {
        let first = self.printed == 0;
        self.printed = self.printed.saturating_add(1);
        match self.form {
            Form::Plain => plain(&[row(item)]),
            Form::Json => {
                let text = serde_json::to_string(item).map_err(|error| Failure::of("JSON", error))?;
                Ok(write!(io::stdout(), "{}  {text}", if first { "[\n" } else { ",\n" })?)
            }
            Form::Table => {
                self.rows.push(row(item));
                if self.rows.len() < PART { Ok(()) } else { table(self.headings, &std::mem::take(&mut self.rows)) }
            }
        }
    }

    /// How many there were.
    pub fn finish(self) -> Result<usize> {
        match self.form {
            Form::Json if self.printed == 0 => writeln!(io::stdout(), "[]")?,
            Form::Json => writeln!(io::stdout(), "\n]")?,
            Form::Table if !self.rows.is_empty() => table(self.headings, &self.rows)?,
            Form::Table | Form::Plain => (),
        }
        Ok(self.printed)
    }
}

/// One entry of a row.
#[derive(Debug, Clone)]
pub struct Word {
    text: String,
    alarming: bool,
}

impl Word {
    /// An entry. Control characters, which a label may hold and a terminal may obey, are written as escapes.
    pub fn plain(text: impl AsRef<str>) -> Self {
        let mut printable = String::new();
        for character in text.as_ref().chars() {
            if character.is_control() {
                printable.extend(character.escape_default());
            } else {
                printable.push(character);
            }
        }
        Self { text: printable, alarming: false }
    }

    /// An entry that somebody should look at: red where there are colours.
    pub fn alarming(text: impl AsRef<str>) -> Self {
        Self { alarming: true, ..Self::plain(text) }
    }

    /// The text, as it may be printed.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn cell(&self) -> Cell {
        let cell = Cell::new(&self.text);
        if self.alarming && colours() { cell.fg(Color::Red) } else { cell }
    }
}

/// A time in seconds since 1970, as RFC 3339 writes it. The year 9999 is as far as that form reaches.
pub fn time(seconds: u64) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(253_402_300_799))).unwrap_or(UNIX_EPOCH);
    humantime::format_rfc3339_seconds(time).to_string()
}

fn table(headings: &[&str], rows: &[Vec<Word>]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !headings.is_empty() {
        let bold = |heading: &&str| {
            let cell = Cell::new(heading);
            if colours() { cell.add_attribute(Attribute::Bold) } else { cell }
        };
        table.set_header(headings.iter().map(bold).collect::<Vec<_>>());
    }
    for row in rows {
        table.add_row(row.iter().map(Word::cell).collect::<Vec<_>>());
    }
    wrap_last_column(&mut table);
    Ok(writeln!(io::stdout(), "{}", table.trim_fmt())?)
}

/// Sentences stand in the last column, and only they are wrapped: a broken number or name cannot be copied. A terminal
/// with no room for that (some say that they have no width at all) wraps by itself.
fn wrap_last_column(table: &mut Table) {
    const ROOM: usize = 20;
    const PADDING: usize = 2;
    let widths = table.column_max_content_widths();
    let last = widths.len().saturating_sub(1);
    let others: usize = widths.iter().take(last).map(|width| usize::from(*width).saturating_add(PADDING)).sum();
    if table.width().is_none_or(|width| usize::from(width) < others.saturating_add(PADDING).saturating_add(ROOM)) {
        return;
    }
    table.set_content_arrangement(ContentArrangement::Dynamic);
    for column in table.column_iter_mut().take(last) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
}

fn plain(rows: &[Vec<Word>]) -> Result<()> {
    let mut output = io::stdout().lock();
    for row in rows {
        let words: Vec<&str> = row.iter().map(|word| word.text.as_str()).collect();
        writeln!(output, "{}", words.join("\t"))?;
    }
    Ok(output.flush()?)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of("JSON", error))?;
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// <https://no-color.org>
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_speak_to_the_terminal() {
        assert_eq!(Word::plain("a\u{1b}[2J\tb\u{9b}ä").text, "a\\u{1b}[2J\\tb\\u{9b}ä");
    }
}
