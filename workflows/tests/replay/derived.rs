//! Histories that no test can record, derived from recorded ones.
//!
//! The timeouts of a submission are five minutes and seven days of the server's clock, which cannot be advanced. Whether a poll
//! ends within the second between a nudge and the next poll depends on how busy the machine is. The times in these histories are
//! still the recorded ones, which decide nothing in them.

use std::ops::RangeInclusive;

use anyhow::Context;
use serde_json::{Value, json};
use temporalio_protos::temporal::api::enums::v1::EventType;

use crate::edited;

/// A submission whose answer was lost, and whose task the list showed.
const FOUND: &str = "v0.2.0/VideoTaskSubmission-completed-9.json";
/// A submission that was cancelled during the search, and whose task the list showed.
const CANCELLED: &str = "v0.2.0/VideoTaskSubmission-completed-16.json";
/// A submission that was cancelled after the list showed no task.
const AMBIGUOUS: &str = "v0.2.0/VideoTaskSubmission-completed-7.json";
/// A lifecycle whose poll was completed although a nudge cancelled it.
const NUDGED: &str = "v0.2.0/VideoTaskLifecycle-completed-2.json";

const SIGNALED: &str = "WorkflowExecutionSignaledEventAttributes";
const CANCEL_REQUESTED: &str = "WorkflowExecutionCancelRequestedEventAttributes";
const TIMER_STARTED: &str = "TimerStartedEventAttributes";
const TIMER_CANCELED: &str = "TimerCanceledEventAttributes";

/// Returns the histories, with their names.
pub(crate) fn histories() -> anyhow::Result<[(&'static str, Value); 4]> {
    Ok([
        ("no answer for five minutes", no_answer(FOUND)?),
        ("five minutes end during the search", slow_search()?),
        ("no callback for seven days", no_callback()?),
        ("a poll ends within a second after a nudge", quick_poll()?),
    ])
}

/// Returns a submission that looks for its task although nobody says that the answer was lost.
fn no_answer(path: &str) -> anyhow::Result<Value> {
    let mut history = edited::history(path)?;
    fire_timer(&mut history, SIGNALED)?;
    Ok(history)
}

/// Returns a submission whose timer fires when nothing waits for it any more: it was not cancelled.
fn slow_search() -> anyhow::Result<Value> {
    let mut history = edited::history(CANCELLED)?;
    fire_timer(&mut history, CANCEL_REQUESTED)?;
    Ok(history)
}

/// Returns a submission of which nobody ever hears.
fn no_callback() -> anyhow::Result<Value> {
    let mut history = no_answer(AMBIGUOUS)?;
    fire_timer(&mut history, CANCEL_REQUESTED)?;
    // The event of the timer that was cancelled with the workflow.
    let cancelled = position(&history, TIMER_CANCELED)? + 1;
    remove(&mut history, cancelled..=cancelled)?;
    Ok(history)
}

/// Returns a lifecycle whose poll ends before the nudge cancels it.
fn quick_poll() -> anyhow::Result<Value> {
    let mut history = edited::history(NUDGED)?;
    // From the timer that fires to the command that cancels the poll.
    remove(&mut history, 11..=15)?;
    Ok(history)
}

/// Lets the timer that was started last fire, instead of the first event with these attributes.
fn fire_timer(history: &mut Value, instead_of: &str) -> anyhow::Result<()> {
    let replaced = position(history, instead_of)?;
    let events = history["events"].as_array_mut().context("no events")?;
    let (before, replaced) = events.split_at_mut(replaced);
    let started = before.iter().rfind(|event| has(event, TIMER_STARTED));
    let started = started.context("no timer")?;
    replaced[0]["event_type"] = json!(EventType::TimerFired as i32);
    replaced[0]["attributes"] = json!({"TimerFiredEventAttributes": {
        "timer_id": started["attributes"][TIMER_STARTED]["timer_id"],
        "started_event_id": started["event_id"],
    }});
    Ok(())
}

/// Removes the events with these ids, to which no other event may refer.
fn remove(history: &mut Value, ids: RangeInclusive<usize>) -> anyhow::Result<()> {
    let events = history["events"].as_array_mut().context("no events")?;
    events.drain(ids.start() - 1..*ids.end());
    for event in events {
        renumber(event, &ids);
    }
    Ok(())
}

/// Changes the ids of the events after the removed ones, wherever they are.
fn renumber(value: &mut Value, removed: &RangeInclusive<usize>) {
    for (name, field) in value.as_object_mut().into_iter().flatten() {
        let id = field.as_u64().filter(|_| name.ends_with("event_id"));
        let is_removed = |id| (*removed.start() as u64..=*removed.end() as u64).contains(&id);
        assert!(
            !id.is_some_and(is_removed),
            "{name} refers to a removed event"
        );
        match id {
            Some(id) if id > *removed.end() as u64 => {
                *field = json!(id - removed.clone().count() as u64);
            }
            _ => renumber(field, removed),
        }
    }
}

/// Returns the position of the first event with these attributes.
fn position(history: &Value, attributes: &str) -> anyhow::Result<usize> {
    let events = history["events"].as_array().context("no events")?;
    let position = events.iter().position(|event| has(event, attributes));
    position.with_context(|| format!("no {attributes}"))
}

fn has(event: &Value, attributes: &str) -> bool {
    event["attributes"].get(attributes).is_some()
}
