//! Whether a task without a video has a record of its outcome.

use seedance_archiver_proto::{names::OUTCOME, outcome::UNKNOWN};
use serde_json::Value;

use super::endings::{End, Ending};

/// Compares each `outcome.json` of a task with the last end of its lifecycle. Returns what is wrong. `is_unique`: whether a
/// task may have only one.
pub(super) fn check(ending: &Ending, records: &[&[u8]], is_unique: bool) -> Option<String> {
    let End::Result { outcome, reason } = &ending.end else {
        // Counted elsewhere.
        return None;
    };
    if records.is_empty() {
        // Version 0.1.0 does not record the end of a task that the API never returned.
        if ending.had_other_version && outcome == UNKNOWN {
            return None;
        }
        return Some(format!("{}: no {OUTCOME} of {outcome}", ending.task_id));
    }
    if records.len() > 1 && is_unique {
        let count = records.len();
        return Some(format!("{}: {count} times {OUTCOME}", ending.task_id));
    }
    let expected = [
        ("task_id", ending.task_id.as_str()),
        ("account", ending.account),
        ("outcome", outcome.as_str()),
        ("reason", reason.as_str()),
    ];
    let mut problems = records.iter().filter_map(|it| problem(it, expected));
    let problem = problems.next()?;
    Some(format!("{}: {problem}", ending.task_id))
}

/// Returns how a record differs from the values that its fields should have.
fn problem(record: &[u8], expected: [(&str, &str); 4]) -> Option<String> {
    let Ok(record) = serde_json::from_slice::<Value>(record) else {
        return Some(format!("{OUTCOME} is not JSON"));
    };
    let differs = |(name, expected): &(&str, &str)| record[*name] != **expected;
    let (name, expected) = expected.into_iter().find(differs)?;
    let found = &record[name];
    Some(format!(
        "`{name}` is {found} in {OUTCOME}, and should be {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(outcome: &str, reason: &str) -> Ending {
        Ending {
            task_id: "cgt-1".into(),
            account: "called",
            end: End::Result {
                outcome: outcome.into(),
                reason: reason.into(),
            },
            last_activity: None,
            had_other_version: false,
        }
    }

    /// Returns a record with a field that differs from the right one, or the right one.
    fn record(name: &str, value: &str) -> Vec<u8> {
        let mut record = json!({
            "task_id": "cgt-1", "account": "called", "outcome": "lost", "reason": "url_expired",
        });
        record[name] = value.into();
        record.to_string().into_bytes()
    }

    #[test]
    fn a_record_that_is_missing_or_differs_is_found() {
        let ending = ended("lost", "url_expired");
        let right = record("outcome", "lost");
        assert_eq!(check(&ending, &[&right], true), None);
        let others = [
            b"{".to_vec(),
            record("task_id", "cgt-2"),
            record("account", "automatic"),
            record("outcome", "unknown"),
            record("reason", "corrupt_video"),
        ];
        for other in &others {
            assert!(check(&ending, &[other], true).is_some());
        }
        assert!(check(&ending, &[], true).is_some());
    }

    #[test]
    fn a_second_record_is_found_unless_it_is_excused() {
        let ending = ended("lost", "url_expired");
        let (right, wrong) = (record("outcome", "lost"), record("reason", "other"));
        assert!(check(&ending, &[&right, &right], true).is_some());
        assert_eq!(check(&ending, &[&right, &right], false), None);
        assert!(check(&ending, &[&right, &wrong], false).is_some());
    }

    #[test]
    fn another_version_may_leave_no_record_of_a_task_that_nobody_saw() {
        for (outcome, reason, is_found) in [
            ("unknown", "outside_query_window", false),
            ("lost", "url_expired", true),
        ] {
            let mut ending = ended(outcome, reason);
            assert!(check(&ending, &[], true).is_some(), "{outcome}");
            ending.had_other_version = true;
            assert_eq!(check(&ending, &[], true).is_some(), is_found, "{outcome}");
        }
    }
}
