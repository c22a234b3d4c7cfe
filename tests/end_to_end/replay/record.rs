//! Records histories for later versions, without the names of this machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::directory;
use crate::workflow_path::{path, workflow_type};

/// Names the version whose histories are recorded, e.g. `v0.2.0`.
const VARIABLE: &str = "RECORD_HISTORIES";

/// A workflow with how it ended, and its path.
type Key = (String, Vec<String>);

/// The shortest history of each path.
pub(super) struct Recording {
    directory: PathBuf,
    histories: BTreeMap<Key, Value>,
}

/// Returns whether histories are to be recorded.
pub(crate) fn is_requested() -> bool {
    std::env::var_os(VARIABLE).is_some()
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

    pub(super) fn add(&mut self, history: Value) {
        let length = |history: &Value| history["events"].as_array().map_or(0, Vec::len);
        let shortest = self.histories.entry(key(&history)).or_default();
        if shortest.is_null() || length(&history) < length(shortest) {
            *shortest = history;
        }
    }

    /// Writes a file for each history whose path has none. The files that exist stay as they are, because tests name them, and
    /// count their events.
    pub(super) fn write(self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let recorded: BTreeSet<_> = histories(&self.directory)?.iter().map(key).collect();
        for (key, mut history) in self.histories {
            if recorded.contains(&key) {
                continue;
            }
            rename_processes(&mut history);
            std::fs::write(unused_file(&self.directory, &key.0), history.to_string())?;
        }
        Ok(())
    }
}

/// Returns the histories of a version.
pub(super) fn histories(directory: &Path) -> anyhow::Result<Vec<Value>> {
    let mut histories = Vec::new();
    for file in std::fs::read_dir(directory)? {
        let json = std::fs::read(file?.path())?;
        histories.push(serde_json::from_slice(&json)?);
    }
    Ok(histories)
}

fn key(history: &Value) -> Key {
    (name(history), path(history))
}

/// Returns a name for a history: its workflow and how that ended.
pub(super) fn name(history: &Value) -> String {
    let path = path(history);
    let mut endings = path.iter().filter_map(|step| step.strip_prefix("ended "));
    let ending = endings.next().unwrap_or("open");
    format!("{}-{ending}", workflow_type(history))
}

/// Returns a file that does not exist. Those of one name are numbered.
fn unused_file(directory: &Path, name: &str) -> PathBuf {
    let mut file = directory.join(format!("{name}.json"));
    let mut number = 1;
    while file.exists() {
        number += 1;
        file = directory.join(format!("{name}-{number}.json"));
    }
    file
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
