//! The verdicts, for people, for programs and for the documentation.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::suite::Check;
use super::verdict::Verdict;

/// What came out.
pub struct Report<'a> {
    /// The module.
    pub module: &'a Path,
    /// The seed of the walks.
    pub seed: u64,
    /// The steps of each walk.
    pub steps: u64,
    /// The checks.
    pub checks: &'a [Check],
    /// Their verdicts, in the same order.
    pub verdicts: Vec<Verdict>,
}

/// Prints the checks and their sections.
pub fn list(checks: &[Check]) {
    for check in checks {
        println!("{:<48} {}", check.name(), check.section);
    }
}

impl Report<'_> {
    /// Whether nothing failed, crashed or hung, and something was checked at all.
    pub fn is_good(&self) -> bool {
        let passed = self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Passed));
        passed && !self.verdicts.iter().any(Verdict::is_bad)
    }

    /// A line per check, and the sums.
    pub fn table(&self) -> String {
        let width = self.checks.iter().map(|check| check.name().len()).max().unwrap_or_default();
        let mut text = format!("{:<width$}  {:<9}  {:<7}\n", "check", "section", "verdict");
        for (check, verdict) in self.rows() {
            let line =
                format!("{:<width$}  {:<9}  {:<7}  {}", check.name(), check.section, verdict.word(), verdict.detail());
            text += line.trim_end();
            text.push('\n');
        }
        // Writing into a string cannot fail.
        let _ = write!(text, "\n{}\nseed {}, {} steps\n", self.sums().text(), self.seed, self.steps);
        text
    }

    /// Everything, deviations one by one.
    pub fn json(&self) -> Value {
        let row = |(check, verdict): (&Check, &Verdict)| {
            let mut row = verdict.to_json();
            if let Some(row) = row.as_object_mut() {
                row.insert("check".to_owned(), check.name().into());
                row.insert("section".to_owned(), check.section.into());
            }
            row
        };
        let sums = self.sums();
        json!({
            "module": self.module.display().to_string(),
            "seed": self.seed,
            "steps": self.steps,
            "passed": sums.passed,
            "failed": sums.failed,
            "crashed": sums.crashed,
            "hung": sums.hung,
            "skipped": sums.skipped,
            "checks": self.rows().map(row).collect::<Vec<_>>(),
        })
    }

    /// A row per group; and what failed, crashed or hung, a row for all checks of a group that did so in the same way.
    pub fn markdown(&self) -> String {
        let mut text = "| group | passed | failed | crashed | hung | skipped |\n|---|---|---|---|---|---|\n".to_owned();
        let mut groups: Vec<&str> = self.checks.iter().map(|check| check.group).collect();
        groups.dedup();
        for group in groups {
            let of_group = self.rows().filter(|(check, _)| check.group == group);
            text += &Sums::of(of_group.map(|(_, verdict)| verdict)).row(group);
        }
        text += &self.sums().row("**all**");
        let mut alike: Vec<Alike> = Vec::new();
        for (check, verdict) in self.rows().filter(|(_, verdict)| verdict.is_bad()) {
            let key = (check.group, verdict.word(), verdict.first());
            match alike.iter_mut().find(|alike| alike.key == key) {
                Some(alike) => alike.subjects.push(&check.subject),
                None => alike.push(Alike { key, section: check.section, subjects: vec![&check.subject] }),
            }
        }
        if !alike.is_empty() {
            text += "\n| group | checks | section | verdict | |\n|---|---|---|---|---|\n";
        }
        for Alike { key: (group, word, detail), section, subjects } in alike {
            let (detail, subjects) = (detail.replace('|', "\\|"), subjects.join("; "));
            let _ = writeln!(text, "| {group} | {subjects} | {section} | {word} | {detail} |");
        }
        text
    }

    fn rows(&self) -> impl Iterator<Item = (&Check, &Verdict)> {
        self.checks.iter().zip(&self.verdicts)
    }

    fn sums(&self) -> Sums {
        Sums::of(self.verdicts.iter())
    }
}

/// Checks of a group that went wrong in the same way.
struct Alike<'a> {
    key: (&'a str, &'a str, String),
    section: &'a str,
    subjects: Vec<&'a str>,
}

#[derive(Default)]
struct Sums {
    passed: usize,
    failed: usize,
    crashed: usize,
    hung: usize,
    skipped: usize,
}

impl Sums {
    fn of<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Self {
        let mut sums = Self::default();
        for verdict in verdicts {
            let sum = match verdict {
                Verdict::Passed => &mut sums.passed,
                Verdict::Failed(_) => &mut sums.failed,
                Verdict::Crashed(_) => &mut sums.crashed,
                Verdict::Hung(_) => &mut sums.hung,
                Verdict::Skipped(_) => &mut sums.skipped,
            };
            *sum += 1;
        }
        sums
    }

    fn text(&self) -> String {
        let Self { passed, failed, crashed, hung, skipped } = self;
        format!("{passed} passed, {failed} failed, {crashed} crashed, {hung} hung, {skipped} skipped")
    }

    fn row(&self, name: &str) -> String {
        let Self { passed, failed, crashed, hung, skipped } = self;
        format!("| {name} | {passed} | {failed} | {crashed} | {hung} | {skipped} |\n")
    }
}
