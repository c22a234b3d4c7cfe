//! The status words of services, mapped to those of the API.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use seedance_archiver_proto::status;

/// The status words of one account's service, in lower case, each with the status of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusAliases(pub BTreeMap<String, String>);

impl Default for StatusAliases {
    fn default() -> Self {
        let words = status::WORDS.iter().flat_map(|(status, words)| {
            let owned = |word: &&str| ((*word).to_owned(), (*status).to_owned());
            words.iter().map(owned)
        });
        Self(words.collect())
    }
}

impl StatusAliases {
    /// Returns the status of the API that a word stands for. An unknown word is returned unchanged.
    pub fn resolve(&self, word: &str) -> String {
        let spellings = status::spellings(word);
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
