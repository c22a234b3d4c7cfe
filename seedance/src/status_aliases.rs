//! The status words of gateways, mapped to those of the API.

use std::collections::BTreeMap;

use seedance_archiver_proto::status;

/// Words that gateways are known to use, in lower case.
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

/// The status words of one account's service, in lower case, each with the status of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusAliases(pub BTreeMap<String, String>);

impl Default for StatusAliases {
    fn default() -> Self {
        let owned = |(word, status): (&str, &str)| (word.to_owned(), status.to_owned());
        Self(KNOWN.into_iter().map(owned).collect())
    }
}

impl StatusAliases {
    /// Returns the status of the API that a word stands for. An unknown word is returned unchanged.
    pub fn resolve(&self, word: &str) -> String {
        let lower = word.trim().to_lowercase();
        match self.0.get(&lower) {
            Some(status) => status.clone(),
            None if status::ALL.contains(&lower.as_str()) => lower,
            None => word.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_gateways_are_mapped_to_those_of_the_api() {
        let aliases = StatusAliases::default();
        for (word, status) in [
            ("succeeded", "succeeded"),
            ("SUCCESS", "succeeded"),
            ("QUEUED", "queued"),
            ("Processing", "running"),
            ("canceled", "cancelled"),
            ("Reviewing", "Reviewing"),
        ] {
            assert_eq!(aliases.resolve(word), status);
        }
    }
}
