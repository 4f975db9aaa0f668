//! What becomes of a check, and how a child process tells its parent.

use cryptoki_sys::CK_RV;
use serde_json::{Value, json};

use super::code::{self, Expected};

/// What became of a check.
#[derive(Clone)]
pub enum Verdict {
    /// All was as the standard says.
    Passed,
    /// Something was not; each is listed.
    Failed(Vec<Deviation>),
    /// The process died, by this signal or exit code, at this point.
    Crashed(String),
    /// The process had to be killed, at this point.
    Hung(String),
    /// The check has nothing to check here, for this reason.
    Skipped(String),
}

/// One thing that was not as it should be.
#[derive(Clone)]
pub struct Deviation {
    /// The call, or the point of the check.
    pub at: String,
    /// What the standard says.
    pub expected: String,
    /// What the module did.
    pub seen: String,
}

/// Why a check ends before its end.
pub enum Stop {
    /// There is nothing to check.
    Skip(String),
    /// A call that the check stands on did not do.
    Broken(Deviation),
}

/// How far a check got.
pub type Outcome<T = ()> = Result<T, Stop>;

impl Deviation {
    /// A call that gave a wrong code.
    pub fn code(at: impl Into<String>, expected: Expected<'_>, seen: CK_RV) -> Self {
        Self { at: at.into(), expected: expected.text(), seen: code::name(seen) }
    }
}

impl Verdict {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Failed(_) => "FAIL",
            Self::Crashed(_) => "CRASHED",
            Self::Hung(_) => "HUNG",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Whether the module is to blame for something.
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Crashed(_) | Self::Hung(_))
    }

    /// The verdict in a sentence, of several deviations the first.
    pub fn first(&self) -> String {
        match self {
            Self::Failed(deviations) => deviations.first().map(Deviation::text).unwrap_or_default(),
            _ => self.detail(),
        }
    }

    /// The verdict in a sentence, short where there are many deviations.
    pub fn detail(&self) -> String {
        match self {
            Self::Passed => String::new(),
            Self::Crashed(text) | Self::Hung(text) | Self::Skipped(text) => text.clone(),
            Self::Failed(deviations) => {
                let mut text = self.first();
                if deviations.len() > 1 {
                    text += &format!("; and {} more", deviations.len() - 1);
                }
                text
            }
        }
    }

    /// For `--json` and for the parent process.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Passed => json!({ "verdict": "pass" }),
            Self::Failed(deviations) => {
                let rows: Vec<Value> = deviations.iter().map(Deviation::to_json).collect();
                json!({ "verdict": "fail", "deviations": rows })
            }
            Self::Crashed(text) => json!({ "verdict": "crashed", "how": text }),
            Self::Hung(text) => json!({ "verdict": "hung", "how": text }),
            Self::Skipped(text) => json!({ "verdict": "skipped", "reason": text }),
        }
    }

    /// What a child process says; it can pass, fail or skip.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value.get("verdict")?.as_str()? {
            "pass" => Some(Self::Passed),
            "skipped" => Some(Self::Skipped(value.get("reason")?.as_str()?.to_owned())),
            "fail" => {
                let rows = value.get("deviations")?.as_array()?;
                Some(Self::Failed(rows.iter().map(Deviation::from_json).collect::<Option<_>>()?))
            }
            _ => None,
        }
    }
}

impl Deviation {
    /// The deviation as a sentence.
    pub fn text(&self) -> String {
        format!("{}: expected {}, saw {}", self.at, self.expected, self.seen)
    }

    fn to_json(&self) -> Value {
        json!({ "at": self.at, "expected": self.expected, "seen": self.seen })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |field: &str| Some(value.get(field)?.as_str()?.to_owned());
        Some(Self { at: text("at")?, expected: text("expected")?, seen: text("seen")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::unwrap_used)]
    fn a_verdict_survives_the_way_to_the_parent() {
        let deviation = Deviation::code("pData NULL", Expected::Codes(&[cryptoki_sys::CKR_ARGUMENTS_BAD]), 0);
        for verdict in [Verdict::Passed, Verdict::Skipped("why".to_owned()), Verdict::Failed(vec![deviation])] {
            let back = Verdict::from_json(&verdict.to_json()).unwrap();
            assert_eq!((back.word(), back.detail()), (verdict.word(), verdict.detail()));
        }
        assert!(Verdict::from_json(&json!({ "verdict": "crashed", "how": "" })).is_none());
    }
}
