//! The search attributes of a lifecycle.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seedance_archiver_proto::names::search_attribute;
use serde::Serialize;
use serde_json::Value;
use temporalio_common::protos::temporal::api::common::v1::SearchAttributes;

/// The search attributes of a lifecycle, by name. Those of other programs are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Returns the value of an attribute as text, empty if it is not set.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Returns the archive deadline in Unix seconds, 0 if it is not set.
    pub fn archive_deadline(&self) -> i64 {
        self.time(search_attribute::ARCHIVE_DEADLINE)
    }

    /// Returns until when a final video can be made from the draft, in Unix seconds, 0 if it is not set.
    pub fn draft_deadline(&self) -> i64 {
        self.time(search_attribute::DRAFT_DEADLINE)
    }

    /// Returns whether the task is a draft.
    pub fn is_draft(&self) -> bool {
        self.get(search_attribute::DRAFT) == "true"
    }

    fn time(&self, name: &str) -> i64 {
        self.get(name).parse().map_or(0, Timestamp::as_second)
    }
}

impl From<&SearchAttributes> for Attributes {
    fn from(attributes: &SearchAttributes) -> Self {
        let names = search_attribute::ALL
            .into_iter()
            .chain([search_attribute::USER]);
        let values = names.filter_map(|name| {
            let payload = attributes.indexed_fields.get(name)?;
            // Keywords and times are both JSON strings.
            let value = match serde_json::from_slice(&payload.data).ok()? {
                Value::String(text) => text,
                Value::Bool(value) => value.to_string(),
                _ => return None,
            };
            Some((name.to_owned(), value))
        });
        Self(values.collect())
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::common::v1::Payload;

    use super::*;

    #[test]
    fn attributes_of_other_programs_are_left_out() {
        let payload = |json: &str| Payload {
            data: json.into(),
            ..Payload::default()
        };
        let fields = [
            ("SeedanceStatus", "\"running\""),
            ("SeedanceArchiveDeadline", "\"1970-01-02T00:00:00Z\""),
            ("SeedanceModel", "7"),
            ("BuildIds", "[\"v1\"]"),
        ];
        let attributes = Attributes::from(&SearchAttributes {
            indexed_fields: fields
                .map(|(name, json)| (name.to_owned(), payload(json)))
                .into(),
        });
        assert_eq!(attributes.get("SeedanceStatus"), "running");
        assert_eq!(attributes.get("SeedanceModel"), "", "not text");
        assert_eq!(attributes.get("BuildIds"), "");
        assert_eq!(attributes.archive_deadline(), 24 * 60 * 60);
        assert_eq!(Attributes::default().archive_deadline(), 0);
    }
}
