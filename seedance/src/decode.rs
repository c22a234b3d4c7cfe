//! Reads responses of the task API. Gateways differ in details, so fields that are not needed to proceed are
//! read with tolerance: absent, `null`, an empty string and a number in quotes all occur.

use serde_json::{Map, Value};

use seedance_archiver_proto::{
    redact, task_id,
    v1::{Tool, Usage, VideoContent, VideoTask, VideoTaskError},
};

use crate::{Error, ErrorKind, Record, StatusAliases};

/// Maximum length of a failed task's message, in characters.
const MAX_MESSAGE: usize = 2_000;

/// Reads the record of the task `task_id`.
pub(crate) fn record(body: &[u8], task_id: &str, aliases: &StatusAliases) -> Result<Record, Error> {
    let answer = object(body)?;
    let (fields, is_wrapped) = record_in(&answer);
    if fields.text("status").is_empty() {
        let what = error_in(body).unwrap_or_else(|| "the response has no `status`".into());
        return Err(unexpected(what));
    }
    let id = fields.text("id");
    // A gateway that wraps records has its own ids.
    if !id.is_empty() && id != task_id && !is_wrapped {
        return Err(unexpected(format!(
            "the response is about another task, {id:?}"
        )));
    }
    Ok(read(&fields, task_id, aliases))
}

/// A page of the list.
pub(crate) struct List {
    /// Each task, or why it cannot be read.
    pub(crate) items: Vec<Result<Record, String>>,
    /// The number of tasks on all pages. 0: the service does not say.
    pub(crate) total: i64,
}

/// Reads a page of the list. An item that cannot be read does not affect the others.
pub(crate) fn list(body: &[u8], aliases: &StatusAliases) -> Result<List, Error> {
    let answer = object(body)?;
    let Some((list, items)) = items_in(&answer) else {
        let what = error_in(body).unwrap_or_else(|| "the response has no `items`".into());
        return Err(unexpected(what));
    };
    Ok(List {
        items: items
            .iter()
            .map(|item| item_record(item, aliases))
            .collect(),
        total: list.integer("total").unwrap_or_default(),
    })
}

/// Returns the list, which gateways may wrap, and its items. Some services return `null` for no items.
fn items_in(answer: &Map<String, Value>) -> Option<(Fields<'_>, &[Value])> {
    let mut list = answer;
    loop {
        match (list.get("items"), list.get("data")) {
            (Some(Value::Array(items)), _) | (None, Some(Value::Array(items))) => {
                return Some((Fields(list), items));
            }
            (Some(Value::Null), _) => return Some((Fields(list), &[])),
            (_, Some(Value::Object(inner))) => list = inner,
            _ => return None,
        }
    }
}

fn item_record(item: &Value, aliases: &StatusAliases) -> Result<Record, String> {
    let item = item.as_object().ok_or("not an object")?;
    let (fields, _) = record_in(item);
    if fields.text("status").is_empty() {
        return Err("no `status`".into());
    }
    let id = id_in(item).unwrap_or_default();
    task_id::check(&id).map_err(|problem| format!("`id` {problem}"))?;
    Ok(read(&fields, &id, aliases))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    let answer: Value = serde_json::from_slice(body)
        .map_err(|error| unexpected(format!("the response is not JSON: {error}")))?;
    match answer {
        Value::Object(fields) => Ok(fields),
        _ => Err(unexpected("the response is not a JSON object")),
    }
}

/// Returns the fields of a record, and whether a gateway has wrapped it.
fn record_in(answer: &Map<String, Value>) -> (Fields<'_>, bool) {
    let record = unwrap(answer);
    (Fields(record), !std::ptr::eq(record, answer))
}

fn read(fields: &Fields, id: &str, aliases: &StatusAliases) -> Record {
    let status = aliases.resolve(&fields.text("status"));
    Record::new(task(fields, id, status), fields.0.clone())
}

/// Returns the innermost record. Gateways wrap it as `{"data": {"status": …, "data": {record}}}`.
fn unwrap(answer: &Map<String, Value>) -> &Map<String, Value> {
    let mut record = answer;
    let mut inner = answer;
    while let Some(data) = inner.get("data").and_then(Value::as_object) {
        inner = data;
        if inner.contains_key("status") {
            record = inner;
        }
    }
    record
}

/// Returns the task id in the body of a callback.
pub fn task_id_in_callback(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    id_in(body.as_object()?)
}

