//! What distinguishes the history of one path through a workflow from that of another.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// Events that say nothing about the path: on a busy machine, there are more of them.
const IGNORED: [&str; 5] = [
    "WorkflowTaskScheduled",
    "WorkflowTaskStarted",
    "WorkflowTaskCompleted",
    "WorkflowTaskTimedOut",
    "ActivityTaskStarted",
];

/// Returns the kinds of events in a history, in the order in which they appear first.
pub(super) fn shape(history: &Value) -> Vec<String> {
    let mut shape = Vec::new();
    for (kind, attributes) in events(history) {
        let detail = match kind {
            "ActivityTaskScheduled" => text(&attributes["activity_type"]["name"]),
            "MarkerRecorded" => patch_id(attributes),
            _ => failure_type(&attributes["failure"]).unwrap_or_default(),
        };
        let part = format!("{kind} {detail}").trim_end().to_owned();
        if !IGNORED.contains(&kind) && !shape.contains(&part) {
            shape.push(part);
        }
    }
    shape
}

/// Returns a name for a history: its workflow and how that ended.
pub(super) fn name(history: &Value) -> String {
    let mut workflow = String::new();
    let mut end = String::new();
    for (kind, attributes) in events(history) {
        match kind {
            "WorkflowExecutionStarted" => workflow = text(&attributes["workflow_type"]["name"]),
            "WorkflowExecutionCompleted" => {
                end = outcome(attributes).unwrap_or_else(|| "completed".to_owned());
            }
            "WorkflowExecutionFailed" => {
                end = failure_type(&attributes["failure"]).unwrap_or_else(|| "failed".to_owned());
            }
            "WorkflowExecutionCanceled" => end = "canceled".to_owned(),
            "WorkflowExecutionTerminated" => end = "terminated".to_owned(),
            "WorkflowExecutionTimedOut" => end = "timed-out".to_owned(),
            "WorkflowExecutionContinuedAsNew" => end = "continued-as-new".to_owned(),
            _ => {}
        }
    }
    format!("{workflow}-{end}")
}

/// Returns the encodings of all payloads of a history.
pub(super) fn encodings(history: &Value) -> BTreeSet<String> {
    let mut encodings = BTreeSet::new();
    let mut values = vec![history];
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.values()),
            _ => {}
        }
        encodings.extend(decoded(&value["metadata"]["encoding"]));
    }
    encodings
}

/// Returns each event with its type and its attributes.
fn events(history: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let events = history["events"].as_array().into_iter().flatten();
    events.filter_map(|event| {
        let (name, attributes) = event["attributes"].as_object()?.iter().next()?;
        Some((name.strip_suffix("EventAttributes")?, attributes))
    })
}

/// Returns the outcome in the result of a lifecycle.
fn outcome(attributes: &Value) -> Option<String> {
    let result = decoded(&attributes["result"]["payloads"][0]["data"])?;
    let result: Value = serde_json::from_str(&result).ok()?;
    Some(result["outcome"].as_str()?.to_owned())
}

fn patch_id(attributes: &Value) -> String {
    let details = attributes["details"].as_object();
    let payloads = details.into_iter().flatten();
    let patches = payloads.filter_map(|(_, payloads)| decoded(&payloads["payloads"][0]["data"]));
    patches.collect()
}

/// Returns the first type of a failure or its causes.
fn failure_type(failure: &Value) -> Option<String> {
    let fields = failure.as_object()?;
    let own = fields.get("type").and_then(Value::as_str);
    let own = own.filter(|it| !it.is_empty()).map(str::to_owned);
    own.or_else(|| fields.values().find_map(failure_type))
}

fn decoded(base64: &Value) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(base64.as_str()?).ok()?).ok()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
