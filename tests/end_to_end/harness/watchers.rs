//! Watchers of accounts. Each test watches its own account.

use std::process::Output;

use anyhow::{anyhow, ensure};
use seedance_archiver::{config::Account, seedance::RateLimit, temporal::lifecycles::Lifecycle};
use seedance_archiver_proto::{
    names,
    v1::{
        AccountWatcherRequest, CompletionTimes, KindCompletionTimes, VideoTaskLifecycleRequest,
        WatchAccountResult, WatcherProgress,
    },
};
use seedance_archiver_simulator::{Builder, Script};
use seedance_archiver_workflows::AccountWatcher;
use tempfile::TempDir;
use temporalio_client::{
    ActivityIdentifier, NamespacedClient, RpcOptions, WorkflowCancelOptions,
    WorkflowDescribeOptions, WorkflowExecutionDescription, WorkflowExecutionInfo,
    WorkflowExecutionStatus, WorkflowFetchHistoryOptions, WorkflowStartOptions,
    errors::WorkflowInteractionError,
};
use temporalio_common::{
    error::ApplicationFailure, protos::temporal::api::enums::v1::PendingActivityState,
};
use tokio::process::Child;

use super::{
    command::command,
    failures::fail_activity,
    fixture::{Fixture, HOUR},
    lifecycle, sweeps,
    temporal_server::Server,
};
use crate::until::until_async;

/// List requests a second, so many that a test is not delayed.
const LISTS_PER_SECOND: f64 = 20.0;

/// An account whose tasks are watched. Its lifecycles poll once an hour.
pub(crate) struct Watched<'a> {
    pub(crate) server: &'a Server,
    pub(crate) fixture: Fixture,
    pub(crate) account: String,
}

impl<'a> Watched<'a> {
    pub(crate) async fn new(server: &'a Server) -> anyhow::Result<Self> {
        Self::with(server, |_| {}).await
    }

    /// Returns a changed account.
    pub(crate) async fn with(
        server: &'a Server,
        change: impl FnOnce(&mut Account),
    ) -> anyhow::Result<Self> {
        let name = server.unique_name("watched");
        let account = |account: &mut Account| {
            account.endpoint.account = name.clone();
            account.endpoint.list_limit = RateLimit::per_second(LISTS_PER_SECOND);
            account.schedule.min_interval = HOUR;
            account.schedule.max_interval = HOUR;
            change(account);
        };
        let simulator = |simulator: Builder| simulator.list_rate(LISTS_PER_SECOND);
        let fixture = Fixture::with(server, simulator, account).await?;
        Ok(Self {
            server,
            fixture,
            account: name,
        })
    }

    /// Creates tasks that are queued for an hour, and then run for an hour.
    pub(crate) fn create(&self, count: usize) -> Vec<String> {
        self.create_with(count, |script| script)
    }

    /// The same with changed scripts.
    pub(crate) fn create_with(
        &self,
        count: usize,
        change: impl Fn(Script) -> Script,
    ) -> Vec<String> {
        let script = || Script {
            queued: Some(HOUR),
            running: Some(HOUR),
            ..Script::default()
        };
        let create = |_| self.fixture.simulator.create(change(script()));
        (0..count).map(create).collect()
    }

    /// Starts the lifecycles of tasks.
    pub(crate) async fn start(&self, ids: &[String]) -> anyhow::Result<Vec<Lifecycle>> {
        let mut lifecycles = Vec::new();
        for id in ids {
            let request = VideoTaskLifecycleRequest {
                task_id: id.clone(),
                account: self.account.clone(),
                ..VideoTaskLifecycleRequest::default()
            };
            let lifecycle = self.fixture.start_lifecycle_with(self.server, request);
            lifecycles.push(lifecycle.await?);
        }
        Ok(lifecycles)
    }

    /// Starts a worker process. The directory contains its accounts file.
    pub(crate) fn spawn_worker(&self) -> anyhow::Result<(Child, TempDir)> {
        self.spawn_worker_with("")
    }

    /// The same with additional settings of the account.
    pub(crate) fn spawn_worker_with(&self, keys: &str) -> anyhow::Result<(Child, TempDir)> {
        let keys = format!("limits = {{ lists_per_second = {LISTS_PER_SECOND} }}\n{keys}");
        sweeps::spawn_worker(&self.fixture, self.server, &self.account, &keys)
    }