fn id_in(answer: &Map<String, Value>) -> Option<String> {
    let data = answer.get("data").and_then(Value::as_object);
    // A gateway may put the task id beside the wrapped record, whose `id` is then its own.
    let beside = Fields(answer).text("task_id");
    let beside = Some(beside).filter(|id| data.is_some() && !id.is_empty());
    let own = data.map(|data| Fields(data).text("task_id"));
    let own = own.filter(|id| !id.is_empty()).or(beside);
    let id = own.unwrap_or_else(|| Fields(unwrap(answer)).text("id"));
    (!id.is_empty()).then_some(id)
}

/// Returns the error in a response as `code: message`. It may be wrapped in `error`.
pub(crate) fn error_in(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let object = answer.as_object()?;
    let error = Fields(
        object
            .get("error")
            .and_then(Value::as_object)
            .unwrap_or(object),
    );
    let text = match (error.text("code"), error.text("message")) {
        (code, message) if code.is_empty() && message.is_empty() => return None,
        (code, message) if code.is_empty() => message,
        (code, message) if message.is_empty() => code,
        (code, message) => format!("{code}: {message}"),
    };
    Some(text)
}

fn unexpected(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unexpected, text)
}

fn task(fields: &Fields, id: &str, status: String) -> VideoTask {
    VideoTask {
        id: id.to_owned(),
        model: fields.text("model"),
        status,
        error: task_error(fields),
        created_at: fields.integer("created_at").unwrap_or_default(),
        updated_at: fields.integer("updated_at").unwrap_or_default(),
        content: fields
            .object("content")
            .and_then(|content| content_of(&content)),
        seed: fields.integer("seed"),
        resolution: fields.text("resolution"),
        ratio: fields.text("ratio"),
        duration: fields.integer("duration"),
        frames: fields.integer("frames"),
        framespersecond: fields.integer("framespersecond"),
        generate_audio: fields.flag("generate_audio"),
        tools: fields
            .objects("tools")
            .map(|tool| Tool {
                r#type: tool.text("type"),
            })
            .collect(),
        safety_identifier: fields.text("safety_identifier"),
        priority: fields.integer("priority"),
        draft: fields.flag("draft"),
        draft_task_id: fields.text("draft_task_id"),
        service_tier: fields.text("service_tier"),
        execution_expires_after: fields.integer("execution_expires_after"),
        usage: fields.object("usage").map(|usage| usage_of(&usage)),
        revised_prompt: fields.text("revised_prompt"),
        output_format: fields.text("output_format"),
        subdivisionlevel: fields.text("subdivisionlevel"),
        fileformat: fields.text("fileformat"),
        archive_deadline: 0,
    }
}

/// Returns why a task failed. Older list items call the field `failure_reason`, gateways `fail_reason`.
fn task_error(fields: &Fields) -> Option<VideoTaskError> {
    ["error", "failure_reason", "fail_reason"]
        .into_iter()
        .find_map(|name| {
            let error = match fields.object(name) {
                Some(error) => VideoTaskError {
                    code: error.text("code"),
                    message: error.text("message"),
                },
                None => VideoTaskError {
                    code: String::new(),
                    message: fields.text(name),
                },
            };
            (error != VideoTaskError::default()).then(|| VideoTaskError {
                code: redacted(&error.code),
                message: redacted(&error.message),
            })
        })
}

/// Removes secrets from a text of the service, which may quote the signed URL of an input.
fn redacted(text: &str) -> String {
    redact::url_queries(text)
        .chars()
        .take(MAX_MESSAGE)
        .collect()
}

fn content_of(content: &Fields) -> Option<VideoContent> {
    let content = VideoContent {
        video_url: content.text("video_url"),
        last_frame_url: content.text("last_frame_url"),
        file_url: content.text("file_url"),
    };
    (content != VideoContent::default()).then_some(content)
}

fn usage_of(usage: &Fields) -> Usage {
    let calls = usage.object("tool_usage");
    Usage {
        completion_tokens: usage.integer("completion_tokens").unwrap_or_default(),
        total_tokens: usage.integer("total_tokens").unwrap_or_default(),
        tool_usage: calls.iter().flat_map(Fields::integers).collect(),
    }
}

/// The fields of a JSON object, each read as the type it should have.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn integer(&self, name: &str) -> Option<i64> {
        integer(self.0.get(name)?)
    }

    fn integers(&self) -> impl Iterator<Item = (String, i64)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), integer(value)?)))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn object(&self, name: &str) -> Option<Fields<'a>> {
        self.0.get(name)?.as_object().map(Fields)
    }

    fn objects(&self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        let items = self.0.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(Fields)
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            let integral = |float: f64| (float.fract() == 0.0).then_some(float as i64);
            number
                .as_i64()
                .or_else(|| number.as_f64().and_then(integral))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
