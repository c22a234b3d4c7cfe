//! Histories with other messages than those that were recorded. The SDK compares no messages.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use temporalio_protos::temporal::api::enums::v1::{EventType, RetryState};

use crate::recorded;

/// The event with the request of a workflow.
pub(crate) const STARTED: &str = "WorkflowExecutionStartedEventAttributes";
/// The event with the result of an activity.
pub(crate) const COMPLETED: &str = "ActivityTaskCompletedEventAttributes";
/// The event of a cancelled activity.
pub(crate) const CANCELED: &str = "ActivityTaskCanceledEventAttributes";

/// Returns a history by its path below `tests/histories`.
pub(crate) fn history(path: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&recorded(path)?)?)
}

/// Changes the JSON in a field of the first event with these attributes.
pub(crate) fn edit(
    history: &mut Value,
    attributes: &str,
    field: &str,
    change: impl FnOnce(&mut Value),
) -> anyhow::Result<()> {
    let mut events = events(history, attributes)?;
    let event = events.next().with_context(|| format!("no {attributes}"))?;
    edit_json(&mut event[field]["payloads"][0]["data"], change)
}

/// Changes the JSON in a field of every event with these attributes.
pub(crate) fn edit_all(
    history: &mut Value,
    attributes: &str,
    field: &str,
    change: impl Fn(&mut Value),
) -> anyhow::Result<()> {
    for event in events(history, attributes)? {
        edit_json(&mut event[field]["payloads"][0]["data"], &change)?;
    }
    Ok(())
}

/// Makes an activity fail that ended with these attributes.
pub(crate) fn fail_activity(history: &mut Value, ended: &str) -> anyhow::Result<()> {
    let events = history["events"].as_array_mut().context("no events")?;
    let is_end = |event: &&mut Value| event["attributes"].get(ended).is_some();
    let event = events.iter_mut().find(is_end);
    let event = event.with_context(|| format!("no {ended}"))?;
    let (scheduled, started) = {
        let end = &event["attributes"][ended];
        (
            end["scheduled_event_id"].clone(),
            end["started_event_id"].clone(),
        )
    };
    event["event_type"] = json!(EventType::ActivityTaskFailed as i32);
    event["attributes"] = json!({"ActivityTaskFailedEventAttributes": {
        "failure": {
            "message": "the worker shuts down; another one continues",
            "applicationFailureInfo": {"type": "StillWaiting"},
        },
        "scheduled_event_id": scheduled,
        "started_event_id": started,
        "identity": "worker",
        "retry_state": RetryState::CancelRequested as i32,
        "worker_version": null,
        "cause": 0,
    }});
    Ok(())
}

/// Returns the attributes of the events that have these.
fn events<'a>(
    history: &'a mut Value,
    attributes: &str,
) -> anyhow::Result<impl Iterator<Item = &'a mut Value>> {
    let events = history["events"].as_array_mut().context("no events")?;
    let events = events.iter_mut().map(|event| &mut event["attributes"]);
    Ok(events.filter_map(move |event| event.get_mut(attributes)))
}

/// Changes JSON in Base64.
fn edit_json(data: &mut Value, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
    let json = BASE64_STANDARD.decode(data.as_str().unwrap_or_default())?;
    let mut json = serde_json::from_slice(&json)?;
    change(&mut json);
    *data = json!(BASE64_STANDARD.encode(json.to_string()));
    Ok(())
}
