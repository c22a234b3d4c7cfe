//! Configuration errors. All of them are collected and reported together.

use std::fmt;

use super::source::Source;

/// An invalid or missing setting, and its source.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    /// Where the setting is given, or would be given.
    pub source: Source,
    /// The problem. After a variable, a predicate such as `must be a URL`; after a line, a sentence. Never
    /// contains a value that may be a secret.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, problem } = self;
        match source {
            Source::Line { .. } => write!(f, "{source}: {problem}"),
            _ => write!(f, "{source} {problem}"),
        }
    }
}

/// All errors of a configuration.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("the configuration has {} error{}:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, bullet_list(.0))]
pub struct InvalidConfig(pub Vec<String>);

impl InvalidConfig {
    pub(super) fn new(errors: &[ConfigError]) -> Self {
        Self(errors.iter().map(ToString::to_string).collect())
    }
}

fn bullet_list(errors: &[String]) -> String {
    let lines = errors.iter().map(|error| format!("\n  - {error}"));
    lines.collect()
}
