//! Errors of a configuration: all of them are collected, so that one start reports every problem.

use std::fmt;

use super::source::Source;

/// An invalid or missing setting, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigError {
    /// Where the setting is given, or would be given.
    pub source: Source,
    /// What is wrong. It completes a sentence that starts with the variable, or is a sentence about the line. It
    /// never contains a value, which may be a secret.
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
#[error("the configuration has {} error{}:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, list(.0))]
pub struct InvalidConfig(pub Vec<String>);

impl InvalidConfig {
    pub(super) fn new(errors: &[ConfigError]) -> Self {
        Self(errors.iter().map(ToString::to_string).collect())
    }
}

fn list(errors: &[String]) -> String {
    let lines = errors.iter().map(|error| format!("\n  - {error}"));
    lines.collect()
}
