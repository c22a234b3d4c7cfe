//! Whether a task without a video has a record of its outcome.

use seedance_archiver_proto::names::OUTCOME;
use serde_json::Value;

use super::endings::{End, Ending};

/// Compares `outcome.json` with the last end of a lifecycle. Returns what is wrong.
pub(super) fn check(ending: &Ending, record: Option<&[u8]>) -> Option<String> {
    let End::Result { outcome, reason } = &ending.end else {
        // Counted elsewhere.
        return None;
    };
    let Some(record) = record else {
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

    #[test]
    fn a_record_that_is_missing_or_differs_is_found() {
        let ending = Ending {
            task_id: "cgt-1".into(),
            account: "called",
            end: End::Result {
                outcome: "lost".into(),
                reason: "url_expired".into(),
            },
            last_activity: None,
        };
        let right = br#"{"task_id":"cgt-1","outcome":"lost","reason":"url_expired"}"#;
        assert_eq!(check(&ending, Some(right)), None);
        let other = br#"{"task_id":"cgt-1","outcome":"lost","reason":"corrupt_video"}"#;
        for record in [None, Some(&b"{"[..]), Some(&other[..])] {
            assert!(check(&ending, record).is_some());
        }
    }
}
