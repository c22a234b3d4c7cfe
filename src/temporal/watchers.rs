//! The watchers of accounts: whether one is alive, and how it is started.
//!
//! The source is Temporal: the watcher's activity heartbeats what it does, and the server ends an attempt without
//! heartbeats. So nothing has to be configured, and every worker sees the same.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use seedance_archiver_policy::watch::MIN_WATCHED;
use seedance_archiver_proto::{
    names::{self, WATCH_ACTIVITY_ID},
    v1::{AccountWatcherRequest, WatcherProgress},
};
use seedance_archiver_workflows::AccountWatcher;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowIdConflictPolicy, WorkflowStartOptions,
    errors::WorkflowInteractionError,
};
use temporalio_common::protos::temporal::api::{
    enums::v1::PendingActivityState, workflow::v1::PendingActivityInfo,
};
use tokio::{sync::Mutex, time::timeout};

use super::{
    codec, error_text,
    lifecycles::{ExecutionStatus, OpenLifecycles},
};
use crate::{config::Accounts, telemetry::rare::RareEvent};

/// How long the state of a watcher is used. A watcher that ends says so this long before.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(5);

/// Maximum wait for the state of a watcher: shorter than the heartbeat timeout of the activity that waits, which sends no
/// heartbeats meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Interval between two looks for accounts that need a watcher.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// What is known of the watcher of an account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WatcherState {
    /// Whether the workflow is running, on any task queue.
    pub(crate) is_running: bool,
    /// Whether its activity runs on a worker of the task queue. The server ends one without heartbeats.
    pub(crate) is_alive: bool,
    /// Task queue of the workflow.
    pub(crate) task_queue: String,
    /// Identity of the worker that runs the activity, or ran it last.
    pub(crate) worker: String,
    /// Number of the running or the next attempt of the activity, from 1. 0: there is no activity.
    pub(crate) attempt: i32,
    /// Message of the last failed attempt.
    pub(crate) last_message: String,
    /// Its last heartbeat.
    pub(crate) progress: WatcherProgress,
}

impl WatcherState {
    /// Returns whether a lifecycle may rely on the watcher to poll its task.
    pub(crate) fn covers(&self, task_id: &str) -> bool {
        self.is_alive
            && self.progress.is_reliable
            && !self.progress.not_found.iter().any(|id| id == task_id)
    }

    /// Returns the task queue of the running watcher if it is not `task_queue`: another deployment in the namespace has an
    /// account of this name.
    pub(crate) fn other_queue(&self, task_queue: &str) -> Option<&str> {
        let is_other = self.is_running && self.task_queue != task_queue;
        is_other.then_some(self.task_queue.as_str())
    }
}

/// Returns what to do about an account whose watcher is on the task queue of another deployment.
pub(crate) fn other_queue_fix(account: &str) -> String {
    name_conflict_fix(&format!(
        "terminate the workflow `{}`",
        names::watcher_workflow_id(account)
    ))
}

/// Returns what to do about an account that another deployment has too. `if_renamed` is for the case that it is the same
/// deployment, whose task queue was renamed.
pub(crate) fn name_conflict_fix(if_renamed: &str) -> String {
    format!(
        "name the accounts of the deployments differently, or use a namespace for each; if the task queue was renamed, \
         {if_renamed}"
    )
}

/// Describes the watcher of an account. `task_queue` is the task queue of the lifecycles.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn describe(
    client: &Client,
    account: &str,
    task_queue: &str,
) -> Result<WatcherState, String> {
    let state = describe_on_any_queue(client, account).await?;
    Ok(WatcherState {
        is_alive: state.is_alive && state.task_queue == task_queue,
        ..state
    })
}

/// Describes the watcher of an account, whichever task queue it is on.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn describe_on_any_queue(
    client: &Client,
    account: &str,
) -> Result<WatcherState, String> {
    let workflow =
        client.get_workflow_handle::<AccountWatcher>(names::watcher_workflow_id(account));
    let description = match workflow.describe(WorkflowDescribeOptions::default()).await {
        Ok(description) => description,
        Err(WorkflowInteractionError::NotFound(_)) => return Ok(WatcherState::default()),
        Err(error) => return Err(error_text::innermost(&error)),
    };
    if !ExecutionStatus::from(description.status()).is_open() {
        return Ok(WatcherState::default());
    }
    let activities = description.raw().pending_activities.iter();
    let mut activities = activities.filter(|it| it.activity_id == WATCH_ACTIVITY_ID);
    let activity = activities.next();
    let is_started = |it: &PendingActivityInfo| it.state() == PendingActivityState::Started;
    Ok(WatcherState {
        is_running: true,
        is_alive: activity.is_some_and(is_started),
        task_queue: description.task_queue().to_owned(),
        worker: activity.map_or_else(String::new, |it| it.last_worker_identity.clone()),
        attempt: activity.map_or(0, |it| it.attempt),
        last_message: activity
            .and_then(|it| it.last_failure.as_ref())
            .map_or_else(String::new, |failure| failure.message.clone()),
        progress: match activity {
            Some(activity) => codec::heartbeat(client, activity).await,
            None => None,
        }
        .unwrap_or_default(),
    })
}

