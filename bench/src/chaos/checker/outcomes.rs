//! Whether a task without a video has a record of its outcome.

use seedance_archiver_proto::{names::OUTCOME, outcome::UNKNOWN};
use serde_json::Value;

use super::endings::{End, Ending};

/// Compares `outcome.json` with the last end of a lifecycle. Returns what is wrong.
pub(super) fn check(ending: &Ending, record: Option<&[u8]>) -> Option<String> {
    let End::Result { outcome, reason } = &ending.end else {
        // Counted elsewhere.
        return None;
    };
    let Some(record) = record else {
        // Version 0.1.0 does not record the end of a task that the API never returned.
        if ending.had_other_version && outcome == UNKNOWN {
            return None;
        }
        return Some(format!("{}: no {OUTCOME} of {outcome}", ending.task_id));
    };
    let Ok(record) = serde_json::from_slice::<Value>(record) else {
        return Some(format!("{}: {OUTCOME} is not JSON", ending.task_id));
    };
    let fields = [
        ("task_id", &ending.task_id),
        ("outcome", outcome),
        ("reason", reason),
    ];
    let differs = |(name, expected): &(&str, &String)| record[*name] != **expected;
    let (name, expected) = fields.into_iter().find(differs)?;
    let found = &record[name];
    Some(format!(
        "{}: `{name}` is {found} in {OUTCOME}, and {expected} in the history",
        ending.task_id
    ))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_record_that_is_missing_or_differs_is_found() {
        let ending = ended("lost", "url_expired");
        let right = br#"{"task_id":"cgt-1","outcome":"lost","reason":"url_expired"}"#;
        assert_eq!(check(&ending, Some(right)), None);
        let other = br#"{"task_id":"cgt-1","outcome":"lost","reason":"corrupt_video"}"#;
        for record in [None, Some(&b"{"[..]), Some(&other[..])] {
            assert!(check(&ending, record).is_some());
        }
    }

    #[test]
    fn another_version_may_leave_no_record_of_a_task_that_nobody_saw() {
        for (outcome, reason, is_found) in [
            ("unknown", "outside_query_window", false),
            ("lost", "url_expired", true),
        ] {
            let mut ending = ended(outcome, reason);
            assert!(check(&ending, None).is_some(), "{outcome}");
            ending.had_other_version = true;
            assert_eq!(check(&ending, None).is_some(), is_found, "{outcome}");
        }
    }
}
