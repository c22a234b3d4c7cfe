//! Values of `VideoTask.status`.

/// Created, not started.
pub const QUEUED: &str = "queued";
/// The video is being generated.
pub const RUNNING: &str = "running";
/// The video was generated, and the record has its URL.
pub const SUCCEEDED: &str = "succeeded";
/// No video was generated. The record has an error.
pub const FAILED: &str = "failed";
/// Cancelled before it started.
pub const CANCELLED: &str = "cancelled";
/// Not finished within `execution_expires_after`. Unrelated to the expiry of the URL.
pub const EXPIRED: &str = "expired";

/// Every status that the API documents.
pub const ALL: [&str; 6] = [QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED, EXPIRED];

/// Fields of a record in which services send the status. The first one that is not empty counts.
pub const FIELDS: [&str; 5] = ["status", "task_status", "taskStatus", "state", "Status"];

/// Fields in which gateways wrap a record, e.g. `{"data": {"status": …, "data": {record}}}`. The innermost object that has a
/// status is the record.
pub const WRAPPERS: [&str; 6] = ["data", "result", "response", "task", "output", "Result"];

/// Words that services are known to use, in lower case and without separators. Only words with one meaning: a task that
/// ended is not asked for again.
pub const WORDS: [(&str, &[&str]); 6] = [
    (
        QUEUED,
        &[
            "pending",
            "submitted",
            "submitting",
            "notstart",
            "notstarted",
            "waiting",
            "inqueue",
            "queueing",
            "queuing",
            "created",
            "scheduled",
            "accepted",
            "preparing",
            "received",
            "enqueued",
            "pend",
        ],
    ),
    (
        RUNNING,
        &[
            "processing",
            "inprogress",
            "generating",
            "started",
            "working",
            "executing",
            "active",
            "rendering",
            "run",
            "uploading",
            "process",
        ],
    ),
    (
        SUCCEEDED,
        &[
            "success",
            "succeed",
            "successful",
            "completed",
            "complete",
            "done",
            "finished",
            "finish",
        ],
    ),
    (
        FAILED,
        &[
            "fail",
            "failure",
            "error",
            "errored",
            "terminated",
            "interrupted",
            "aborted",
            "rejected",
            "crashed",
        ],
    ),
    (CANCELLED, &["canceled", "cancel", "revoked", "stopped"]),
    (EXPIRED, &["timeout", "timedout", "expire"]),
];
/// Prefixes of words that are constants of an enumeration.
const PREFIXES: [&str; 3] = ["taskstatus", "jobstate", "status"];

/// Returns whether a status is final. An unknown status counts as not final, because waiting loses nothing.
pub fn is_terminal(status: &str) -> bool {
    [SUCCEEDED, FAILED, CANCELLED, EXPIRED].contains(&status)
}

/// Returns the status that a word of a service is known to stand for.
pub fn of_word(word: &str) -> Option<&'static str> {
    spellings(word).iter().find_map(|spelling| {
        let has_word = |(_, words): &&(&str, &[&str])| words.iter().any(|it| it == spelling);
        let known = WORDS.iter().find(has_word).map(|(status, _)| *status);
        known.or_else(|| ALL.into_iter().find(|status| status == spelling))
    })
}

/// Returns how a word of a service may be listed: in lower case, also without separators, also without the prefix of a constant.
pub fn spellings(word: &str) -> [String; 3] {
    let lower = word.trim().to_lowercase();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let without_prefix = PREFIXES
        .iter()
        .find_map(|prefix| plain.strip_prefix(prefix))
        .unwrap_or_default()
        .to_owned();
    [lower, plain, without_prefix]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_service_stands_for_a_status() {
        for (word, status) in [
            ("succeeded", Some(SUCCEEDED)),
            ("TASK_STATUS_SUCCEED", Some(SUCCEEDED)),
            ("IN_PROGRESS", Some(RUNNING)),
            ("In Queue", Some(QUEUED)),
            ("JOB_STATE_CANCELLED", Some(CANCELLED)),
            ("Reviewing", None),
            ("status", None),
            ("", None),
        ] {
            assert_eq!(of_word(word), status, "{word}");
        }
    }
}
