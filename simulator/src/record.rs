//! The record of a task, as a query and a list show it.

use std::time::{SystemTime, UNIX_EPOCH};

use seedance_archiver_proto::status;
use serde_json::{Map, Value, json};

use crate::{gateway, server::Service, source::facts, tasks::Task};

/// Fields that a record repeats from the request.
const REPEATED: [&str; 6] = [
    "draft",
    "execution_expires_after",
    "output_format",
    "priority",
    "safety_identifier",
    "tools",
];

/// What a query answers at this time.
pub(crate) fn answer_to_query(
    service: &Service,
    task: &Task,
    host: &str,
    now: SystemTime,
) -> Value {
    let record = record(service, task, host, now);
    if task.script.wrapped {
        gateway::wrapped(record)
    } else {
        record
    }
}

/// The record at this time. Its URLs are signed afresh and point to `host`.
pub(crate) fn record(service: &Service, task: &Task, host: &str, now: SystemTime) -> Value {
    let (status, since) = task.status(now);
    let mut fields = Map::new();
    for name in REPEATED {
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
    set("created_at", seconds(task.created_at()).into());
    set("updated_at", seconds(since).into());
    set("service_tier", task.request.service_tier().into());
    if task.script.extra {
        set("content_filter", undocumented());
    }
    match status {
        status::SUCCEEDED => {
            let age = now.duration_since(since).unwrap_or_default();
            if task.script.no_url_for.is_none_or(|time| age >= time) {
                set("content", content(service, task, host, now));
            }
            for (name, value) in made(task) {
                set(name, value);
            }
        }
        status::FAILED => {
            set("error", sensitive());
        }
        _ => {}
    }
    Value::Object(fields)
}

fn content(service: &Service, task: &Task, host: &str, now: SystemTime) -> Value {
    let mut content = json!({"video_url": service.video_url(task, host, now)});
    if task.last_frame.is_some() {
        content["last_frame_url"] = service.last_frame_url(task, host, now).into();
    }
    content
}

/// What was made. It is told as the bytes have it, whatever was asked for.
fn made(task: &Task) -> Vec<(&'static str, Value)> {
    let seed = task
        .request
        .get("seed")
        .filter(|seed| seed.as_i64() != Some(-1));
    let length = match task.request.get("frames") {
        Some(_) => ("frames", facts::FRAMES),
        None => ("duration", facts::SECONDS),
    };
    vec![
        ("error", Value::Null),
        (
            "seed",
            seed.cloned().unwrap_or_else(|| (task.seed >> 32).into()),
        ),
        ("resolution", facts::RESOLUTION.into()),
        ("ratio", facts::RATIO.into()),
        (length.0, length.1.into()),
        ("framespersecond", facts::FRAMES_PER_SECOND.into()),
        ("generate_audio", task.script.generate_audio.into()),
        (
            "usage",
            json!({"completion_tokens": facts::TOKENS, "total_tokens": facts::TOKENS}),
        ),
    ]
}

/// A field that may come one day. Its link has what a careless reader takes for a secret.
fn undocumented() -> Value {
    json!({"level": "standard", "docs": "https://docs.example/filter?lang=en&token=t"})
}

fn sensitive() -> Value {
    json!({
        "code": "OutputVideoSensitiveContentDetected",
        "message": "the request failed because the output video may contain sensitive information",
    })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
