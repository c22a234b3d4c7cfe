//! The sources of settings.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// The source of a setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An environment variable.
    Variable(String),
    /// A line of a file.
    Line {
        /// Path of the file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A profile in Temporal's own configuration file.
    Profile {
        /// Path of the file.
        file: String,
        /// Name of the profile.
        profile: String,
    },
    /// The preset of the account.
    Preset(&'static str),
    /// The setting is not given.
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

/// The sources of settings, by name, e.g. `accounts.eu.base_url`.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(BTreeMap<String, Recorded>);

#[derive(Clone, Debug)]
struct Recorded {
    source: Source,
    is_invalid: bool,
}

impl Sources {
    /// Records where a setting comes from, in place of what was recorded before.
    pub(super) fn record(&mut self, name: impl Into<String>, source: Source) {
        let is_invalid = false;
        self.0.insert(name.into(), Recorded { source, is_invalid });
    }

    /// Records that the value of a setting is invalid and has no effect.
    pub(super) fn set_invalid(&mut self, name: &str) {
        if let Some(recorded) = self.0.get_mut(name) {
            recorded.is_invalid = true;
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns the source of a setting, and whether its value is invalid.
    pub(super) fn get(&self, name: &str) -> (Source, bool) {
        let recorded = self.0.get(name);
        recorded.map_or((Source::Default, false), |recorded| {
            (recorded.source.clone(), recorded.is_invalid)
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
