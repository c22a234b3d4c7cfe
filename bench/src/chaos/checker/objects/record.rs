//! The record of a task in `task.json`, in the words of any dialect.

use seedance_archiver_proto::names::TASK;
use serde_json::Value;

/// The words of the dialects for tasks that succeeded, in lower case.
pub(super) const SUCCEEDED: [&str; 4] = ["succeeded", "succeed", "success", "delivered"];
/// Their words for tasks that ended without a video.
pub(super) const UNSUCCESSFUL: [&str; 7] = [
    "failed",
    "fail",
    "failure",
    "cancelled",
    "terminated",
    "expired",
    "timeout",
];

/// Returns what is wrong with a record of a task that has ended with one of these statuses.
pub(super) fn check(id: &str, bytes: &[u8], ended: &[&str]) -> Option<String> {
    if !String::from_utf8_lossy(bytes).contains(id) {
        return Some(format!("{TASK} is of another task"));
    }
    // The record may be one that strict parsers refuse.
    let record: Value = serde_json::from_slice(bytes).ok()?;
    let statuses = statuses(&record);
    let has_ended = statuses
        .iter()
        .any(|status| ended.contains(&status.to_lowercase().as_str()));
    (!has_ended).then(|| format!("{TASK} has the statuses {statuses:?}"))
}

/// Returns the statuses of a record, and of those that gateways wrap around it.
fn statuses(record: &Value) -> Vec<&str> {
    let records = std::iter::successors(Some(record), |record| record.get("data"));
    records
        .filter_map(|record| record["status"].as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_task_that_has_not_ended_is_found() {
        let is_found = |record: &str, words: &[&str]| check("cgt-1", record.as_bytes(), words);
        for (record, is_right) in [
            (r#"{"id": "cgt-1", "status": "succeeded"}"#, true),
            (r#"{"id": "cgt-1", "status": "delivered"}"#, true),
            (
                r#"{"data": {"task_id": "cgt-1", "status": "SUCCESS", "data": {}}}"#,
                true,
            ),
            (r#"{"id": "cgt-1", "status": "running"}"#, false),
            (r#"{"id": "cgt-1", "status": "failed"}"#, false),
            (r#"{"id": "cgt-1"}"#, false),
            (r#"{"id": "cgt-2", "status": "succeeded"}"#, false),
            // It cannot be parsed.
            (r#"{"id": "cgt-1", "status": "running", }"#, true),
        ] {
            assert_eq!(is_found(record, &SUCCEEDED).is_none(), is_right, "{record}");
        }
        for status in ["failed", "cancelled", "terminated", "timeout", "FAILURE"] {
            let record = format!(r#"{{"id": "cgt-1", "status": "{status}"}}"#);
            assert_eq!(is_found(&record, &UNSUCCESSFUL), None, "{status}");
        }
    }
}
