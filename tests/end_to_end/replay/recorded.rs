//! Checks that what the workflows of a run did is recorded. The list of all paths is in `workflows/tests/replay/paths.rs`.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde_json::Value;

use super::{directory, record};
use crate::workflow_path::{CURRENT, path, workflow_type};

/// The steps of workflows, each with the type of its workflow.
///
/// Not whole paths: on a busy machine, the same tests combine steps in other ways.
#[derive(Default)]
pub(super) struct Steps(BTreeSet<(String, String)>);

impl Steps {
    pub(super) fn add(&mut self, history: &Value) {
        let workflow = workflow_type(history);
        let steps = path(history).into_iter().filter(|step| !is_event(step));
        self.0.extend(steps.map(|step| (workflow.clone(), step)));
    }

    /// Checks that a history of the version in development has each step.
    pub(super) fn ensure_recorded(&self) -> anyhow::Result<()> {
        let mut recorded = Self::default();
        for history in record::histories(&directory().join(CURRENT))? {
            recorded.add(&history);
        }
        let missing = self.0.difference(&recorded.0);
        let missing: Vec<_> = missing
            .map(|(workflow, step)| format!("{workflow}: {step}"))
            .collect();
        ensure!(
            missing.is_empty(),
            "no history in {CURRENT} has these steps; record them with RECORD_HISTORIES={CURRENT}:\n{}",
            missing.join("\n")
        );
        Ok(())
    }
}

/// Returns whether a step is named like its event, because it may depend on when something happened.
fn is_event(step: &str) -> bool {
    step.starts_with(char::is_uppercase)
}
