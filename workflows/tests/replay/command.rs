//! What a command and its event have in common.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use serde_json::Value;
use temporalio_protos::{
    coresdk::workflow_commands::workflow_command::Variant,
    temporal::api::{
        common::v1::{Payload, Payloads, Priority, RetryPolicy},
        failure::v1::Failure,
        history::v1::{HistoryEvent, history_event::Attributes},
    },
};

/// The maximum interval of the server, if the retry policy of an activity has none.
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(100);

/// The search attribute with the names of the patches.
const CHANGE_VERSION: &str = "TemporalChangeVersion";

/// What a workflow sends: the fields of a command that its event has too.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Activity(Activity),
    Timer(Duration),
    Child(Child),
    SearchAttributes(BTreeMap<String, Vec<u8>>),
    Complete(Vec<Payload>),
    Fail(Option<Box<Failure>>),
    ContinueAsNew(Vec<Payload>),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Activity {
    pub(crate) name: String,
    pub(crate) task_queue: String,
    pub(crate) input: Vec<Payload>,
    schedule_to_close: Duration,
    start_to_close: Duration,
    heartbeat: Duration,
    max_retry_interval: Duration,
    priority_key: i32,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Child {
    name: String,
    pub(crate) workflow_id: String,
    pub(crate) input: Vec<Payload>,
    parent_close_policy: i32,
    id_reuse_policy: i32,
}

impl Command {
    /// Returns the command as the workflow sent it. `None` if no test compares its contents.
    pub(crate) fn sent(command: Variant) -> Option<Self> {
        Some(match command {
            Variant::ScheduleActivity(it) => {
                let schedule_to_close = duration(it.schedule_to_close_timeout);
                let start_to_close = it.start_to_close_timeout;
                Self::Activity(Activity {
                    name: it.activity_type,
                    task_queue: it.task_queue,
                    input: it.arguments,
                    schedule_to_close,
                    // The server sets it so.
                    start_to_close: start_to_close
                        .map_or(schedule_to_close, |it| duration(Some(it))),
                    heartbeat: duration(it.heartbeat_timeout),
                    max_retry_interval: max_retry_interval(it.retry_policy),
                    priority_key: priority_key(it.priority),
                })
            }
            Variant::StartTimer(it) => Self::Timer(duration(it.start_to_fire_timeout)),
            Variant::StartChildWorkflowExecution(it) => Self::Child(Child {
                name: it.workflow_type,
                workflow_id: it.workflow_id,
                input: it.input,
                parent_close_policy: it.parent_close_policy,
                id_reuse_policy: it.workflow_id_reuse_policy,
            }),
            Variant::UpsertWorkflowSearchAttributes(it) => {
                let attributes = it.search_attributes.unwrap_or_default();
                Self::search_attributes(attributes.indexed_fields)
            }
            Variant::CompleteWorkflowExecution(it) => {
                Self::Complete(it.result.into_iter().collect())
            }
            Variant::FailWorkflowExecution(it) => Self::Fail(it.failure.map(Box::new)),
            Variant::ContinueAsNewWorkflowExecution(it) => Self::ContinueAsNew(it.arguments),
            _ => return None,
        })
    }

    /// Returns the command of which this is the event.
    pub(crate) fn recorded(event: HistoryEvent) -> Option<Self> {
        Some(match event.attributes? {
            Attributes::ActivityTaskScheduledEventAttributes(it) => Self::Activity(Activity {
                name: it.activity_type.unwrap_or_default().name,
                task_queue: it.task_queue.unwrap_or_default().name,
                input: payloads(it.input),
                schedule_to_close: duration(it.schedule_to_close_timeout),
                start_to_close: duration(it.start_to_close_timeout),
                heartbeat: duration(it.heartbeat_timeout),
                max_retry_interval: max_retry_interval(it.retry_policy),
                priority_key: priority_key(it.priority),
            }),
            Attributes::TimerStartedEventAttributes(it) => {
                Self::Timer(duration(it.start_to_fire_timeout))
            }
            Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(it) => {
                Self::Child(Child {
                    name: it.workflow_type.unwrap_or_default().name,
                    workflow_id: it.workflow_id,
                    input: payloads(it.input),
                    parent_close_policy: it.parent_close_policy,
                    id_reuse_policy: it.workflow_id_reuse_policy,
                })
            }
            Attributes::UpsertWorkflowSearchAttributesEventAttributes(it) => {
                let mut attributes = it.search_attributes.unwrap_or_default().indexed_fields;
                // The SDK adds an upsert to each marker of a patch.
                let is_of_sdk = attributes.remove(CHANGE_VERSION).is_some();
                if is_of_sdk && attributes.is_empty() {
                    return None;
                }
                Self::search_attributes(attributes)
            }
            Attributes::WorkflowExecutionCompletedEventAttributes(it) => {
                Self::Complete(payloads(it.result))
            }
            Attributes::WorkflowExecutionFailedEventAttributes(it) => {
                Self::Fail(it.failure.map(Box::new))
            }
            Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it) => {
                Self::ContinueAsNew(payloads(it.input))
            }
            _ => return None,
        })
    }

    fn search_attributes(attributes: impl IntoIterator<Item = (String, Payload)>) -> Self {
        let attributes = attributes.into_iter();
        Self::SearchAttributes(attributes.map(|(name, it)| (name, it.data)).collect())
    }
}

/// Returns the names of the activities.
pub(crate) fn activities(commands: &[Command]) -> Vec<&str> {
    let names = commands.iter().filter_map(|command| match command {
        Command::Activity(activity) => Some(activity.name.as_str()),
        _ => None,
    });
    names.collect()
}

/// Returns the result of a workflow that completed.
pub(crate) fn result(commands: &[Command]) -> anyhow::Result<Value> {
    let result = commands.iter().find_map(|command| match command {
        Command::Complete(payloads) => Some(payloads),
        _ => None,
    });
    json_of(result.context("no result")?)
}

/// Returns the JSON in the first of these.
pub(crate) fn json_of(payloads: &[Payload]) -> anyhow::Result<Value> {
    let payload = payloads.first().context("no payload")?;
    Ok(serde_json::from_slice(&payload.data)?)
}

fn payloads(payloads: Option<Payloads>) -> Vec<Payload> {
    payloads.unwrap_or_default().payloads
}

fn duration<T: TryInto<Duration>>(duration: Option<T>) -> Duration {
    duration
        .and_then(|duration| duration.try_into().ok())
        .unwrap_or_default()
}

fn max_retry_interval(policy: Option<RetryPolicy>) -> Duration {
    match duration(policy.unwrap_or_default().maximum_interval) {
        Duration::ZERO => MAX_RETRY_INTERVAL,
        interval => interval,
    }
}

fn priority_key(priority: Option<Priority>) -> i32 {
    priority.unwrap_or_default().priority_key
}
