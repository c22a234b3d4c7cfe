//! The record of a task, in the response to a query.

use seedance_archiver_proto::v1::VideoTask;
use seedance_archiver_seedance::{Record, read_json};
use serde_json::{Value, json};

use crate::{
    loopback::Reply,
    service::{self, API_KEY, TASK_ID},
};

/// A record that can be read is archived as JSON without signed URLs and the API key. What was archived reads as the same
/// task, and what is sealed can be unsealed.
pub fn check(input: &[u8]) {
    match query(input) {
        Ok(record) => check_record(input, record),
        Err(error) => assert!(!error.contains(API_KEY), "{error}"),
    }
}

fn query(body: &[u8]) -> Result<Record, String> {
    service::query(Reply::new(200, body.to_vec())).map_err(|error| error.to_string())
}

fn check_record(body: &[u8], record: Record) {
    assert_eq!(record.id(), TASK_ID);
    let archived = check_archived(&record);
    if let Some(original) = read_json(body)
        && has_same_structure(&original, &archived)
    {
        let again = query(record.as_received().as_bytes()).expect("an archived record is a record");
        assert_eq!(facts(&again), facts(&record));
    }
    check_seal(record);
}

/// Checks what an archive keeps of a record, and returns it.
pub(crate) fn check_archived(record: &Record) -> Value {
    let text = record.as_received();
    let archived = read_json(text.as_bytes()).expect("the archived record is JSON");
    assert!(archived.is_object(), "{text}");
    let urls = [record.video_url(), record.main_url()];
    let secret = |url: &str| {
        url.split_once('?')
            .is_some_and(|(_, query)| query.len() > "REDACTED".len())
    };
    for url in urls
        .into_iter()
        .flatten()
        .filter(|url| secret(url.expose()))
    {
        let is_kept = contains(&archived, url.expose());
        assert!(!is_kept, "{:?} is in {text}", url.expose());
    }
    assert!(!contains(&archived, API_KEY), "the API key is in {text}");
    let task = json!(record.without_urls());
    assert!(!contains(&task, API_KEY), "the API key is in {task}");
    archived
}

/// Returns whether any text of a value contains a text.
fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found.contains(text),
        Value::Array(items) => items.iter().any(|item| contains(item, text)),
        Value::Object(fields) => {
            let mut fields = fields.iter();
            fields.any(|(name, value)| name.contains(text) || contains(value, text))
        }
        _ => false,
    }
}

/// Returns whether two values differ only in texts, so that the record is not inside a wrapper.
fn has_same_structure(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(_), Value::String(_)) => true,
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.into_iter().all(|(a, b)| has_same_structure(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut fields = one.iter();
            let is_same = |(name, value): (&String, &Value)| {
                let found = other.get(name);
                found.is_some_and(|found| has_same_structure(value, found))
            };
            one.len() == other.len() && fields.all(is_same)
        }
        _ => one == other,
    }
}

/// Returns what a record says apart from texts that describe the task, in which more is redacted.
fn facts(record: &Record) -> (VideoTask, bool) {
    let task = record.without_urls();
    let facts = VideoTask {
        id: task.id,
        status: task.status,
        created_at: task.created_at,
        updated_at: task.updated_at,
        seed: task.seed,
        duration: task.duration,
        frames: task.frames,
        framespersecond: task.framespersecond,
        generate_audio: task.generate_audio,
        priority: task.priority,
        draft: task.draft,
        execution_expires_after: task.execution_expires_after,
        ..VideoTask::default()
    };
    (facts, record.video_url().is_some())
}

fn check_seal(record: Record) {
    let seal = service::seal();
    let text = record.as_received().to_owned();
    if let Some(sealed) = seal.seal_record(TASK_ID, &text) {
        assert_eq!(seal.unseal_record(TASK_ID, &sealed).unwrap(), text);
    }
    let video_url = record.video_url().map(|url| url.expose().to_owned());
    let sealed = record.sealed(&seal);
    let content = sealed.content.clone().unwrap_or_default();
    for url in [content.video_url, content.last_frame_url, content.file_url] {
        assert!(url.is_empty() || url.starts_with("sealed:v2:"), "{url}");
    }
    let revealed = seal.revealed(sealed).unwrap().content.unwrap_or_default();
    assert_eq!(
        Some(revealed.video_url).filter(|it| !it.is_empty()),
        video_url
    );
}

/// Returns records of the API and of gateways.
pub fn seeds() -> Vec<Vec<u8>> {
    let url = "https://host.example/v.mp4?X-Tos-Expires=86400&X-Tos-Signature=5f6a";
    let record = json!({
        "id": TASK_ID, "model": "doubao-seedance-1-0-pro", "status": "succeeded", "error": null,
        "created_at": 1_756_000_000, "updated_at": "2025-08-24T12:05:30Z", "seed": 7, "duration": "5",
        "content": {"video_url": url, "last_frame_url": "https://host.example/l.png?sig=a b"},
        "usage": {"completion_tokens": 246_840, "tool_usage": {"web_search": 1}},
        "tools": [{"type": "web_search"}], "callback_url": "https://hooks.example/secret",
    });
    let wrapped = json!({"code": "success", "data": {"task_id": TASK_ID, "status": "SUCCESS",
        "fail_reason": url, "data": record}});
    let failed = json!({"id": TASK_ID, "status": "failed",
        "error": {"code": "OutputVideoSensitive", "message": format!("see {url} and {API_KEY}")}});
    let odd = format!(
        "\u{feff}{{\"id\": \"{TASK_ID}\", \"status\": \"processing\", \"seed\": 1e400,
        \"prompt\": \"\\ud800\", \"draft\": True, \"video\": {{\"url\": \"{url}\"}},}}"
    );
    let mut seeds: Vec<Vec<u8>> = [record, wrapped, failed]
        .iter()
        .map(|it| it.to_string().into_bytes())
        .collect();
    seeds.push(odd.into_bytes());
    // PHP escapes slashes.
    let escaped = String::from_utf8_lossy(&seeds[2]).replace("very/", "very\\/");
    seeds.push(escaped.into_bytes());
    seeds
}
