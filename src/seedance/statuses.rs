//! The words that gateways use for the statuses of the API.

use std::collections::BTreeMap;

use seedance_archiver_proto::status;

/// What gateways have been seen to say, in lower case.
const KNOWN: [(&str, &str); 11] = [
    ("canceled", status::CANCELLED),
    ("completed", status::SUCCEEDED),
    ("failure", status::FAILED),
    ("in_progress", status::RUNNING),
    ("not_start", status::QUEUED),
    ("pending", status::QUEUED),
    ("processing", status::RUNNING),
    ("submitted", status::QUEUED),
    ("success", status::SUCCEEDED),
    ("timeout", status::EXPIRED),
    ("timed_out", status::EXPIRED),
];

/// Words of one account's service, in lower case, with the API's own for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Statuses(pub BTreeMap<String, String>);

impl Default for Statuses {
    fn default() -> Self {
        let owned = |(word, status): (&str, &str)| (word.to_owned(), status.to_owned());
        Self(KNOWN.into_iter().map(owned).collect())
    }
}

impl Statuses {
    /// The API's own word. One that nobody knows is kept as it came.
    pub fn own_word(&self, word: &str) -> String {
        let lower = word.trim().to_lowercase();
        match self.0.get(&lower) {
            Some(own) => own.clone(),
            None if status::ALL.contains(&lower.as_str()) => lower,
            None => word.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_words_become_the_apis_own() {
        let statuses = Statuses::default();
        for (word, own) in [
            ("succeeded", "succeeded"),
            ("SUCCESS", "succeeded"),
            ("QUEUED", "queued"),
            ("Processing", "running"),
            ("canceled", "cancelled"),
            ("Reviewing", "Reviewing"),
        ] {
            assert_eq!(statuses.own_word(word), own);
        }
    }
}
