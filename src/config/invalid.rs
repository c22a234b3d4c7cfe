//! What is wrong with a configuration: everything at once, so that one start finds it all.

use super::source::Fault;

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("the configuration has {} fault{}:{}", .0.len(), if .0.len() == 1 { "" } else { "s" }, list(.0))]
pub struct InvalidConfig(pub Vec<String>);

impl InvalidConfig {
    pub(super) fn of(faults: &[Fault]) -> Self {
        Self(faults.iter().map(ToString::to_string).collect())
    }
}

fn list(faults: &[String]) -> String {
    faults
        .iter()
        .map(|fault| format!("\n  - {fault}"))
        .collect()
}
