//! The status words of services, mapped to those of the API.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use seedance_archiver_proto::status;

/// Words that services are known to use, in lower case and without separators. Only words with one meaning: a task that
/// ended is not asked for again.
const KNOWN: [(&str, &[&str]); 6] = [
    (
        status::QUEUED,
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
        status::RUNNING,
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
        status::SUCCEEDED,
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
        status::FAILED,
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
    (
        status::CANCELLED,
        &["canceled", "cancel", "revoked", "stopped"],
    ),
    (status::EXPIRED, &["timeout", "timedout", "expire"]),
];
/// Prefixes of words that are constants of an enumeration.
const PREFIXES: [&str; 3] = ["taskstatus", "jobstate", "status"];

/// The status words of one account's service, in lower case, each with the status of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusAliases(pub BTreeMap<String, String>);

impl Default for StatusAliases {
    fn default() -> Self {
        let words = KNOWN.iter().flat_map(|(status, words)| {
            let owned = |word: &&str| ((*word).to_owned(), (*status).to_owned());
            words.iter().map(owned)
        });
        Self(words.collect())
    }
}

impl StatusAliases {
    /// Returns the status of the API that a word stands for. An unknown word is returned unchanged.
    pub fn resolve(&self, word: &str) -> String {
        let lower = word.trim().to_lowercase();
        let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
        let without_prefix = PREFIXES
            .iter()
            .find_map(|prefix| plain.strip_prefix(prefix));
        let spellings = [
            lower.as_str(),
            plain.as_str(),
            without_prefix.unwrap_or_default(),
        ];
        let status = spellings.iter().find_map(|word| self.status(word));
        status.unwrap_or(word).to_owned()
    }

    fn status(&self, word: &str) -> Option<&str> {
        let alias = self.0.get(word).map(String::as_str);
        alias.or_else(|| status::ALL.into_iter().find(|status| *status == word))
    }
}

/// Logs a status word that no account knows, once for each word.
pub(crate) fn warn_unknown(word: &str) {
    /// Maximum number of words that are remembered.
    const MAX_WORDS: usize = 100;
    static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut warned = WARNED.lock();
    if warned.len() < MAX_WORDS && warned.insert(word.to_owned()) {
        tracing::warn!(
            status = ?word,
            "unknown task status; the task is polled until its status changes; if the status is final, map it in \
             `statuses` of the account"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_services_are_mapped_to_those_of_the_api() {
        let aliases = StatusAliases::default();
        for (word, status) in [
            ("succeeded", "succeeded"),
            ("SUCCESS", "succeeded"),
            ("succeed", "succeeded"),
            ("TASK_STATUS_SUCCEED", "succeeded"),
            (" Completed ", "succeeded"),
            ("QUEUED", "queued"),
            ("NOT_START", "queued"),
            ("In Queue", "queued"),
            ("Processing", "running"),
            ("in-progress", "running"),
            ("IN_PROGRESS", "running"),
            ("fail", "failed"),
            ("terminated", "failed"),
            ("interrupted", "failed"),
            ("canceled", "cancelled"),
            ("JOB_STATE_CANCELLED", "cancelled"),
            ("timed_out", "expired"),
            ("Reviewing", "Reviewing"),
            ("", ""),
        ] {
            assert_eq!(aliases.resolve(word), status, "{word}");
        }
    }

    #[test]
    fn the_aliases_of_an_account_come_first() {
        let mut aliases = StatusAliases::default();
        aliases.0.insert("in review".into(), "running".into());
        aliases.0.insert("done".into(), "failed".into());
        assert_eq!(aliases.resolve("In Review"), "running");
        assert_eq!(aliases.resolve("DONE"), "failed");
    }
}
