//! Where settings come from: noted by whoever reads them, as they are read.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A variable of the environment.
    Variable(String),
    /// A line of a file.
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A profile of Temporal's own configuration file.
    Profile {
        /// The file.
        file: String,
        /// Name of the profile.
        profile: String,
    },
    /// A preset of this program.
    Preset(&'static str),
    /// Nothing was said.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "{name}"),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Profile { file, profile } => write!(f, "{file}, profile {profile}"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::Default => write!(f, "default"),
        }
    }
}

/// Something that is wrong with a setting, and where. The problem completes a sentence that begins
/// with a variable's name, or stands by itself behind a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Where it is.
    pub source: Source,
    /// What it is. It never repeats a value, which may be a secret.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            source @ Source::Line { .. } => write!(f, "{source}: {}", self.problem),
            source => write!(f, "{source} {}", self.problem),
        }
    }
}

/// The sources of settings, by the setting's name, e.g. `accounts.eu.base_url`.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(BTreeMap<String, Noted>);

#[derive(Clone, Debug)]
struct Noted {
    source: Source,
    is_wrong: bool,
}

impl Sources {
    /// A setting is read from here. What was noted before counts no more.
    pub(super) fn note(&mut self, name: impl Into<String>, source: Source) {
        let is_wrong = false;
        self.0.insert(name.into(), Noted { source, is_wrong });
    }

    /// What was read is not what takes effect.
    pub(super) fn is_wrong(&mut self, name: &str) {
        if let Some(noted) = self.0.get_mut(name) {
            noted.is_wrong = true;
        }
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where a setting comes from, and whether what is there cannot be used.
    pub(super) fn of(&self, name: &str) -> (Source, bool) {
        let noted = self.0.get(name);
        noted.map_or((Source::Default, false), |noted| {
            (noted.source.clone(), noted.is_wrong)
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
