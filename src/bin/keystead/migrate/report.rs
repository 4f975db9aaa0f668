//! What became of each object, as it is printed.

use keystead::key::Class;
use serde::Serialize;

use super::ours::Ours;
use super::source::{Item, Source};
use crate::failure::{Exit, Failure, Result};
use crate::key::describe::hex;
use crate::key::names;
use crate::output::{Form, Word};

/// What became of an object.
pub enum Outcome {
    /// It is here now.
    Moved {
        /// The mechanism that wrapped it, or that it was read.
        how: &'static str,
        /// What shows that it is the same, if anything does but the way it came.
        proof: Option<&'static str>,
        /// Attributes whose values mean nothing here.
        lost: Vec<&'static str>,
    },
    /// It was here already.
    Present { proof: &'static str },
    /// It could be moved, as far as can be told without trying.
    WouldMove { how: &'static str },
    /// It stays where it is.
    Stays { reason: String, recipe: Vec<String> },
}

/// A row of the report.
#[derive(Serialize)]
pub struct Line {
    class: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
    label: String,
    /// In hexadecimal digits.
    id: String,
    /// In the token that is left.
    from: String,
    /// In the token that it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lost: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How to do without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipe: Vec<String>,
}

/// The whole move.
#[derive(Serialize)]
pub struct Report {
    module: String,
    /// The token that is left.
    token: String,
    serial: String,
    /// The slot, label and serial number of the token that the keys came to.
    slot: u32,
    to_token: String,
    to_serial: String,
    dry_run: bool,
    objects: Vec<Line>,
}

const HEADINGS: &[&str] = &["class", "type", "label", "id", "outcome", "how"];

impl Line {
    pub fn new(source: &Source, item: &Item, ours: &Ours<'_>, outcome: Outcome) -> Self {
        let class = match Class::from_number(item.number) {
            Some(class) => names::class(class).to_owned(),
            None => format!("0x{:08x}", item.number),
        };
        let line = Self {
            class,
            of: item.shape.and_then(|(_, of)| of).map(names::of),
            label: String::from_utf8_lossy(&item.label).into_owned(),
            id: hex(&item.id),
            from: source.uri(item),
            to: None,
            outcome: "stays",
            how: None,
            proof: None,
            lost: Vec::new(),
            reason: None,
            recipe: Vec::new(),
        };
        let to = Some(ours.uri(&item.named()));
        match outcome {
            Outcome::Moved { how, proof, lost } => Self { outcome: "moved", to, how: Some(how), proof, lost, ..line },
            Outcome::Present { proof } => Self { outcome: "present", to, proof: Some(proof), ..line },
            Outcome::WouldMove { how } => Self { outcome: "would-move", to, how: Some(how), ..line },
            Outcome::Stays { reason, recipe } => Self { reason: Some(reason), recipe, ..line },
        }
    }

    fn row(&self) -> Vec<Word> {
        let or_dash = |text: &str| if text.is_empty() { Word::plain("-") } else { Word::plain(text) };
        let sentence = Word::plain(self.sentence());
        vec![
            Word::plain(&self.class),
            or_dash(self.of.unwrap_or_default()),
            or_dash(&self.label),
            or_dash(&self.id),
            if self.stays() { Word::alarming(self.outcome) } else { Word::plain(self.outcome) },
            sentence,
        ]
    }

    fn sentence(&self) -> String {
        let how =
            self.how.map(|how| if how.starts_with("CKM_") { format!("wrapped by {how}") } else { how.to_owned() });
        let proof = self.proof.map(|proof| format!("same {proof}"));
        let lost = (!self.lost.is_empty()).then(|| format!("without {}", self.lost.join(", ")));
        let said: Vec<String> = [how, proof, lost, self.reason.clone()].into_iter().flatten().collect();
        said.join(", ")
    }

    fn stays(&self) -> bool {
        self.reason.is_some()
    }
}

impl Report {
    pub fn new(source: &Source, ours: &Ours<'_>, dry_run: bool, objects: Vec<Line>) -> Self {
        Self {
            module: source.module.display().to_string(),
            token: source.token.label.clone(),
            serial: source.token.serial.clone(),
            slot: ours.slot,
            to_token: ours.label.clone(),
            to_serial: String::from_utf8_lossy(&ours.serial).into_owned(),
            dry_run,
            objects,
        }
    }

    /// Prints it; for people the recipes go to standard error, so that the list stays one.
    pub fn print(&self, form: Form) -> Result<()> {
        if form == Form::Json {
            form.record(self, &[])?;
        } else {
            form.list(HEADINGS, &self.objects, Line::row)?;
            self.advise();
        }
        let stay = self.objects.iter().filter(|line| line.stays()).count();
        match (stay, self.objects.len()) {
            (0, _) => Ok(()),
            (stay, all) => {
                let failure = Failure::new(format!("{stay} of {all} objects stay in the token {:?}", self.token));
                let failure = failure.with_exit(Exit::Partly);
                Err(failure.with_next("keep the old module for them until what is said above is done"))
            }
        }
    }
}

impl Report {
    /// Says what to do about what stays.
    fn advise(&self) {
        const SOME: usize = 10;
        let mut stay = self.objects.iter().filter(|line| line.stays());
        for line in stay.by_ref().take(SOME) {
            let recipe = line.recipe.iter().map(|line| format!("\n  {line}")).collect::<String>();
            Failure::new(format!("{} stays{recipe}", line.from)).say();
        }
        match stay.count() {
            0 => (),
            more => Failure::new(format!("{more} more stay")).with_next("--json has the recipe for each").say(),
        }
    }
}
