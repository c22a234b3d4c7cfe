//! The path of a workflow through its code, by its history.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The version in development, which has the name of a directory of `tests/histories`.
pub(crate) const CURRENT: &str = "v0.2.0";
/// Events that say nothing about the path: on a busy machine, there are more of them.
const IGNORED: [&str; 6] = [
    "WorkflowTaskScheduled",
    "WorkflowTaskStarted",
    "WorkflowTaskCompleted",
    "WorkflowTaskTimedOut",
    "WorkflowTaskFailed",
    "ActivityTaskStarted",
];
/// Fields of the requests of workflows that decide how these run.
const FIELDS: [&str; 5] = [
    "cancel_task",
    "completion_times",
    "destination",
    "report_only",
    "resumed",
];
/// The search attribute with the ids of the patches, which the SDK upserts.
const CHANGE_VERSION: &str = "TemporalChangeVersion";

/// Returns the type of the workflow.
pub(crate) fn workflow_type(history: &Value) -> String {
    let mut types = events(history).filter(|(kind, _)| *kind == "WorkflowExecutionStarted");
    let started = types.next().map(|(_, attributes)| attributes);
    started.map_or_else(String::new, |it| text(&it["workflow_type"]["name"]))
}

/// Returns the steps of a workflow, in the order of their first appearance.
///
/// What the code of the workflow or its caller decides is in words, such as `activity id record`. The other steps, which may
/// depend on when something happened, are named like their events.
pub(crate) fn path(history: &Value) -> Vec<String> {
    let mut path = Vec::new();
    for (kind, attributes) in events(history) {
        for step in steps(kind, attributes) {
            if !path.contains(&step) {
                path.push(step);
            }
        }
    }
    path
}

fn steps(kind: &str, attributes: &Value) -> Vec<String> {
    match kind {
        _ if IGNORED.contains(&kind) => Vec::new(),
        "WorkflowExecutionStarted" => start(attributes),
        "WorkflowExecutionOptionsUpdated" if has_callbacks(attributes) => {
            vec!["joined by Nexus".to_owned()]
        }
        "WorkflowExecutionSignaled" => vec![format!("signal {}", text(&attributes["signal_name"]))],
        "WorkflowExecutionCancelRequested" => vec!["cancel requested".to_owned()],
        "MarkerRecorded" => vec![format!("patch {}", patch_id(attributes))],
        "ActivityTaskScheduled" => activity(attributes),
        "StartChildWorkflowExecutionInitiated" => vec![child(attributes)],
        "StartChildWorkflowExecutionFailed" => vec![child(attributes) + " not started"],
        "UpsertWorkflowSearchAttributes" => search_attributes(attributes),
        _ => end(kind, attributes).unwrap_or_else(|| vec![event(kind, attributes)]),
    }
}

fn start(attributes: &Value) -> Vec<String> {
    let input = &attributes["input"];
    let encoding = decoded(&input["payloads"][0]["metadata"]["encoding"]);
    let mut steps = vec![format!("encoding {}", encoding.unwrap_or_default())];
    if has_callbacks(attributes) {
        steps.push("started by Nexus".to_owned());
    }
    if attributes["parent_workflow_execution"].is_object() {
        steps.push("started by a workflow".to_owned());
    }
    let request = json_of(input).unwrap_or_default();
    // Callers leave out what they do not set.
    let fields = FIELDS.iter().filter(|field| !request[**field].is_null());
    steps.extend(fields.map(|field| format!("request with {field}")));
    steps
}

/// Returns whether an event adds callers whom the server tells how the workflow ends.
fn has_callbacks(attributes: &Value) -> bool {
    let fields = ["completion_callbacks", "attached_completion_callbacks"];
    let mut callbacks = fields.iter().map(|field| attributes[*field].as_array());
    callbacks.any(|callbacks| callbacks.is_some_and(|it| !it.is_empty()))
}

fn activity(attributes: &Value) -> Vec<String> {
    let activity = text(&attributes["activity_type"]["name"]);
    let mut steps = vec![format!("activity {activity}")];
    let id = text(&attributes["activity_id"]);
    // The SDK numbers activities that have no id.
    if id.parse::<u32>().is_err() {
        steps.push(format!("activity id {id}"));
    }
    steps
}

fn child(attributes: &Value) -> String {
    format!("child {}", text(&attributes["workflow_type"]["name"]))
}

fn search_attributes(attributes: &Value) -> Vec<String> {
    let fields = attributes["search_attributes"]["indexedFields"].as_object();
    let names = fields.into_iter().flat_map(|fields| fields.keys());
    let mut names: Vec<_> = names.filter(|name| *name != CHANGE_VERSION).collect();
    names.sort();
    let steps = names.iter().map(|name| format!("search attribute {name}"));
    steps.collect()
}

/// Returns the steps of the event that ends a workflow: its outcome or its failure type, and the reason in its result.
fn end(kind: &str, attributes: &Value) -> Option<Vec<String>> {
    let failure = &attributes["failure"];
    let (name, result) = match kind {
        "WorkflowExecutionCompleted" => {
            let result = json_of(&attributes["result"]).unwrap_or_default();
            let outcome = result["outcome"].as_str().unwrap_or("completed");
            (outcome.to_owned(), result)
        }
        "WorkflowExecutionFailed" => {
            let details = json_of(&failure["applicationFailureInfo"]["details"]);
            let name = failure_type(failure).unwrap_or_else(|| "failed".to_owned());
            (name, details.unwrap_or_default())
        }
        "WorkflowExecutionCanceled" => ("canceled".to_owned(), Value::Null),
        "WorkflowExecutionTerminated" => ("terminated".to_owned(), Value::Null),
        "WorkflowExecutionTimedOut" => ("timed-out".to_owned(), Value::Null),
        "WorkflowExecutionContinuedAsNew" => ("continued-as-new".to_owned(), Value::Null),
        _ => return None,
    };
    let mut steps = vec![format!("ended {name}")];
    let reason = text(&result["reason"]);
    // The error codes of the service are none of its paths.
    if !reason.is_empty() && !reason.contains(char::is_uppercase) {
        steps.push(format!("reason {reason}"));
    }
    Some(steps)
}

fn event(kind: &str, attributes: &Value) -> String {
    let failure = failure_type(&attributes["failure"]).unwrap_or_default();
    format!("{kind} {failure}").trim_end().to_owned()
}

fn patch_id(attributes: &Value) -> String {
    let patch = json_of(&attributes["details"]["patch-data"]).unwrap_or_default();
    text(&patch["id"])
}

/// Returns the first type of a failure or its causes.
fn failure_type(failure: &Value) -> Option<String> {
    let fields = failure.as_object()?;
    let own = fields.get("type").and_then(Value::as_str);
    let own = own.filter(|it| !it.is_empty()).map(str::to_owned);
    own.or_else(|| fields.values().find_map(failure_type))
}

/// Returns each event with its type and its attributes.
fn events(history: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let events = history["events"].as_array().into_iter().flatten();
    events.filter_map(|event| {
        let (name, attributes) = event["attributes"].as_object()?.iter().next()?;
        Some((name.strip_suffix("EventAttributes")?, attributes))
    })
}

/// Returns the JSON in the first of these payloads.
fn json_of(payloads: &Value) -> Option<Value> {
    let json = decoded(&payloads["payloads"][0]["data"])?;
    serde_json::from_str(&json).ok()
}

/// Returns text in Base64, `None` if the value is not.
pub(crate) fn decoded(base64: &Value) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(base64.as_str()?).ok()?).ok()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
