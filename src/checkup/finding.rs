//! What a check has found.

use serde::Serialize;

/// What a check has found. No part of it holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: Found,
    /// The same in words.
    pub found: String,
    /// What to do about it. `None`: nothing.
    pub fix: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// As it should be.
    Ok,
    /// As it should be, since just now.
    Done,
    /// A worker runs so, but somebody should look.
    Warning,
    /// A worker cannot do its work so.
    Failed,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, Found::Ok, found, None)
    }

    /// It was made as it should be.
    pub fn done(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(name, Found::Done, found, None)
    }

    /// Somebody should look.
    pub fn warning(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, Found::Warning, found, Some(fix.into()))
    }

    /// It has to be mended.
    pub fn failed(
        name: impl Into<String>,
        found: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, Found::Failed, found, Some(fix.into()))
    }

    /// Each part is one line, whatever somebody else's words are.
    fn new(
        name: impl Into<String>,
        state: Found,
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

/// Longest part of a line, in characters.
const MAX_WORDS: usize = 500;

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_WORDS).collect()
}
