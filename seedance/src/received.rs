//! A record as the service sent it.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::value::RawValue;

use crate::{json, secret_free::without_secrets};

/// The text of a record as received. Its secrets are removed when it is asked for, because most records are not kept.
pub(crate) struct Received {
    /// The record with its wrappers and its secrets.
    text: String,
    wrappers: Vec<&'static str>,
    secret_free: OnceLock<String>,
}

impl Received {
    /// Returns a record that is inside the wrappers with these keys.
    pub(crate) fn new(text: String, wrappers: &[&'static str]) -> Self {
        Self {
            text,
            wrappers: wrappers.to_vec(),
            secret_free: OnceLock::new(),
        }
    }

    /// Returns the text of the record exactly as received, but without its secrets.
    pub(crate) fn without_secrets(&self) -> &str {
        self.secret_free.get_or_init(|| {
            let unwrapped = unwrapped(&self.text, &self.wrappers);
            without_secrets(unwrapped.as_deref().unwrap_or(&self.text))
        })
    }
}

/// Returns the record inside the wrappers with these keys, exactly as received. `None` if the text is not JSON.
fn unwrapped(text: &str, wrappers: &[&str]) -> Option<String> {
    let unwrap = |text: &str| Some(value_at(text, wrappers)?.to_owned());
    unwrap(text).or_else(|| unwrap(&json::repaired(text)))
}

/// Returns the items of the array at the end of a path of fields, exactly as received. `None` if there is no such array.
pub(crate) fn items(text: &str, path: &[&str]) -> Option<Vec<String>> {
    let items = |text: &str| {
        let items: Vec<&RawValue> = serde_json::from_str(value_at(text, path)?).ok()?;
        Some(
            items
                .into_iter()
                .map(|item| item.get().to_owned())
                .collect(),
        )
    };
    items(text).or_else(|| items(&json::repaired(text)))
}

fn value_at<'a>(text: &'a str, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(text, |text, name| {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        Some(fields.get(*name)?.get())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_taken_out_of_its_wrappers_unchanged() {
        let text = r#"{"code": 0, "data": {"n": 1e400, "data": { "seed" : 1.0e5 }}}"#;
        assert_eq!(unwrapped(text, &[]).as_deref(), Some(text));
        let inner = unwrapped(text, &["data", "data"]);
        assert_eq!(inner.as_deref(), Some(r#"{ "seed" : 1.0e5 }"#));
        let repaired = unwrapped(r#"{"data": {"a": NaN},}"#, &["data"]);
        assert_eq!(repaired.as_deref(), Some(r#"{"a": null}"#));
        assert_eq!(unwrapped("<html>", &["data"]), None);
    }

    #[test]
    fn the_items_of_a_list_are_unchanged() {
        let text = r#"{"data": {"items": [ { "seed" : 1.0e5 }, 7,{"x":1e400}], "total": 3}}"#;
        let found = items(text, &["data", "items"]).unwrap();
        assert_eq!(found, [r#"{ "seed" : 1.0e5 }"#, "7", r#"{"x":1e400}"#]);
        let repaired = items(r#"{"items": [{"a": NaN},]}"#, &["items"]);
        assert_eq!(repaired.unwrap(), [r#"{"a": null}"#]);
        assert_eq!(items(text, &["items"]), None);
    }
}
