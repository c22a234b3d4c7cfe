use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::StatusAliases;

fn read_text(text: &str) -> Result<List, Error> {
    let dialect = Dialect {
        statuses: &StatusAliases::default(),
        video_url: None,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_200),
    };
    list(text.as_bytes(), &dialect)
}

fn read_list(answer: Value) -> Result<List, String> {
    read_text(&answer.to_string()).map_err(|error| error.to_string())
}

#[test]
fn reads_the_lists_of_gateways() {
    let plain = json!({"id": "cgt-1", "status": "processing", "created_at": "1750000000"});
    let failed = json!({"id": "cgt-2", "status": "failed", "failure_reason": {"code": "C"}});
    let wrapped = json!({"task_id": "cgt-3", "status": "SUCCESS",
        "data": {"id": "upstream-3", "status": "succeeded", "model": "m"}});
    let items = json!([plain, failed, wrapped]);
    for answer in [
        json!({"total": 7, "items": items}),
        json!({"code": "success", "data": {"total": "7", "items": items}}),
        json!({"total": 7, "data": items}),
    ] {
        let list = read_list(answer).unwrap();
        let tasks: Vec<_> = list
            .items
            .iter()
            .map(|item| item.as_ref().unwrap().without_urls())
            .collect();
        let facts: Vec<_> = tasks
            .iter()
            .map(|task| (task.id.as_str(), task.status.as_str()))
            .collect();
        let expected = [
            ("cgt-1", "running"),
            ("cgt-2", "failed"),
            ("cgt-3", "succeeded"),
        ];
        assert_eq!(
            (facts.as_slice(), list.total),
            (expected.as_slice(), Some(7))
        );
        assert_eq!(tasks[0].created_at, 1_750_000_000);
        assert_eq!(tasks[1].error.as_ref().unwrap().code, "C");
        assert_eq!(tasks[2].model, "m");
    }
    let empty = read_list(json!({"items": null, "total": 0})).unwrap();
    assert!(empty.items.is_empty() && empty.total == Some(0));
    assert_eq!(read_list(json!({"items": []})).unwrap().total, None);
}

#[test]
fn a_malformed_item_does_not_affect_the_others() {
    let list = read_list(json!({"items": [
        7, {"id": "cgt-1"}, {"status": "queued"}, {"id": "a/b", "status": "queued"},
        {"id": "cgt-2", "status": "queued"}, null,
    ]}))
    .unwrap();
    let ids: Vec<_> = list
        .items
        .iter()
        .map(|item| item.as_ref().map(Record::id).map_err(String::as_str))
        .collect();
    let slash = "`id` contains a slash, a backslash or a control character";
    assert_eq!(ids[0], Err("not an object"));
    assert_eq!(ids[1], Err("no `status`"));
    assert!(ids[2].unwrap_err().starts_with("`id` is missing"));
    assert_eq!(ids[3..5], [Err(slash), Ok("cgt-2")]);
    assert!(ids[5].is_err());
}

#[test]
fn a_response_that_is_not_a_list_is_an_error() {
    let error = |answer| read_list(answer).err().unwrap();
    assert_eq!(error(json!({"id": "cgt-1"})), "the response has no `items`");
    assert_eq!(error(json!([])), "the response is not a JSON object");
    let busy = json!({"error": {"code": "ServerOverloaded", "message": "later"}});
    assert_eq!(error(busy), "ServerOverloaded: later");
}

/// As the record of a query is.
#[test]
fn an_item_is_kept_as_received() {
    let text = "{\"code\": 0, \"data\": {\"items\": [7, \
        { \"id\":\"cgt-1\", \"status\":\"queued\", \"seed\":12345678901234567890123, \"caption\": \"\\ud800\", \
        \"x\": 1e400, \"callback_url\": \"https://h.example/secret\"}, \
        {\"task_id\": \"cgt-2\", \"data\": {\"status\" : \"running\", \"n\": 1.0e5}}]}}";
    let list = read_text(text).unwrap();
    let received: Vec<_> = list
        .items
        .iter()
        .filter_map(|item| item.as_ref().ok())
        .map(Record::as_received)
        .collect();
    assert_eq!(
        received,
        [
            "{ \"id\":\"cgt-1\", \"status\":\"queued\", \"seed\":12345678901234567890123, \"caption\": \"\\ud800\", \
            \"x\": 1e400, \"callback_url\": \"REDACTED\"}",
            "{\"status\" : \"running\", \"n\": 1.0e5}",
        ]
    );
}
