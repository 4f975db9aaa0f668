//! All checks, a group per subject. To add one: a row in its group; to add a group: a file, and its name here.

use super::trial::Trial;
use super::verdict::Outcome;
use super::{
    arguments, codes, ended, large, lists, login, objects, overlap, parts, rooms, states, templates, together, walk,
};

/// A check.
pub struct Check {
    /// The group: what kind of thing is checked.
    pub group: &'static str,
    /// What it is checked on: a function, a mechanism, a rule.
    pub subject: String,
    /// The section of PKCS#11 3.2 that says what is right.
    pub section: &'static str,
    /// What it wants of the module before it begins.
    pub needs: Needs,
    /// How many times longer than others it may take.
    pub patience: u32,
    /// The check itself.
    pub run: Box<dyn Fn(&mut Trial<'_>) -> Outcome>,
}

/// A check as a row of its group: subject, section, and the check itself.
pub type Row = (&'static str, &'static str, fn(&mut Trial<'_>) -> Outcome);

/// The checks of a group that is a table of rows.
pub fn rows(group: &'static str, rows: &'static [Row]) -> Vec<Check> {
    rows.iter().map(|(subject, section, check)| Check::new(group, *subject, section, check)).collect()
}

/// What is to be there before a check begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The module is loaded. It has not been initialised by this process, unless a check before did so.
    Module,
    /// The user of a token is logged in.
    Login,
}

impl Check {
    /// A check with a logged-in user.
    pub fn new(
        group: &'static str,
        subject: impl Into<String>,
        section: &'static str,
        run: impl Fn(&mut Trial<'_>) -> Outcome + 'static,
    ) -> Self {
        Self { group, subject: subject.into(), section, needs: Needs::Login, patience: 1, run: Box::new(run) }
    }

    /// The name: group and subject.
    pub fn name(&self) -> String {
        format!("{}/{}", self.group, self.subject)
    }
}

/// All checks. Those on a module that was never initialised come first.
pub fn all() -> Vec<Check> {
    let groups = [
        arguments::uninitialised(),
        arguments::null(),
        arguments::lengths(),
        arguments::handles(),
        states::checks(),
        login::checks(),
        objects::checks(),
        templates::checks(),
        lists::checks(),
        rooms::checks(),
        overlap::checks(),
        parts::checks(),
        ended::checks(),
        together::checks(),
        codes::checks(),
        large::checks(),
        walk::checks(),
    ];
    groups.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_name_stands_twice_and_every_check_names_its_section() {
        let checks = super::all();
        let names: BTreeSet<String> = checks.iter().map(super::Check::name).collect();
        assert_eq!(names.len(), checks.len());
        for check in checks {
            let number = check.section.starts_with(|first: char| first.is_ascii_digit());
            assert!(number, "{}: {}", check.name(), check.section);
        }
    }
}
