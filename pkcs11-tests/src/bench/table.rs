//! The figures, for people and as JSON.

use serde_json::{Value, json};

use super::Measured;

/// The figures of one operation. Times are nanoseconds per operation.
pub struct Row {
    name: String,
    ours: Figures,
    peer: Option<Figures>,
    bare: Option<Figures>,
    /// The other module's time in ours, turn by turn.
    ratio: Option<f64>,
    /// Our time less that of the bare primitive, turn by turn.
    own_cost: Option<f64>,
    /// The bare primitive's time in ours, turn by turn.
    of_bare: Option<f64>,
}

/// The figures of one side.
struct Figures {
    time: Option<f64>,
    /// How much more two threads do than one, turn by turn.
    gain: Option<f64>,
    /// Why there are none.
    lacks: Option<String>,
    disturbed: usize,
}

impl Row {
    /// The medians of what was measured: ours first, then the other module and the bare primitive, where they are there.
    pub fn new(name: String, measured: Vec<Measured>, has_peer: bool, has_bare: bool) -> Self {
        let mut measured = measured.into_iter();
        let ours = measured.next();
        let peer = if has_peer { measured.next() } else { None };
        let bare = if has_bare { measured.next() } else { None };
        let by_turn = |other: &Option<Measured>, figure: fn(f64, f64) -> f64| {
            let ours = ours.as_ref()?.one.as_ref().ok()?;
            let other = other.as_ref()?.one.as_ref().ok()?;
            median(ours.iter().zip(other).map(|(ours, other)| figure(*ours, *other)))
        };
        Self {
            name,
            ratio: by_turn(&peer, |ours, peer| peer / ours),
            own_cost: by_turn(&bare, |ours, bare| ours - bare),
            of_bare: by_turn(&bare, |ours, bare| bare / ours),
            ours: Figures::of(ours.as_ref()),
            peer: has_peer.then(|| Figures::of(peer.as_ref())),
            bare: has_bare.then(|| Figures::of(bare.as_ref())),
        }
    }
}

impl Figures {
    fn of(measured: Option<&Measured>) -> Self {
        let one = measured.map(|measured| &measured.one);
        let turns = one.and_then(|one| one.as_ref().ok());
        let two = measured.map(|measured| measured.two.as_slice()).unwrap_or_default();
        Self {
            time: turns.and_then(|turns| median(turns.iter().copied())),
            gain: turns.and_then(|turns| median(turns.iter().zip(two).filter_map(|(one, two)| Some(one / (*two)?)))),
            lacks: one.and_then(|one| one.as_ref().err().map(ToString::to_string)),
            disturbed: measured.map_or(0, |measured| measured.disturbed),
        }
    }

    fn json(&self) -> Value {
        json!({ "ns": self.time, "two_threads": self.gain, "lacks": self.lacks, "disturbed_turns": self.disturbed })
    }
}

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In columns, for a terminal; what was disturbed or lacking stands behind the row.
    Text,
    /// For a page.
    Markdown,
}

impl Form {
    /// The lines above the rows.
    pub fn heading(self, has_peer: bool, has_bare: bool) -> String {
        let columns = columns(has_peer, has_bare);
        let line = self.line("operation", columns.iter().map(|name| (*name).to_owned()));
        match self {
            Self::Text => line,
            Self::Markdown => format!("{line}\n|---|{}", "--:|".repeat(columns.len())),
        }
    }

    /// One row.
    pub fn row(self, row: &Row) -> String {
        let line = self.line(&row.name, row.cells().into_iter());
        if self == Self::Text { line + &row.remarks() } else { line }
    }

    fn line(self, name: &str, cells: impl Iterator<Item = String>) -> String {
        match self {
            Self::Text => cells.fold(format!("{name:<18}"), |line, cell| format!("{line}{cell:>10}")),
            Self::Markdown => cells.fold(format!("| {name} |"), |line, cell| format!("{line} {cell} |")),
        }
    }
}

