//! All that can be told of a lifecycle: what the server knows, and what a worker adds.

use std::{collections::BTreeMap, time::Duration};

use seedance_archiver_proto::{
    names::{self, search_attribute},
    v1::{LifecycleProgress, VideoTaskLifecycleResult},
};
use seedance_archiver_workflows::{
    VideoTaskLifecycle,
    reply::{OptionalArgument, Reply},
};
use serde::Serialize;
use temporalio_client::{
    Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowQueryOptions,
};
use temporalio_common::protos::temporal::api::{
    common::v1::SearchAttributes, enums::v1::PendingActivityState,
    workflow::v1::PendingActivityInfo,
};

use super::{Lifecycle, LifecycleError, bytes};
use seedance_archiver_proto::time::unix_seconds;

/// Longest time that a worker has to answer a query.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// All that can be told of a lifecycle. Times are Unix seconds, 0 where they are not known.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// Id of its workflow.
    pub workflow_id: String,
    /// The run that is the latest.
    pub run_id: String,
    /// What Temporal says of it: `running`, `completed`, `failed`, …
    pub execution: &'static str,
    /// When the run started.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: i64,
    /// Events in its history.
    pub history_events: u64,
    /// Its search attributes that are this program's.
    pub search_attributes: BTreeMap<String, String>,
    /// What it waits for. None between two activities and after the end.
    pub pending: Option<Pending>,
    /// What it knows, where a worker answers.
    pub progress: Option<LifecycleProgress>,
    /// Why `progress` is missing.
    pub no_progress: Option<String>,
    /// What came of it. None before the end.
    pub result: Option<VideoTaskLifecycleResult>,
    /// Why it ended without a result.
    pub fault: Option<String>,
}

/// An activity that a lifecycle waits for: what moves between two events of its history.
#[derive(Clone, Debug, Serialize)]
pub struct Pending {
    /// Id of the activity: `query`, `archive`, …
    pub activity: String,
    /// Whether an attempt is under way.
    pub is_running: bool,
    /// Number of the attempt that runs or is next.
    pub attempt: i32,
    /// When the next attempt begins.
    pub next_attempt_at: i64,
    /// What the last attempt ended with.
    pub last_message: String,
    /// Who made the last attempt.
    pub worker: String,
    /// Bytes that a transfer has brought.
    pub bytes_done: u64,
    /// Bytes in all; 0 while that is not known.
    pub bytes_total: u64,
}

impl Lifecycle {
    /// The lifecycle of a task, which may not be there.
    pub fn of(client: &Client, account: &str, task_id: &str) -> Self {
        let workflow_id = names::lifecycle_workflow_id(account, task_id);
        Self {
            client: client.clone(),
            handle: client.get_workflow_handle(workflow_id),
        }
    }

    /// All that can be told of it now. `None`: the server has no such lifecycle.
    ///
    /// # Errors
    ///
    /// Where Temporal cannot be reached. A worker that does not answer is none: see [`State::no_progress`].
    pub async fn state(&self) -> Result<Option<State>, LifecycleError> {
        let Some(description) = self.describe(&self.handle).await? else {
            return Ok(None);
        };
        let mut state = state(&description);
        if description.status() == WorkflowExecutionStatus::Running {
            match self.progress().await {
                Ok(progress) => state.progress = Some(progress),
                Err(why) => state.no_progress = Some(why),
            }
        } else {
            match self.result().await {
                Ok(result) => state.result = Some(result),
                Err(error) => state.fault = Some(error.fault),
            }
        }
        Ok(Some(state))
    }

    async fn progress(&self) -> Result<LifecycleProgress, String> {
        let options = WorkflowQueryOptions::default();
        let answer = self.handle.query(
            VideoTaskLifecycle::progress,
            OptionalArgument::default(),
            options,
        );
        match tokio::time::timeout(ANSWER_TIME, answer).await {
            Ok(answer) => answer
                .map(Reply::into_message)
                .map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "no worker answered within {} s",
                ANSWER_TIME.as_secs()
            )),
        }
    }
}

fn state(description: &WorkflowExecutionDescription) -> State {
    let raw = description.raw();
    let attributes = raw
        .workflow_execution_info
        .as_ref()
        .and_then(|info| info.search_attributes.as_ref());
    State {
        workflow_id: description.id().to_owned(),
        run_id: description.run_id().to_owned(),
        execution: word(description.status()),
        started_at: description.start_time().map_or(0, unix_seconds),
        ended_at: description.close_time().map_or(0, unix_seconds),
        history_events: description.history_length() as u64,
        search_attributes: attributes.map(own_attributes).unwrap_or_default(),
        pending: raw.pending_activities.first().map(pending),
        progress: None,
        no_progress: None,
        result: None,
        fault: None,
    }
}

/// What Temporal says of a workflow, in its own words.
pub(super) fn word(status: WorkflowExecutionStatus) -> &'static str {
    match status {
        WorkflowExecutionStatus::Running => "running",
        WorkflowExecutionStatus::Completed => "completed",
        WorkflowExecutionStatus::Failed => "failed",
        WorkflowExecutionStatus::Canceled => "cancelled",
        WorkflowExecutionStatus::Terminated => "terminated",
        WorkflowExecutionStatus::ContinuedAsNew => "continued as new",
        WorkflowExecutionStatus::TimedOut => "timed out",
        WorkflowExecutionStatus::Paused => "paused",
        _ => "unknown",
    }
}

/// The search attributes that lifecycles write, as text.
pub(super) fn own_attributes(attributes: &SearchAttributes) -> BTreeMap<String, String> {
    let own = search_attribute::ALL.into_iter();
    own.filter_map(|name| {
        let payload = attributes.indexed_fields.get(name)?;
        let value: String = serde_json::from_slice(&payload.data).ok()?;
        Some((name.to_owned(), value))
    })
    .collect()
}

fn pending(activity: &PendingActivityInfo) -> Pending {
    let (bytes_done, bytes_total) = match activity.activity_id == names::ARCHIVE_ACTIVITY_ID {
        true => bytes(activity),
        false => (0, 0),
    };
    let is_running = activity.state() == PendingActivityState::Started;
    let next = activity.next_attempt_schedule_time.as_ref();
    Pending {
        activity: activity.activity_id.clone(),
        is_running,
        attempt: activity.attempt,
        next_attempt_at: next.filter(|_| !is_running).map_or(0, |time| time.seconds),
        last_message: activity
            .last_failure
            .as_ref()
            .map(|failure| failure.message.clone())
            .unwrap_or_default(),
        worker: activity.last_worker_identity.clone(),
        bytes_done,
        bytes_total,
    }
}
