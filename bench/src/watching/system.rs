//! What is measured.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// A system under test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum System {
    Archiver(Variant),
    Loop(Loop),
}

/// How the account of seedance-archiver is configured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Variant {
    /// As the public service: with a list.
    Listed,
    /// With a path of tasks that has no list.
    WithoutList,
    /// With a list, and `auto_archive`: nobody starts lifecycles.
    AutoArchive,
}

/// A loop of `bench/loops`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Loop {
    /// Argument of `bench/loops/run`.
    pub(super) language: &'static str,
    /// Name of the workflow.
    pub(super) workflow: &'static str,
    pub(super) interval_seconds: u32,
}

const VARIANTS: [(&str, Variant); 3] = [
    ("ours", Variant::Listed),
    ("ours-without-list", Variant::WithoutList),
    ("ours-auto-archive", Variant::AutoArchive),
];
const LANGUAGES: [&str; 2] = ["python", "go"];
const WORKFLOWS: [(&str, &str); 2] = [("timer", "TimerLoop"), ("retry", "ActivityRetryLoop")];
const INTERVALS: [u32; 3] = [5, 10, 30];

impl System {
    pub(super) fn all() -> Vec<Self> {
        let mut all: Vec<_> = VARIANTS.map(|(_, variant)| Self::Archiver(variant)).into();
        for language in LANGUAGES {
            for (_, workflow) in WORKFLOWS {
                all.extend(INTERVALS.map(|interval_seconds| {
                    Self::Loop(Loop {
                        language,
                        workflow,
                        interval_seconds,
                    })
                }));
            }
        }
        all
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let variant = VARIANTS.into_iter().find(|(name, _)| *name == text);
        let system = variant.map(|(_, variant)| Self::Archiver(variant));
        let system = system.or_else(|| parse_loop(text).map(Self::Loop));
        let problem = || {
            format!("unknown system `{text}`; use ours, python-timer-10, go-retry-30 or the like")
        };
        system.ok_or_else(problem)
    }
}

fn parse_loop(text: &str) -> Option<Loop> {
    let (language, rest) = text.split_once('-')?;
    let (workflow, interval) = rest.split_once('-')?;
    let workflow = WORKFLOWS.into_iter().find(|(name, _)| *name == workflow)?;
    Some(Loop {
        language: LANGUAGES.into_iter().find(|name| *name == language)?,
        workflow: workflow.1,
        interval_seconds: interval.parse().ok().filter(|seconds| *seconds > 0)?,
    })
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archiver(variant) => {
                let name = VARIANTS.into_iter().find(|(_, it)| it == variant);
                f.write_str(name.map_or("", |(name, _)| name))
            }
            Self::Loop(it) => {
                let name = WORKFLOWS.into_iter().find(|(_, name)| *name == it.workflow);
                let name = name.map_or("", |(name, _)| name);
                write!(f, "{}-{name}-{}", it.language, it.interval_seconds)
            }
        }
    }
}

impl Serialize for System {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_name() {
        let all = System::all();
        assert_eq!(all.len(), 15);
        for system in all {
            assert_eq!(system.to_string().parse(), Ok(system));
        }
        for unknown in ["our", "go-timer", "go-timer-0", "ruby-timer-5", "go-list-5"] {
            assert!(unknown.parse::<System>().is_err(), "{unknown}");
        }
    }
}
