//! Reads the contract's message from a response.

use std::time::SystemTime;

use seedance_archiver_proto::{
    external, status,
    v1::{Tool, Usage, VideoContent, VideoTask, VideoTaskError},
};
use serde_json::{Map, Value};

use crate::{
    Endpoint,
    answer::Answer,
    fields::Fields,
    output_urls::{self, FILE, LAST_FRAME},
    status_aliases::{StatusAliases, warn_unknown},
    times,
};

/// Maximum length of the error code of a failed task, and of a field that only describes a task, in characters. What a
/// record says travels in Temporal's payloads, whose size is limited; `task.json` has it in full.
const MAX_WORDS: usize = 400;
/// Maximum length of a prompt, in characters.
const MAX_PROMPT: usize = 16_000;
/// Maximum number of tools, and of the kinds of tool calls in the usage.
const MAX_TOOLS: usize = 32;
/// Maximum length of a URL, in bytes. Neither hosts nor clients accept a longer one.
const MAX_URL: usize = 16 * 1024;
const CREATED_AT: [&str; 9] = [
    "created_at",
    "createdAt",
    "created",
    "create_time",
    "createTime",
    "created_time",
    "creation_time",
    "submit_time",
    "submitted_at",
];
const UPDATED_AT: [&str; 11] = [
    "updated_at",
    "updatedAt",
    "updated",
    "update_time",
    "updateTime",
    "updated_time",
    "finish_time",
    "finished_at",
    "completed_at",
    "completedAt",
    "end_time",
];

/// Further fields of records. An error of a gateway has none of them.
const OF_RECORDS: [&str; 3] = ["model", "fail_reason", "failure_reason"];

/// How one account's service differs from the documented API, and the time of its response.
pub(crate) struct Dialect<'a> {
    pub(crate) statuses: &'a StatusAliases,
    /// JSON pointer to the URL of the video.
    pub(crate) video_url: Option<&'a str>,
    pub(crate) now: SystemTime,
}

impl<'a> Dialect<'a> {
    /// Returns the dialect of an endpoint.
    pub(crate) fn new(endpoint: &'a Endpoint, now: SystemTime) -> Self {
        Self {
            statuses: &endpoint.status_aliases,
            video_url: endpoint.video_url_pointer.as_deref(),
            now,
        }
    }
}

/// Reads the task in a response.
pub(crate) fn read(answer: &Answer, id: &str, dialect: &Dialect) -> VideoTask {
    let fields = answer.record();
    let word = answer.status();
    let mut status = external::field(&dialect.statuses.resolve(&word), MAX_WORDS);
    let content = urls(answer, dialect);
    if !status::ALL.contains(&status.as_str()) {
        warn_unknown(&word);
        // A task that has a video succeeded, whatever the service calls it.
        let has_video = content
            .as_ref()
            .is_some_and(|content| !content.video_url.is_empty());
        if has_video {
            status = status::SUCCEEDED.to_owned();
        }
    }
    let layers = answer.outward();
    let zone = values(&layers, &CREATED_AT).find_map(|value| times::zone_of(value, id));
    let time = |names: &'static [&'static str]| {
        let mut values = values(&layers, names);
        values.find_map(|value| times::read(value, dialect.now, zone))
    };
    let created_at = time(&CREATED_AT).or_else(|| times::created_at_in_recent_id(id, dialect.now));
    VideoTask {
        id: id.to_owned(),
        error: task_error(answer, &status),
        created_at: created_at.unwrap_or_default(),
        updated_at: time(&UPDATED_AT).unwrap_or_default(),
        status,
        content,
        ..described(fields)
    }
}

/// Reads the URLs in a response.
pub(crate) fn urls(answer: &Answer, dialect: &Dialect) -> Option<VideoContent> {
    match dialect.statuses.resolve(&answer.status()).as_str() {
        status::SUCCEEDED => content(answer, dialect),
        _ => documented_content(answer.record()),
    }
}

/// Returns whether a response says something about a task, apart from its status: gateways give their own errors a status
/// too, such as `error` or `fail`.
pub(crate) fn is_described(answer: &Answer) -> bool {
    let layers = answer.outward();
    let has = |names| values(&layers, names).next().is_some();
    answer.is_wrapped()
        || answer.task_id().is_some()
        || has(&CREATED_AT)
        || has(&UPDATED_AT)
        || has(&OF_RECORDS)
}

/// Returns the values of the fields with these names, in each layer.
fn values<'a>(
    layers: &'a [&'a Map<String, Value>],
    names: &'static [&'static str],
) -> impl Iterator<Item = &'a Value> {
    let in_layer = move |layer: &&'a Map<String, Value>| {
        let layer = *layer;
        names.iter().filter_map(move |name| layer.get(*name))
    };
    layers.iter().flat_map(in_layer)
}

