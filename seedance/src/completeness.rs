//! Whether the list says as much about a task as a query.

use serde_json::{Map, Value};

use crate::{Record, json};

/// Returns whether an item of the list has every field that the answer to a query has, also in `content`. Fields without
/// a value do not count.
///
/// Compare records of the same task with the same status: records of others say nothing, so they are not as complete.
pub fn is_as_complete(item: &Record, answer: &Record) -> bool {
    if (item.id(), item.status()) != (answer.id(), answer.status()) {
        return false;
    }
    let fields = |record: &Record| json::parse(record.as_received()).ok();
    let (item, answer) = (fields(item), fields(answer));
    let fields = item.as_ref().and_then(Value::as_object);
    match fields.zip(answer.as_ref().and_then(Value::as_object)) {
        Some((item, answer)) => has_fields_of(item, answer) && has_content_of(item, answer),
        None => false,
    }
}

fn has_fields_of(item: &Map<String, Value>, answer: &Map<String, Value>) -> bool {
    let has = |name: &String| item.get(name).is_some_and(|value| !value.is_null());
    let mut fields = answer.iter().filter(|(_, value)| !value.is_null());
    fields.all(|(name, _)| has(name))
}

fn has_content_of(item: &Map<String, Value>, answer: &Map<String, Value>) -> bool {
    let Some(answer) = answer.get("content").and_then(Value::as_object) else {
        return true;
    };
    let item = item.get("content").and_then(Value::as_object);
    item.is_some_and(|item| has_fields_of(item, answer))
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::v1::VideoTask;

    use super::*;
    use crate::received::Received;

    fn record(id: &str, status: &str, text: &str) -> Record {
        let task = VideoTask {
            id: id.to_owned(),
            status: status.to_owned(),
            ..VideoTask::default()
        };
        Record::new(task, Received::new(text.to_owned(), &[]))
    }

    fn check(item: &str, answer: &str) -> bool {
        let record = |text| record("cgt-1", "succeeded", text);
        is_as_complete(&record(item), &record(answer))
    }

    #[test]
    fn an_item_with_all_fields_is_as_complete() {
        let answer = r#"{"id": "cgt-1", "seed": 7, "error": null, "content": {"video_url": "u"}}"#;
        for (item, expected) in [
            (answer, true),
            (
                r#"{"content": {"video_url": "v", "x": 1}, "seed": 8, "id": "", "y": 1}"#,
                true,
            ),
            (r#"{"id": "cgt-1", "content": {"video_url": "u"}}"#, false),
            (
                r#"{"id": "cgt-1", "seed": null, "content": {"video_url": "u"}}"#,
                false,
            ),
            (r#"{"id": "cgt-1", "seed": 7}"#, false),
            (r#"{"id": "cgt-1", "seed": 7, "content": {}}"#, false),
            (
                r#"{"id": "cgt-1", "seed": 7, "content": {"video_url": null}}"#,
                false,
            ),
            (r#"{"id": "cgt-1", "seed": 7, "content": "u"}"#, false),
            ("", false),
            ("[]", false),
        ] {
            assert_eq!(check(item, answer), expected, "{item}");
        }
        assert!(check(answer, r#"{"id": "cgt-1", "content": null}"#));
        assert!(!check(answer, "") && !check("", ""));
    }

    #[test]
    fn records_of_another_task_or_status_say_nothing() {
        let item = record("cgt-1", "succeeded", r#"{"id": "cgt-1"}"#);
        for (id, status) in [("cgt-2", "succeeded"), ("cgt-1", "running")] {
            assert!(!is_as_complete(&item, &record(id, status, "{}")));
        }
    }
}
