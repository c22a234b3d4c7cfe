//! Records histories for later versions, without the names of this machine.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::Value;

use super::directory;

/// Names the version whose histories are recorded, e.g. `v0.2.0`.
const VARIABLE: &str = "RECORD_HISTORIES";

/// The shortest history of each shape.
pub(super) struct Recording {
    directory: PathBuf,
    histories: BTreeMap<(String, Vec<String>), Value>,
}

impl Recording {
    /// Returns an empty recording, if histories are to be recorded.
    pub(super) fn from_environment() -> Option<Self> {
        let version = std::env::var(VARIABLE).ok()?;
        Some(Self {
            directory: directory().join(version),
            histories: BTreeMap::new(),
        })
    }

    pub(super) fn add(&mut self, name: String, shape: Vec<String>, history: Value) {
        let length = |history: &Value| history["events"].as_array().map_or(0, Vec::len);
        let shortest = self.histories.entry((name, shape)).or_default();
        if shortest.is_null() || length(&history) < length(shortest) {
            *shortest = history;
        }
    }

    /// Writes a file for each history, in place of what was recorded before. Those of one name are numbered.
    pub(super) fn write(self) -> anyhow::Result<()> {
        if self.directory.exists() {
            std::fs::remove_dir_all(&self.directory)?;
        }
        std::fs::create_dir_all(&self.directory)?;
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for ((name, _), mut history) in self.histories {
            rename_processes(&mut history);
            let number = numbers.entry(name.clone()).or_default();
            *number += 1;
            let file = match number {
                1 => format!("{name}.json"),
                number => format!("{name}-{number}.json"),
            };
            std::fs::write(self.directory.join(file), history.to_string())?;
        }
        Ok(())
    }
}

/// Replaces process identities, which contain the host name: identities and sticky queues are `pid@host…`.
fn rename_processes(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(rename_processes),
        Value::Array(values) => values.iter_mut().for_each(rename_processes),
        Value::String(text) => {
            let process = text.split_once('@').map(|(process, _)| process);
            if process.is_some_and(|id| id.parse::<u32>().is_ok()) {
                *text = "worker".into();
            }
        }
        _ => {}
    }
}
