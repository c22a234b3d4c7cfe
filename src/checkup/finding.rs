//! Results of checks. `doctor` and `setup` print them as findings.

use seedance_archiver_proto::external;
use serde::Serialize;

/// The result of a check. It contains no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckResult {
    /// What was checked.
    pub name: String,
    /// Whether it is ready for a worker.
    pub state: CheckState,
    /// What was found, in one line.
    pub found: String,
    /// How to fix it, in one line. `None` if there is nothing to fix.
    pub fix: Option<String>,
}

/// The state of something that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Ready: there is nothing to fix.
    Ok,
    /// It was missing and was created.
    #[serde(rename = "done")]
    Created,
    /// A worker can run, but an operator should check it.
    Warning,
    /// A worker cannot work.
    Failed,
}

impl CheckResult {
    /// Returns the result of a check with nothing to fix.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, CheckState::Ok, found, None)
    }

    /// Returns the result for something that was created.
    pub fn created(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, CheckState::Created, found, None)
    }

    /// Returns a warning.
    pub fn warning(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, CheckState::Warning, found, Some(fix.into()))
    }

    /// Returns the result of a failed check.
    pub fn failed(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, CheckState::Failed, found, Some(fix.into()))
    }

    fn new(
        name: impl Into<String>,
        state: CheckState,
        found: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            name: name.into(),
            state,
            found: external::line(&one_line(&found.into()), MAX_TEXT),
            // Ours: a command in it stays as it is.
            fix: fix.map(|fix| one_line(&fix)),
        }
    }
}

/// Maximum length of a text, in characters.
const MAX_TEXT: usize = 500;

/// Joins the lines of a text.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
