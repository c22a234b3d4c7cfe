use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use seedance_archiver_proto::v1::{Usage, VideoTask, VideoTaskError};
use serde_json::json;

use super::*;
use crate::{StatusAliases, UrlSeal};

/// The time of the responses, in Unix seconds.
const NOW: u64 = 1_750_000_200;

fn with_dialect<T>(run: impl FnOnce(&Dialect) -> T) -> T {
    run(&Dialect {
        statuses: &StatusAliases::default(),
        video_url: None,
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(NOW),
    })
}

fn decode_bytes(body: &[u8], task_id: &str) -> Result<Record, Error> {
    with_dialect(|dialect| record(body, task_id, dialect))
}

fn decode(answer: Value) -> Result<VideoTask, String> {
    let seal = UrlSeal::new("default", &[SecretString::from("key")]);
    decode_bytes(answer.to_string().as_bytes(), "cgt-1")
        .map(|record| record.sealed(&seal))
        .map_err(|error| error.to_string())
}

fn url(answer: Value) -> Option<String> {
    let record = decode_bytes(answer.to_string().as_bytes(), "cgt-1").unwrap();
    record.video_url().map(|url| url.expose().to_owned())
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
            content[url].as_str().unwrap().starts_with("sealed:v2:"),
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
    assert_eq!(
        why(json!({"id": "cgt-1", "status": "failed", "error": object})),
        error
    );
    assert_eq!(
        why(json!({"status": "failed", "failure_reason": object})),
        error
    );
    let url = "cannot read https://a.example/in.png?X-Amz-Signature=secret";
    assert!(
        !why(json!({"model": "m", "status": "failed", "error": url}))
            .message
            .contains("secret")
    );
    let message_only = VideoTaskError {
        code: String::new(),
        message: "why".into(),
    };
    assert_eq!(
        why(json!({"task_id": "cgt-1", "status": "failed", "error": "why"})),
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
    let html = decode_bytes(b"<html>", "cgt-1").err().unwrap().to_string();
    assert!(html.starts_with("the response is not JSON"), "{html}");
}

#[test]
fn an_error_of_a_gateway_with_a_status_is_not_the_end_of_a_task() {
    for (answer, text) in [
        (
            json!({"status": "error", "message": "upstream timeout"}),
            "upstream timeout",
        ),
        (
            json!({"status": "fail", "code": 429, "msg": "too many requests", "data": null}),
            "429: too many requests",
        ),
        (
            json!({"status": "fail", "data": {"reason": "no capacity"}}),
            "the response has a status, but nothing else of a task",
        ),
        (
            json!({"status": "timeout", "request_id": "02-7"}),
            "the response has a status, but nothing else of a task",
        ),
    ] {
        assert_eq!(decode(answer.clone()).unwrap_err(), text, "{answer}");
    }
    let busy =
        json!({"status": "failed", "error": {"code": "RateLimitExceeded", "message": "later"}});
    let error = decode_bytes(busy.to_string().as_bytes(), "cgt-1");
    assert_eq!(error.err().unwrap().kind(), ErrorKind::RateLimited);
    for record in [
        json!({"id": "cgt-1", "status": "error"}),
        json!({"status": "error", "created_at": 1_750_000_000}),
        json!({"status": "error", "model": "seedance-1-0-pro"}),
        json!({"data": {"status": "error"}}),
    ] {
        assert_eq!(decode(record.clone()).unwrap().status, "failed", "{record}");
    }
}

#[test]
fn a_task_is_never_without_a_time_if_its_id_has_one() {
    let created_at = |answer: &str, id: &str| {
        let record = decode_bytes(answer.as_bytes(), id).unwrap();
        record.created_at()
    };
    for answer in [
        r#"{"status": "queued", "created_at": 1750000000771}"#,
        r#"{"status": "queued", "createdAt": "2025-06-15T15:06:40Z"}"#,
        r#"{"data": {"submit_time": 1750000000, "data": {"status": "queued"}}}"#,
    ] {
        assert_eq!(created_at(answer, "cgt-1"), 1_750_000_000, "{answer}");
    }
    let id = "cgt-20250615230640-hj94q";
    for created in ["null", "0", "\"soon\"", "99999999999"] {
        let answer = format!(r#"{{"status": "queued", "created_at": {created}}}"#);
        assert_eq!(created_at(&answer, id), 1_750_000_000, "{created}");
        assert_eq!(created_at(&answer, "task-7"), 0, "{created}");
    }
}

#[test]
fn the_video_of_a_succeeded_task_is_found_in_every_layer() {
    const URL: &str = "https://h.example/v.mp4?s=1";
    for answer in [
        json!({"status": "succeeded", "metadata": {"url": URL}}),
        json!({"data": {"status": "SUCCESS", "result_url": URL, "data": {"status": "succeeded"}}}),
        json!({"code": "success", "data": {"status": "SUCCESS", "fail_reason": URL, "data": null}}),
        json!({"output": {"task_status": "SUCCEEDED", "video_url": URL}}),
    ] {
        assert_eq!(url(answer.clone()).as_deref(), Some(URL), "{answer}");
    }
    let running = json!({"status": "running", "metadata": {"url": URL}});
    assert_eq!(url(running), None, "the URL of an input");
    let reviewed = json!({"status": "Reviewed", "content": {"video_url": URL}});
    assert_eq!(decode(reviewed).unwrap().status, "succeeded");
    let reviewing = json!({"status": "Reviewing", "metadata": {"url": URL}});
    assert_eq!(decode(reviewing).unwrap().status, "Reviewing");
    let file = json!({"status": "succeeded", "content": {"file_url": URL}});
    assert_eq!(url(file), None);
}

#[test]
fn a_configured_pointer_leads_to_the_video() {
    let answer =
        br#"{"data": {"status": "done", "content": {"video_url": "https://h.example/preview"},
        "clips": [{"link": "https://h.example/v.mp4"}]}}"#;
    let statuses = StatusAliases::default();
    for pointer in ["/clips/0/link", "/data/clips/0/link"] {
        let dialect = Dialect {
            statuses: &statuses,
            video_url: Some(pointer),
            now: SystemTime::UNIX_EPOCH,
        };
        let record = record(answer, "cgt-1", &dialect).unwrap();
        let url = record.video_url().unwrap();
        assert_eq!(url.expose(), "https://h.example/v.mp4", "{pointer}");
    }
}