    /// Terminates the watcher, as an operator may do.
    pub(crate) async fn terminate(&self) -> anyhow::Result<()> {
        let id = names::watcher_workflow_id(&self.account);
        let watcher = self.server.client.get_workflow_handle::<AccountWatcher>(id);
        Ok(watcher.terminate(Default::default()).await?)
    }

    /// Returns the description of the watcher, `None` if there is none.
    pub(crate) async fn describe(&self) -> anyhow::Result<Option<WorkflowExecutionDescription>> {
        let id = names::watcher_workflow_id(&self.account);
        let watcher = self.server.client.get_workflow_handle::<AccountWatcher>(id);
        match watcher.describe(WorkflowDescribeOptions::default()).await {
            Ok(description) => Ok(Some(description)),
            Err(WorkflowInteractionError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the last heartbeat of the watcher, or the default if there is none.
    pub(crate) async fn progress(&self) -> anyhow::Result<WatcherProgress> {
        let Some(description) = self.describe().await? else {
            return Ok(WatcherProgress::default());
        };
        let activity = description.raw().pending_activities.first();
        let details = activity.and_then(|it| it.heartbeat_details.as_ref());
        let payload = details.and_then(|details| details.payloads.first());
        Ok(match payload {
            Some(payload) => serde_json::from_slice(&payload.data)?,
            None => WatcherProgress::default(),
        })
    }

    /// Waits until lifecycles can rely on the watcher, which polls this many tasks.
    pub(crate) async fn until_watched(&self, tasks: usize) -> anyhow::Result<()> {
        self.until("the tasks are watched", |progress| {
            progress.is_reliable && progress.watched == tasks as i64
        })
        .await
    }

    /// Waits for a heartbeat.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&WatcherProgress) -> bool,
    ) -> anyhow::Result<()> {
        let met = until_async(what, || async { Ok(condition(&self.progress().await?)) }).await;
        match met {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("{:?}", self.progress().await?))),
        }
    }

    /// Waits until lifecycles know that their tasks are running.
    pub(crate) async fn until_running(&self, lifecycles: &[Lifecycle]) -> anyhow::Result<()> {
        for lifecycle in lifecycles {
            lifecycle::until_running(lifecycle).await?;
        }
        Ok(())
    }

    /// Starts the lifecycles of these tasks, and waits until their videos are archived while the watcher watches all of them.
    pub(crate) async fn archive_together(&self, ids: &[String]) -> anyhow::Result<Vec<Lifecycle>> {
        let lifecycles = self.start(ids).await?;
        self.until_watched(ids.len()).await?;
        self.fixture.advance_clock(HOUR).await;
        self.until_running(&lifecycles).await?;
        self.fixture.advance_clock(HOUR).await;
        self.archived(&lifecycles).await?;
        Ok(lifecycles)
    }

    /// Waits until the videos are archived.
    pub(crate) async fn archived(&self, lifecycles: &[Lifecycle]) -> anyhow::Result<()> {
        for lifecycle in lifecycles {
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
        }
        Ok(())
    }

    /// Runs `status` for the account with these arguments.
    pub(crate) async fn status(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = command();
        command
            .args(["status", "--account", &self.account])
            .args(arguments)
            .envs(self.server.environment())
            .kill_on_drop(true);
        Ok(command.output().await?)
    }

    /// Starts the watcher, without lifecycles.
    async fn start_watcher(&self) -> anyhow::Result<()> {
        let request = AccountWatcherRequest {
            account: self.account.clone(),
            ..AccountWatcherRequest::default()
        };
        let options = WorkflowStartOptions::new(
            self.fixture.config.task_queue.clone(),
            names::watcher_workflow_id(&self.account),
        );
        let client = &self.server.client;
        let started = client.start_workflow(AccountWatcher, request.into(), options.build());
        started.await?;
        Ok(())
    }

    /// Returns the id of the latest run of the watcher.
    async fn run_id(&self) -> anyhow::Result<String> {
        let description = self.describe().await?;
        Ok(description.map_or_else(String::new, |it| it.run_id().to_owned()))
    }

