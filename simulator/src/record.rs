//! The record of a task in the responses to queries and lists.

use std::time::SystemTime;

use seedance_archiver_proto::{status, time::unix_seconds};
use serde_json::{Map, Value, json};

use crate::{gateway, service::Service, source::fixtures, task::Task};

/// Fields that a record copies from the request.
const COPIED_FIELDS: [&str; 6] = [
    "draft",
    "execution_expires_after",
    "output_format",
    "priority",
    "safety_identifier",
    "tools",
];

/// Who gets a record.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    /// The host by which the recipient reaches the service.
    pub(crate) host: &'a str,
    /// API key of the request, or that of the account.
    pub(crate) api_key: &'a str,
}

/// Returns the body of the response to a query at the time `now`.
pub(crate) fn query_response(
    service: &Service,
    task: &Task,
    recipient: Recipient<'_>,
    now: SystemTime,
) -> Vec<u8> {
    let record = record(service, task, recipient, now);
    let response = match task.script.wrapped {
        true => gateway::wrap(record),
        false => record,
    };
    match task.script.dialect {
        Some(dialect) => dialect.body(&response),
        None => response.to_string().into_bytes(),
    }
}

/// Returns the record at the time `now`.
pub(crate) fn record(
    service: &Service,
    task: &Task,
    recipient: Recipient<'_>,
    now: SystemTime,
) -> Value {
    let (status, since) = task.status(now);
    let mut fields = Map::new();
    for name in COPIED_FIELDS {
        if let Some(value) = task.request.get(name) {
            fields.insert(name.into(), value.clone());
        }
    }
    fields
        .entry("execution_expires_after")
        .or_insert(172_800.into());
    let mut set = |name: &str, value: Value| fields.insert(name.into(), value);
    set("id", task.id.as_str().into());
    set("model", task.request.model().into());
    set("status", status.into());
    set("created_at", unix_seconds(task.created_at).into());
    set("updated_at", unix_seconds(since).into());
    set("service_tier", task.request.service_tier().into());
    if let Some(draft) = task.request.draft_task_id() {
        set("draft_task_id", draft.into());
    }
    if task.script.extra {
        set("content_filter", undocumented_field());
    }
    match status {
        status::SUCCEEDED => {
            let age = now.duration_since(since).unwrap_or_default();
            if task.script.no_url_for.is_none_or(|time| age >= time) {
                set("content", content(service, task, recipient.host, now));
            }
            for (name, value) in output_fields(task) {
                set(name, value);
            }
        }
        status::FAILED => {
            set("error", sensitive_content_error());
        }
        _ => {}
    }
    let mut record = Value::Object(fields);
    if let Some(dialect) = task.script.dialect {
        dialect.apply(&mut record, recipient.api_key);
    }
    record
}

fn content(service: &Service, task: &Task, host: &str, now: SystemTime) -> Value {
    let mut content = json!({"video_url": service.video_url(task, host, now)});
    if task.last_frame.is_some() {
        content["last_frame_url"] = service.last_frame_url(task, host, now).into();
    }
    content
}

/// Returns the fields that describe the video. They match the fixture, not the request.
fn output_fields(task: &Task) -> Vec<(&'static str, Value)> {
    let seed = task
        .request
        .get("seed")
        .filter(|seed| seed.as_i64() != Some(-1));
    let length = match task.request.get("frames") {
        Some(_) => ("frames", fixtures::FRAMES),
        None => ("duration", fixtures::SECONDS),
    };
    vec![
        ("error", Value::Null),
        (
            "seed",
            seed.cloned().unwrap_or_else(|| (task.seed >> 32).into()),
        ),
        ("resolution", fixtures::RESOLUTION.into()),
        ("ratio", fixtures::RATIO.into()),
        (length.0, length.1.into()),
        ("framespersecond", fixtures::FRAMES_PER_SECOND.into()),
        ("generate_audio", task.script.generate_audio.into()),
        (
            "usage",
            json!({"completion_tokens": fixtures::TOKENS, "total_tokens": fixtures::TOKENS}),
        ),
    ]
}

/// Returns a field that no documentation mentions. The query of its URL looks like a secret, but is not one.
fn undocumented_field() -> Value {
    json!({"level": "standard", "docs": "https://docs.example/filter?lang=en&token=t"})
}

fn sensitive_content_error() -> Value {
    json!({
        "code": "OutputVideoSensitiveContentDetected",
        "message": "the request failed because the output video may contain sensitive information",
    })
}