fn columns(has_peer: bool, has_bare: bool) -> Vec<&'static str> {
    let mut columns = vec!["ours"];
    let (peer, bare) = (["peer", "ratio"], ["bare", "own cost", "of bare"]);
    columns.extend(peer.iter().filter(|_| has_peer).chain(bare.iter().filter(|_| has_bare)));
    columns.push("x2 ours");
    columns.extend(has_peer.then_some("x2 peer").into_iter().chain(has_bare.then_some("x2 bare")));
    columns
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let mut cells = vec![time(self.ours.time)];
        if let Some(peer) = &self.peer {
            cells.extend([time(peer.time), number(self.ratio)]);
        }
        if let Some(bare) = &self.bare {
            cells.extend([time(bare.time), time(self.own_cost), number(self.of_bare)]);
        }
        let sides = [Some(&self.ours), self.peer.as_ref(), self.bare.as_ref()];
        cells.extend(sides.into_iter().flatten().map(|side| number(side.gain)));
        cells
    }

    fn remarks(&self) -> String {
        let mut remarks = String::new();
        let sides = [("ours", Some(&self.ours)), ("peer", self.peer.as_ref()), ("bare", self.bare.as_ref())];
        for (who, side) in sides.into_iter().filter_map(|(who, side)| Some((who, side?))) {
            if let Some(lacks) = side.lacks.as_ref().filter(|_| who != "bare") {
                remarks += &format!("  {who}: {lacks}");
            }
            if side.disturbed != 0 {
                remarks += &format!("  {who}: {} turns disturbed", side.disturbed);
            }
        }
        remarks
    }
}

/// The rows as JSON.
pub fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "operation": row.name,
            "ours": row.ours.json(),
            "peer": row.peer.as_ref().map(Figures::json),
            "bare": row.bare.as_ref().map(Figures::json),
            "ratio": row.ratio,
            "own_cost_ns": row.own_cost,
            "of_bare": row.of_bare,
        })
    };
    Value::Array(rows.iter().map(row).collect())
}

fn number(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.2}"))
}

/// Nanoseconds, with three digits that count.
fn time(nanos: Option<f64>) -> String {
    let Some(nanos) = nanos else {
        return "-".to_owned();
    };
    let (value, unit) = match nanos.abs() {
        size if size < 1e3 => return format!("{nanos:.0} ns"),
        size if size < 1e6 => (nanos / 1e3, "us"),
        _ => (nanos / 1e6, "ms"),
    };
    let digits = match value.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let written = [0.4, -92.0, 999.0, 1234.0, 45678.0, 345_678.0, 5e6, 1.5e9].map(|nanos| time(Some(nanos)));
        assert_eq!(written, ["0 ns", "-92 ns", "999 ns", "1.23 us", "45.7 us", "346 us", "5.00 ms", "1500 ms"]);
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        for (has_peer, has_bare) in [(false, false), (true, false), (false, true), (true, true)] {
            let sides = 1 + usize::from(has_peer) + usize::from(has_bare);
            let measured = || Measured { one: Ok(vec![1.0]), two: vec![Some(0.5)], disturbed: 0 };
            let row = Row::new("x".to_owned(), (0..sides).map(|_| measured()).collect(), has_peer, has_bare);
            assert_eq!(row.cells().len(), columns(has_peer, has_bare).len());
        }
    }

    #[test]
    fn figures_are_compared_turn_by_turn() {
        let side = |one: &[f64], two: &[f64]| Measured {
            one: Ok(one.to_vec()),
            two: two.iter().map(|two| Some(*two)).collect(),
            disturbed: 0,
        };
        let measured = vec![side(&[10.0, 20.0, 30.0], &[5.0, 10.0, 60.0]), side(&[100.0, 100.0, 90.0], &[])];
        let row = Row::new("x".to_owned(), measured, true, false);
        assert_eq!(row.ratio, Some(5.0));
        assert_eq!(row.ours.time, Some(20.0));
        assert_eq!(row.ours.gain, Some(2.0));
        assert_eq!(row.own_cost, None);
    }
}