#[test]
fn the_record_is_kept_as_received() {
    let body = b"\xef\xbb\xbf{\"code\": 0, \"data\": { \"status\":\"queued\", \"seed\":12345678901234567890123,\
        \"prompt\": \"caf\xff \\ud800\", \"x\": 1e400, \"callback_url\": \"https://h.example/secret\"}}";
    let record = decode_bytes(body, "cgt-1").unwrap();
    assert_eq!(
        record.as_received(),
        "{ \"status\":\"queued\", \"seed\":12345678901234567890123,\
        \"prompt\": \"caf\u{fffd} \\ud800\", \"x\": 1e400, \"callback_url\": \"REDACTED\"}"
    );
    assert_eq!(
        record.without_urls().seed,
        None,
        "no number of this size fits"
    );
}

#[test]
fn the_code_of_an_error_decides_its_kind() {
    let kind = |answer: Value| {
        let error = decode_bytes(answer.to_string().as_bytes(), "cgt-1");
        error.err().unwrap().kind()
    };
    let error = |code: &str| json!({"error": {"code": code, "message": "why"}});
    assert_eq!(kind(error("NotFound.Task")), ErrorKind::NotFound);
    assert_eq!(kind(error("ServerOverloaded")), ErrorKind::RateLimited);
    assert_eq!(kind(error("AuthenticationError")), ErrorKind::Unauthorized);
    assert_eq!(kind(error("InternalServiceError")), ErrorKind::Unexpected);
}

/// Temporal fails an activity for good if its result is larger than 2 MB.
#[test]
fn a_record_of_megabytes_is_bounded() {
    let long = "https://user:pw@a.example/v?sig=ZZZZ \u{8996}".repeat(10_000);
    let url = format!("https://host.example/{}", "v".repeat(3_000_000));
    let many = vec![json!({"type": &long[..8_000]}); 100];
    let usage: Map<String, Value> = (0..1_000)
        .map(|number| (format!("{number}{}", &long[..3_900]), 1.into()))
        .collect();
    let task = decode(json!({
        "id": "cgt-1", "status": "succeeded", "model": &long, "resolution": &long, "ratio": &long,
        "content": {"video_url": &url, "last_frame_url": "https://host.example/f.png"},
        "error": {"code": &long, "message": &long}, "tools": many, "safety_identifier": &long,
        "draft_task_id": &long, "service_tier": &long, "usage": {"tool_usage": usage},
        "revised_prompt": &long, "output_format": &long, "subdivisionlevel": &long,
        "fileformat": &long
    }))
    .unwrap();
    let content = task.content.clone().unwrap_or_default();
    assert_eq!(content.video_url, "", "nobody can request such a URL");
    assert_ne!(content.last_frame_url, "");
    let json = serde_json::to_string(&task).unwrap();
    assert!(json.len() < 300_000, "{}", json.len());
    assert!(!json.contains("ZZZZ") && !json.contains("pw@"), "{json}");
    let status = json!({"id": "cgt-1", "status": &long});
    assert!(decode(status).unwrap().status.len() < 2_000);
}
