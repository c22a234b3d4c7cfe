use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::UrlSeal;

fn decode(answer: Value) -> Result<VideoTask, String> {
    let seal = UrlSeal::new("default", &[SecretString::from("key")]);
    record(
        answer.to_string().as_bytes(),
        "cgt-1",
        &StatusAliases::default(),
    )
    .map(|record| record.sealed(&seal))
    .map_err(|error| error.to_string())
}

#[test]
fn reads_every_field() {
    let task = decode(json!({
        "id": "cgt-1", "model": "seedance-1-5-pro-251215", "status": "succeeded", "error": null,
        "created_at": 1750000000, "updated_at": 1750000100,
        "content": {
            "video_url": "https://host.example/v.mp4?sig=1",
            "last_frame_url": "https://host.example/f.png?sig=2",
            "file_url": "https://host.example/f.glb?sig=3"
        },
        "seed": 4294967295u32, "resolution": "1080p", "ratio": "16:9", "duration": 5,
        "framespersecond": 24, "generate_audio": true, "tools": [{"type": "web_search"}],
        "safety_identifier": "user-7", "priority": 2, "draft": false, "draft_task_id": "cgt-0",
        "service_tier": "flex", "execution_expires_after": 172800,
        "usage": {"completion_tokens": 108900, "total_tokens": 108900,
            "tool_usage": {"web_search": 1}},
        "revised_prompt": "a kite", "output_format": "mp4", "subdivisionlevel": "high",
        "fileformat": "glb", "field_of_the_future": {"a": [1]}
    }))
    .unwrap();
    let mut json = serde_json::to_value(&task).unwrap();
    let content = json["content"].take();
    assert_eq!(
        json,
        json!({
            "id": "cgt-1", "model": "seedance-1-5-pro-251215", "status": "succeeded",
            "created_at": 1750000000, "updated_at": 1750000100, "content": null,
            "seed": 4294967295u32, "resolution": "1080p", "ratio": "16:9", "duration": 5,
            "framespersecond": 24, "generate_audio": true, "tools": [{"type": "web_search"}],
            "safety_identifier": "user-7", "priority": 2, "draft": false,
            "draft_task_id": "cgt-0", "service_tier": "flex", "execution_expires_after": 172800,
            "usage": {"completion_tokens": 108900, "total_tokens": 108900,
                "tool_usage": {"web_search": 1}},
            "revised_prompt": "a kite", "output_format": "mp4", "subdivisionlevel": "high",
            "fileformat": "glb"
        })
    );
    for url in ["video_url", "last_frame_url", "file_url"] {
        assert!(
            content[url].as_str().unwrap().starts_with("sealed:v1:"),
            "{url}: {content}"
        );
    }
}

#[test]
fn tolerates_the_types_that_gateways_send() {
    let task = decode(json!({
        "status": "processing", "created_at": "1750000000", "updated_at": 1750000100.0,
        "seed": "", "duration": null, "frames": "29", "generate_audio": "true", "draft": 0,
        "content": {"video_url": ""}, "usage": {"total_tokens": "7"}, "tools": null,
        "error": {"code": "", "message": null}
    }))
    .unwrap();
    let expected = VideoTask {
        id: "cgt-1".into(),
        status: "running".into(),
        created_at: 1_750_000_000,
        updated_at: 1_750_000_100,
        frames: Some(29),
        generate_audio: Some(true),
        draft: Some(false),
        usage: Some(Usage {
            total_tokens: 7,
            ..Usage::default()
        }),
        ..VideoTask::default()
    };
    assert_eq!(task, expected);
}

#[test]
fn unwraps_the_records_of_gateways() {
    let wrapped = |data| decode(json!({"code": "success", "message": "", "data": data})).unwrap();
    let inner = json!({"id": "cgt-9", "status": "succeeded", "seed": 7});
    let task = wrapped(json!({"task_id": "task_1", "status": "SUCCESS", "data": inner}));
    assert_eq!(
        (task.id.as_str(), task.status.as_str(), task.seed),
        ("cgt-1", "succeeded", Some(7))
    );
    assert_eq!(wrapped(inner).seed, Some(7));

    let failed = json!({"status": "FAILURE", "fail_reason": "too dark", "data": null});
    let task = wrapped(failed);
    assert_eq!(task.status, "failed");
    assert_eq!(task.error.unwrap().message, "too dark");
    assert_eq!(
        wrapped(json!({"status": "IN_PROGRESS", "data": {}})).status,
        "running"
    );

    let mut deep = json!({"status": "queued"});
    for _ in 0..100 {
        deep = json!({"data": deep});
    }
    assert_eq!(decode(deep).unwrap().status, "queued");

    let error = json!({"code": "fail_to_fetch_task", "message": "try later", "data": null});
    assert_eq!(decode(error).unwrap_err(), "fail_to_fetch_task: try later");
}

#[test]
fn reads_the_error_of_a_failed_task_from_every_field() {
    let why = |answer| decode(answer).unwrap().error.unwrap();
    let error = VideoTaskError {
        code: "Code".into(),
        message: "why".into(),
    };
    let object = json!({"code": "Code", "message": "why"});
    assert_eq!(why(json!({"status": "failed", "error": object})), error);
    assert_eq!(
        why(json!({"status": "failed", "failure_reason": object})),
        error
    );
    let url = "cannot read https://a.example/in.png?X-Amz-Signature=secret";
    assert!(
        !why(json!({"status": "failed", "error": url}))
            .message
            .contains("secret")
    );
    let message_only = VideoTaskError {
        code: String::new(),
        message: "why".into(),
    };
    assert_eq!(
        why(json!({"status": "failed", "error": "why"})),
        message_only
    );
}

#[test]
fn a_response_that_is_not_a_record_is_an_error() {
    let error = |answer| decode(answer).unwrap_err();
    assert_eq!(
        error(json!({"id": "cgt-1"})),
        "the response has no `status`"
    );
    assert_eq!(error(json!([])), "the response is not a JSON object");
    assert!(error(json!({"id": "cgt-2", "status": "queued"})).contains("another task"));
    let busy = json!({"error": {"code": "ServerOverloaded", "message": "later"}});
    assert_eq!(error(busy), "ServerOverloaded: later");
    let html = record(b"<html>", "cgt-1", &StatusAliases::default())
        .err()
        .unwrap()
        .to_string();
    assert!(html.starts_with("the response is not JSON"), "{html}");
}

fn read_list(answer: Value) -> Result<List, String> {
    list(answer.to_string().as_bytes(), &StatusAliases::default())
        .map_err(|error| error.to_string())
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
        assert_eq!((facts.as_slice(), list.total), (expected.as_slice(), 7));
        assert_eq!(tasks[0].created_at, 1_750_000_000);
        assert_eq!(tasks[1].error.as_ref().unwrap().code, "C");
        assert_eq!(tasks[2].model, "m");
    }
    assert!(
        read_list(json!({"items": null, "total": 0}))
            .unwrap()
            .items
            .is_empty()
    );
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
