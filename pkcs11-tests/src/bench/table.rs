//! The figures, for people and as JSON.

use std::fmt;
use std::path::Path;

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

/// The line above the rows.
pub fn heading(module: &Path, against: Option<&Path>, bare: bool) -> String {
    let mut text = format!("ours: {}\n", module.display());
    if let Some(against) = against {
        text += &format!("peer: {}\n", against.display());
    }
    text += "ns per operation, Init included; x2: what two threads do of what one does\n\n";
    text += &format!("{:<16}{:>11}", "operation", "ours");
    if against.is_some() {
        text += &format!("{:>11}{:>8}", "peer", "ratio");
    }
    if bare {
        text += &format!("{:>11}{:>10}{:>9}", "bare", "own cost", "of bare");
    }
    text += &format!("{:>9}", "x2 ours");
    if against.is_some() {
        text += &format!("{:>9}", "x2 peer");
    }
    if bare {
        text += &format!("{:>9}", "x2 bare");
    }
    text
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<16}{:>11}", self.name, number(self.ours.time, 0))?;
        if let Some(peer) = &self.peer {
            write!(f, "{:>11}{:>8}", number(peer.time, 0), number(self.ratio, 2))?;
        }
        if let Some(bare) = &self.bare {
            let (cost, part) = (number(self.own_cost, 0), number(self.of_bare, 3));
            write!(f, "{:>11}{cost:>10}{part:>9}", number(bare.time, 0))?;
        }
        write!(f, "{:>9}", number(self.ours.gain, 2))?;
        for side in [&self.peer, &self.bare].into_iter().flatten() {
            write!(f, "{:>9}", number(side.gain, 2))?;
        }
        let sides = [("ours", Some(&self.ours)), ("peer", self.peer.as_ref()), ("bare", self.bare.as_ref())];
        for (who, side) in sides {
            if let Some(lacks) = side.and_then(|side| side.lacks.as_ref()).filter(|_| who != "bare") {
                write!(f, "  {who}: {lacks}")?;
            }
            if let Some(disturbed) = side.map(|side| side.disturbed).filter(|disturbed| *disturbed != 0) {
                write!(f, "  {who}: {disturbed} turns disturbed")?;
            }
        }
        Ok(())
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

fn number(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
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
