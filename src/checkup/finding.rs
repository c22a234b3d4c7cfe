//! The result of a check.

use serde::Serialize;

/// The result of a check. It contains no secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub name: String,
    /// The state of it.
    pub state: FindingState,
    /// What was found, in one line.
    pub found: String,
    /// How to fix it, in one line. `None`: nothing to fix.
    pub fix: Option<String>,
}

/// The state of what was checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// Nothing to fix.
    Ok,
    /// It was missing, and has been created.
    #[serde(rename = "done")]
    Created,
    /// A worker can run, but an operator should take a look.
    Warning,
    /// A worker cannot do its work.
    Failed,
}

impl Finding {
    /// Returns a finding with nothing to fix.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, FindingState::Ok, found, None)
    }

    /// Returns a finding about something that was created.
    pub fn created(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, FindingState::Created, found, None)
    }

    /// Returns a warning.
    pub fn warning(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, FindingState::Warning, found, Some(fix.into()))
    }

    /// Returns a finding about something that a worker needs and that fails.
    pub fn failed(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, FindingState::Failed, found, Some(fix.into()))
    }

    fn new(
        name: impl Into<String>,
        state: FindingState,
        found: impl Into<String>,
        fix: Option<String>,
    ) -> Self {
        Self {
            name: name.into(),
            state,
            found: one_line(&found.into()),
            fix: fix.map(|fix| one_line(&fix)),
        }
    }
}

/// Longest text of a finding, in characters.
const MAX_TEXT: usize = 500;

/// Returns a text in one line, because it may quote a server.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_TEXT).collect()
}