/// Starts the watcher of an account, unless it is running.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn start(client: &Client, account: &str, task_queue: &str) -> Result<(), String> {
    let account = names::account_or_default(account);
    let request = AccountWatcherRequest {
        account: account.to_owned(),
        ..AccountWatcherRequest::default()
    };
    let options = WorkflowStartOptions::new(task_queue, names::watcher_workflow_id(account))
        .id_conflict_policy(WorkflowIdConflictPolicy::UseExisting)
        .static_summary(format!("Watcher of the account {account}"))
        .build();
    let started = client.start_workflow(AccountWatcher, request.into(), options);
    started
        .await
        .map_err(|error| error_text::innermost(&error))?;
    Ok(())
}

/// Starts the watcher of an account if it is not running, also if nothing waits yet. Returns its state before that.
///
/// # Errors
///
/// Returns an error if Temporal is unreachable or rejects the call.
pub(crate) async fn ensure(
    client: &Client,
    account: &str,
    task_queue: &str,
) -> Result<WatcherState, String> {
    let state = describe(client, account, task_queue).await?;
    if !state.is_running {
        start(client, account, task_queue).await?;
    }
    Ok(state)
}

/// The watchers of a worker's accounts. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Watchers(Arc<BTreeMap<String, Mutex<Known>>>);

#[derive(Default)]
struct Known {
    state: Option<(Instant, WatcherState)>,
    problem: RareEvent,
}

impl Watchers {
    /// Returns the watchers of the accounts that have a list.
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let watchers = accounts
            .with_list()
            .map(|it| (it.name().to_owned(), Mutex::default()));
        Self(Arc::new(watchers.collect()))
    }

    /// Returns the state of an account's watcher, and starts one if enough lifecycles wait. The state may be a few seconds
    /// old. If Temporal does not answer, there is no watcher.
    pub(crate) async fn of(
        &self,
        client: &Client,
        account: &str,
        task_queue: &str,
    ) -> WatcherState {
        let Some(known) = self.0.get(account) else {
            return WatcherState::default();
        };
        let mut known = known.lock().await;
        if let Some((at, state)) = &known.state
            && at.elapsed() < MAX_AGE
        {
            return state.clone();
        }
        let found = timeout(PATIENCE, find_or_start(client, account, task_queue)).await;
        let found = found.unwrap_or_else(|_| Err("Temporal does not answer".to_owned()));
        let state = match found {
            Ok(state) => state,
            Err(error) => {
                if known.problem.is_due(&error) {
                    tracing::warn!(account, error, "cannot start the watcher of the account");
                }
                WatcherState::default()
            }
        };
        known.state = Some((Instant::now(), state.clone()));
        state
    }
}

/// Starts the watchers of accounts for which enough lifecycles wait, at an interval until it is dropped: the watcher may have
/// been terminated while every lifecycle relied on it.
pub(crate) async fn maintain(client: &Client, accounts: &Accounts, task_queue: &str) -> Infallible {
    loop {
        tokio::time::sleep(MAINTENANCE_INTERVAL).await;
        for account in accounts.with_list() {
            // The lifecycles report a failure.
            let _ = find_or_start(client, account.name(), task_queue).await;
        }
    }
}

async fn find_or_start(
    client: &Client,
    account: &str,
    task_queue: &str,
) -> Result<WatcherState, String> {
    let state = describe(client, account, task_queue).await?;
    if !state.is_running {
        let waiting = OpenLifecycles::new(account, task_queue);
        let waiting = waiting.count(client).await;
        let waiting = waiting.map_err(|error| error_text::innermost(&error))?;
        if waiting >= MIN_WATCHED {
            start(client, account, task_queue).await?;
        }
    }
    Ok(state)
}
