//! The objects of one task.

use std::collections::BTreeMap;

use hex::encode;
use seedance_archiver_proto::names::{MANIFEST, OUTCOME, TASK};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    planned::{NO_LAST_FRAME, Planned},
    record::Served,
};
use crate::chaos::{
    checker::Archive,
    world::{Task, World},
};

/// What the simulator serves for a task.
pub(super) struct Truth {
    pub(super) video: Vec<u8>,
    pub(super) last_frame: Option<Vec<u8>>,
    /// The name of the archive to which the video goes.
    pub(super) archive: &'static str,
    pub(super) planned: Planned,
    pub(super) served: Served,
}

/// What a store has of a task, in one directory.
pub(super) struct Stored {
    pub(super) archive: &'static str,
    /// Without the prefix of the archive.
    pub(super) directory: String,
    pub(super) objects: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Findings {
    pub(super) corrupt: Vec<String>,
    pub(super) duplicate: Vec<String>,
    pub(super) misplaced: Vec<String>,
    /// How the receipt differs from the plan.
    pub(super) unplanned: Vec<String>,
    /// Whether there is no last frame, and a warning says so.
    pub(super) lacks_frame: bool,
}

impl Truth {
    pub(super) fn of(world: &World, task: &Task, has_other_version: bool) -> Self {
        let simulator = world.simulator(task.video.account());
        let video = simulator.source(&task.id);
        Self {
            video: video.map_or_else(Vec::new, |source| source.bytes()),
            last_frame: simulator.last_frame(&task.id).map(|source| source.bytes()),
            archive: match task.video.to_disk {
                true => Archive::DISK,
                false => Archive::BUCKET,
            },
            planned: Planned::of(task, has_other_version),
            served: Served::of(world, task, has_other_version),
        }
    }

    /// Returns whether bytes are an object that the simulator serves, in which there is nothing else.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.video == bytes || self.last_frame.as_deref() == Some(bytes)
    }
}

/// Checks the objects of a task whose lifecycle says that it is archived.
pub(super) fn archived(id: &str, truth: &Truth, stored: &[Stored]) -> Findings {
    let mut findings = Findings::default();
    let has_receipt = |it: &&Stored| it.objects.contains_key(MANIFEST);
    let mut receipts = stored.iter().filter(has_receipt);
    let Some(first) = receipts.next() else {
        findings.corrupt.push(format!("{id}: no receipt"));
        return findings;
    };
    for other in stored.iter().filter(|it| !std::ptr::eq(*it, first)) {
        let keys: Vec<_> = other.objects.keys().collect();
        let archive = other.archive;
        let finding = format!("{id}: {keys:?} in {archive} beside its receipt elsewhere");
        findings.duplicate.push(finding);
    }
    if first.archive != truth.archive {
        let finding = format!("{id}: in {}, not in {}", first.archive, truth.archive);
        findings.misplaced.push(finding);
    }
    check_receipt(id, truth, first, &mut findings);
    findings
}

/// Returns the receipt of a task, `Null` if there is none.
pub(super) fn receipt(stored: &[Stored]) -> Value {
    let mut receipts = stored.iter().filter_map(|it| it.objects.get(MANIFEST));
    let receipt = receipts.next().map(Vec::as_slice).unwrap_or_default();
    serde_json::from_slice(receipt).unwrap_or_default()
}

/// Checks the records of a task that is not archived. `is_unsuccessful`: whether its lifecycle says that it ended without a
/// video.
pub(super) fn records(
    id: &str,
    served: &Served,
    stored: &[Stored],
    is_unsuccessful: bool,
) -> Vec<String> {
    let records = stored.iter().filter_map(|it| it.objects.get(TASK));
    let problems = records.filter_map(|record| match is_unsuccessful {
        true => served.check(record),
        false => served.check_any(record),
    });
    problems.map(|what| format!("{id}: {what}")).collect()
}

/// Checks the objects of a task whose lifecycle says that it is not archived.
pub(super) fn not_archived(id: &str, stored: &[Stored]) -> Vec<String> {
    let names = stored.iter().flat_map(|it| it.objects.keys());
    let others = names.filter(|name| ![TASK, OUTCOME].contains(&name.as_str()));
    others
        .map(|name| format!("{id}: {name} of a task that is not archived"))
        .collect()
}

fn check_receipt(id: &str, truth: &Truth, stored: &Stored, findings: &mut Findings) {
    let objects = &stored.objects;
    let mut corrupt = |what: &str| findings.corrupt.push(format!("{id}: {what}"));
    let receipt = objects.get(MANIFEST).map(Vec::as_slice).unwrap_or_default();
    let Ok(receipt) = serde_json::from_slice::<Value>(receipt) else {
        return corrupt("the receipt is not JSON");
    };
    if receipt["task_id"] != id {
        corrupt("the receipt is of another task");
    }
    findings.unplanned = truth.planned.check_receipt(&stored.directory, &receipt);
    let named = receipt["objects"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    for entry in &named {
        let name = entry["name"].as_str().unwrap_or_default();
        names.push(name);
        match objects.get(name) {
            None => corrupt(&format!("{name} is missing")),
            Some(bytes) if !is_described(bytes, entry) => {
                corrupt(&format!("{name} differs from the receipt"));
            }
            Some(bytes) => {
                if let Some(what) = differs(name, bytes, truth) {
                    corrupt(&what);
                }
            }
        }
    }
    let videos = names.iter().filter(|name| is_video(name)).count();
    if videos != 1 {
        corrupt(&format!("{videos} videos in the receipt"));
    }
    if !names.contains(&TASK) {
        corrupt("no record in the receipt");
    }
    let has_frame = names.iter().any(|name| is_last_frame(name));
    if truth.last_frame.is_some() && !has_frame {
        match warns_of_last_frame(&receipt) {
            true => findings.lacks_frame = true,
            false => corrupt("no last frame, and no warning"),
        }
    }
    for name in objects.keys() {
        // Beside a receipt, a record of an outcome means nothing.
        let is_expected =
            names.contains(&name.as_str()) || [MANIFEST, OUTCOME].contains(&name.as_str());
        if !is_expected {
            let finding = format!("{id}: {name} is not in the receipt");
            findings.duplicate.push(finding);
        }
    }
}

/// Returns whether bytes have the size and the digest in a receipt.
fn is_described(bytes: &[u8], entry: &Value) -> bool {
    // Protobuf's JSON has texts for 64-bit numbers.
    let size = &entry["size_bytes"];
    let size = size.as_u64().or_else(|| size.as_str()?.parse().ok());
    size == Some(bytes.len() as u64) && entry["sha256"] == *encode(Sha256::digest(bytes))
}

/// Returns how an object differs from what the simulator served.
fn differs(name: &str, bytes: &[u8], truth: &Truth) -> Option<String> {
    if name == TASK {
        return truth.served.check(bytes);
    }
    let expected = match is_last_frame(name) {
        true => truth.last_frame.as_deref(),
        false => Some(&truth.video[..]),
    };
    (expected != Some(bytes)).then(|| format!("{name} differs from what was served"))
}

fn warns_of_last_frame(receipt: &Value) -> bool {
    let warnings = receipt["warnings"].as_array().into_iter().flatten();
    let mut warnings = warnings.filter_map(Value::as_str);
    warnings.any(|warning| warning.starts_with(NO_LAST_FRAME))
}

fn is_video(name: &str) -> bool {
    name != TASK && !is_last_frame(name)
}

fn is_last_frame(name: &str) -> bool {
    name.starts_with("last_frame.")
}

#[cfg(test)]
mod tests;
