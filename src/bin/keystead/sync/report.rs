//! What is told of a synchronisation.

use std::collections::BTreeMap;

use keystead::store::ObjectId;
use keystead::transfer::{Moved, Report, Withheld};
use serde::Serialize;

use crate::failure::{Exit, Failure, Result};
use crate::output::{Form, Word};

/// A synchronisation, as it is printed.
#[derive(Serialize)]
pub struct Printed {
    from: Side,
    to: Side,
    domain: String,
    dry_run: bool,
    /// Whether everything that could be meant has moved.
    complete: bool,
    equal: u64,
    moved: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_back: Option<Counts>,
    older: u64,
    stay_destroyed: u64,
    gone: u64,
    conflicts: Vec<Listed>,
    ties: Vec<Listed>,
    refused: Vec<Listed>,
    held_back: Vec<Listed>,
}

/// One side.
#[derive(Serialize, Clone)]
pub struct Side {
    /// As it was named.
    pub name: String,
    /// The token's serial number, where there is one to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

#[derive(Serialize)]
struct Counts {
    new: u64,
    updated: u64,
    destroyed: u64,
    /// Of objects that were never there.
    tombstones: u64,
}

/// An object that needs somebody's attention.
#[derive(Serialize)]
struct Listed {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What was done, before it is made ready for printing.
pub struct Done {
    /// What moved.
    pub report: Report,
    /// What stayed where it is.
    pub held_back: Vec<(ObjectId, Withheld)>,
}

/// What does not change the counts.
pub struct Setting {
    /// Where objects come from.
    pub from: Side,
    /// Where they go to.
    pub to: Side,
    /// The domain's id.
    pub domain: String,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Whether both ways were meant.
    pub both: bool,
}

impl Printed {
    /// Of what was done. `label` finds what an object is called.
    pub fn new(setting: Setting, done: Done, label: impl Fn(ObjectId) -> Option<String>) -> Self {
        let Setting { from, to, domain, dry_run, both } = setting;
        let Done { report, held_back } = done;
        let listed = |id: ObjectId, reason: Option<String>| Listed { id: id.to_string(), label: label(id), reason };
        let plain = |ids: &[ObjectId]| ids.iter().map(|id| listed(*id, None)).collect::<Vec<_>>();
        let (conflicts, ties) = (plain(&report.conflicts), plain(&report.ties));
        let refused: Vec<_> = report.refused.iter().map(|(id, why)| listed(*id, Some(why.to_string()))).collect();
        let held_back: Vec<_> = held_back.iter().map(|(id, why)| listed(*id, Some(why.to_string()))).collect();
        Self {
            from,
            to,
            domain,
            dry_run,
            complete: [&conflicts, &refused, &held_back].iter().all(|list| list.is_empty()),
            equal: report.equal,
            moved: Counts::of(&report.forth),
            moved_back: both.then(|| Counts::of(&report.back)),
            older: report.older,
            stay_destroyed: report.stay_destroyed,
            gone: report.gone,
            conflicts,
            ties,
            refused,
            held_back,
        }
    }

    /// Prints it, and fails if not everything could be done.
    pub fn finish(&self, form: Form) -> Result<()> {
        let rows = self.rows();
        let rows: Vec<(&str, Word)> = rows.into_iter().map(|(name, text)| (name, Word::plain(text))).collect();
        form.record(self, &rows)?;
        self.outcome()
    }

    /// Fails if not everything could be done.
    pub fn outcome(&self) -> Result<()> {
        if self.complete {
            return Ok(());
        }
        let lists = [
            (self.held_back.len(), "held back"),
            (self.conflicts.len(), "in conflict"),
            (self.refused.len(), "refused"),
        ];
        let said = lists.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let failure = Failure::new(format!("not all objects could move: {}", said.collect::<Vec<_>>().join(", ")));
        Err(failure.with_next("docs/sync.md says what to do about each").with_exit(Exit::Partly))
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows =
            vec![("from", self.from.sentence()), ("to", self.to.sentence()), ("domain", self.domain.clone())];
        if self.dry_run {
            rows.push(("dry run", "nothing was changed".to_owned()));
        }
        rows.push(("equal", self.equal.to_string()));
        rows.push(("moved", self.moved.sentence()));
        rows.extend(self.moved_back.as_ref().map(|back| ("moved back", back.sentence())));
        let counts = [
            ("later there", self.older, "kept as they are in TO; --both would bring them here"),
            ("destroyed there", self.stay_destroyed, "stay destroyed in TO; --both would destroy them here"),
            ("gone", self.gone, "went away meanwhile"),
        ];
        let told = counts.iter().filter(|(_, count, _)| *count > 0);
        rows.extend(told.map(|(name, count, what)| (*name, format!("{count} {what}"))));
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for reason in self.held_back.iter().filter_map(|listed| listed.reason.as_deref()) {
            let count = reasons.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
        rows.extend(reasons.iter().map(|(reason, count)| ("held back", format!("{count}: {reason}"))));
        for (name, list) in [("conflict", &self.conflicts), ("tie", &self.ties), ("refused", &self.refused)] {
            rows.extend(list.iter().map(|listed| (name, listed.sentence())));
        }
        rows
    }
}

impl Side {
    fn sentence(&self) -> String {
        match &self.serial {
            Some(serial) => format!("{} ({serial})", self.name),
            None => self.name.clone(),
        }
    }
}

impl Counts {
    fn of(moved: &Moved) -> Self {
        let Moved { created, updated, destroyed, buried } = *moved;
        Self { new: created, updated, destroyed, tombstones: buried }
    }

    fn sentence(&self) -> String {
        let Self { new, updated, destroyed, tombstones } = self;
        let buried = if *tombstones > 0 { format!(", {tombstones} tombstones of others") } else { String::new() };
        format!("{new} new, {updated} updated, {destroyed} destroyed{buried}")
    }
}

impl Listed {
    fn sentence(&self) -> String {
        let label = self.label.as_ref().map(|label| format!(" {label:?}")).unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{}{label}{reason}", self.id)
    }
}