/// Returns the fields of a task that only describe it.
fn described(fields: Fields) -> VideoTask {
    VideoTask {
        model: words(fields, "model"),
        seed: fields.integer("seed"),
        resolution: words(fields, "resolution"),
        ratio: words(fields, "ratio"),
        duration: fields.integer("duration"),
        frames: fields.integer("frames"),
        framespersecond: fields.integer("framespersecond"),
        generate_audio: fields.flag("generate_audio"),
        tools: fields.objects("tools").take(MAX_TOOLS).map(tool).collect(),
        safety_identifier: safety_identifier(&fields.text("safety_identifier")),
        priority: fields.integer("priority"),
        draft: fields.flag("draft"),
        draft_task_id: words(fields, "draft_task_id"),
        service_tier: words(fields, "service_tier"),
        execution_expires_after: fields.integer("execution_expires_after"),
        usage: fields.object("usage").map(usage),
        revised_prompt: external::field(&fields.text("revised_prompt"), MAX_PROMPT),
        output_format: words(fields, "output_format"),
        subdivisionlevel: words(fields, "subdivisionlevel"),
        fileformat: words(fields, "fileformat"),
        ..VideoTask::default()
    }
}

/// Returns a `safety_identifier` as records and receipts have it: without secrets, and at most 400 characters long.
pub fn safety_identifier(id: &str) -> String {
    external::field(id, MAX_WORDS)
}

/// Returns a text that describes the task.
fn words(fields: Fields, name: &str) -> String {
    external::field(&fields.text(name), MAX_WORDS)
}

fn tool(tool: Fields) -> Tool {
    Tool {
        r#type: words(tool, "type"),
    }
}

fn usage(usage: Fields) -> Usage {
    let calls = usage.object("tool_usage").into_iter();
    let calls = calls.flat_map(Fields::integers).take(MAX_TOOLS);
    Usage {
        completion_tokens: usage.integer("completion_tokens").unwrap_or_default(),
        total_tokens: usage.integer("total_tokens").unwrap_or_default(),
        tool_usage: calls
            .map(|(tool, count)| (external::field(&tool, MAX_WORDS), count))
            .collect(),
    }
}

/// Returns the URLs in the documented fields. Before a task succeeds, other fields may refer to its inputs.
fn documented_content(fields: Fields) -> Option<VideoContent> {
    let content = fields.object("content")?;
    some_content(VideoContent {
        video_url: content.text("video_url"),
        last_frame_url: content.text("last_frame_url"),
        file_url: content.text("file_url"),
    })
}

/// Returns the URLs of a succeeded task.
fn content(answer: &Answer, dialect: &Dialect) -> Option<VideoContent> {
    let layers = answer.outward();
    let owned = |url: Option<&str>| url.unwrap_or_default().to_owned();
    let in_layers = |names| {
        layers
            .iter()
            .find_map(|layer| output_urls::find(layer, names))
    };
    let at_pointer = |pointer: &str| {
        let at = |layer: &&Map<String, Value>| {
            output_urls::at_pointer(&Value::Object((*layer).clone()), pointer).map(str::to_owned)
        };
        layers.iter().find_map(at)
    };
    let configured = dialect.video_url.and_then(at_pointer);
    let file_url = owned(in_layers(&FILE));
    let video_url = match configured {
        Some(url) => url,
        None => owned(output_urls::find_video(&layers)),
    };
    some_content(VideoContent {
        // A general name such as `url` may be that of the file.
        video_url: if video_url == file_url {
            String::new()
        } else {
            video_url
        },
        last_frame_url: owned(in_layers(&LAST_FRAME)),
        file_url,
    })
}

fn some_content(mut content: VideoContent) -> Option<VideoContent> {
    let VideoContent {
        video_url,
        last_frame_url,
        file_url,
    } = &mut content;
    for url in [video_url, last_frame_url, file_url] {
        if url.len() > MAX_URL {
            tracing::warn!(bytes = url.len(), "the record has a URL that is too long");
            url.clear();
        }
    }
    (content != VideoContent::default()).then_some(content)
}

/// Returns why a task failed. Older list items call the field `failure_reason`, gateways `fail_reason`.
fn task_error(answer: &Answer, status: &str) -> Option<VideoTaskError> {
    const NAMES: [&str; 6] = [
        "error",
        "failure_reason",
        "fail_reason",
        "error_message",
        "failed_reason",
        "task_status_msg",
    ];
    let layers = answer.outward();
    let errors = layers.into_iter().flat_map(|layer| {
        let fields = Fields(layer);
        NAMES.iter().map(move |name| match fields.object(name) {
            Some(error) => (error.text("code"), error.first_text(&["message", "msg"])),
            None => (String::new(), fields.text(name)),
        })
    });
    let mut errors = errors.filter(|(code, message)| !code.is_empty() || !message.is_empty());
    // Some gateways put the URL of a succeeded task into `fail_reason`.
    let (code, message) =
        errors.find(|(_, message)| status != status::SUCCEEDED || !message.starts_with("http"))?;
    Some(VideoTaskError {
        code: external::field(&code, MAX_WORDS),
        // The service may quote the signed URL of an input.
        message: external::field(&message, external::MAX_MESSAGE),
    })
}