    /// Completes the activity of the watcher. Fails if none is pending.
    async fn complete(&self, is_idle: bool) -> anyhow::Result<()> {
        let workflow_id = names::watcher_workflow_id(&self.account);
        let activity =
            ActivityIdentifier::by_id_workflow(workflow_id, "", names::WATCH_ACTIVITY_ID);
        let result = WatchAccountResult {
            is_idle,
            completion_times: Some(CompletionTimes {
                kinds: vec![KindCompletionTimes {
                    model: "seedance-1-0-pro".into(),
                    seconds: vec![90, 100],
                    ..KindCompletionTimes::default()
                }],
            }),
            is_busy: false,
        };
        let handle = self.server.client.get_async_activity_handle(activity);
        Ok(handle.complete(Some(result), RpcOptions::default()).await?)
    }

    /// Makes the activity of the watcher fail. It is attempted again in an hour.
    pub(crate) async fn suspend(&self) -> anyhow::Result<()> {
        let failure = ApplicationFailure::builder(anyhow!("suspended"))
            .next_retry_delay(HOUR)
            .build();
        let workflow_id = names::watcher_workflow_id(&self.account);
        let activity =
            ActivityIdentifier::by_id_workflow(workflow_id, "", names::WATCH_ACTIVITY_ID);
        let handle = self.server.client.get_async_activity_handle(activity);
        Ok(handle
            .fail(failure, None::<WatcherProgress>, RpcOptions::default())
            .await?)
    }

    /// Waits until the latest run of the watcher has this status.
    async fn until_status(&self, status: WorkflowExecutionStatus) -> anyhow::Result<()> {
        until_async("the watcher has this status", || async {
            let description = self.describe().await?;
            Ok(description.is_some_and(|it| it.status() == status))
        })
        .await
    }

    /// Returns the history of a run of the watcher as JSON.
    async fn history(&self, run_id: &str) -> anyhow::Result<Vec<u8>> {
        let client = self.server.client.clone();
        let run = WorkflowExecutionInfo::builder()
            .namespace(client.namespace())
            .workflow_id(names::watcher_workflow_id(&self.account))
            .run_id(run_id)
            .build();
        let history = run.bind_untyped(client);
        let history = history.fetch_history(WorkflowFetchHistoryOptions::default());
        Ok(history.to_json().await?)
    }
}

/// Runs watchers that continue as new, end, are cancelled and fail. Returns the histories as JSON, with their names.
pub(crate) async fn histories(server: &Server) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let watched = Watched::new(server).await?;
    let work = async {
        watched.start_watcher().await?;
        let first = watched.run_id().await?;
        until_async("the watcher has continued as new", || async {
            // Fails between two activities.
            let _ = watched.complete(false).await;
            Ok(watched.run_id().await? != first)
        })
        .await?;
        let second = watched.run_id().await?;
        until_async("the watcher has nothing to watch", || async {
            Ok(watched.complete(true).await.is_ok())
        })
        .await?;
        watched
            .until_status(WorkflowExecutionStatus::Completed)
            .await?;

        watched.start_watcher().await?;
        until_async("the activity runs", || async {
            let description = watched.describe().await?;
            let pending = description.and_then(|it| it.raw().pending_activities.first().cloned());
            Ok(pending.is_some_and(|it| it.state() == PendingActivityState::Started))
        })
        .await?;
        let third = watched.run_id().await?;
        let id = names::watcher_workflow_id(&watched.account);
        let watcher = server.client.get_workflow_handle::<AccountWatcher>(id);
        watcher.cancel(WorkflowCancelOptions::default()).await?;
        watched
            .until_status(WorkflowExecutionStatus::Canceled)
            .await?;

        watched.start_watcher().await?;
        let fourth = watched.run_id().await?;
        let workflow_id = names::watcher_workflow_id(&watched.account);
        fail_activity(&server.client, &workflow_id, names::WATCH_ACTIVITY_ID).await?;
        watched
            .until_status(WorkflowExecutionStatus::Failed)
            .await?;
        Ok(vec![
            ("watcher-continued-as-new", watched.history(&first).await?),
            ("watcher-ended", watched.history(&second).await?),
            ("watcher-cancelled", watched.history(&third).await?),
            ("watcher-failed", watched.history(&fourth).await?),
        ])
    };
    watched.fixture.with_worker(server, work).await
}
