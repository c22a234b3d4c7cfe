//! A worker that is killed inside an activity. Another worker takes over as soon as heartbeats are missing, and the
//! lifecycle ends as if nothing had happened.
//!
//! Transfers are in `crashes`, waits in `await_video_task`, and sweeps in `sweeping`.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Fault, Script};
use tempfile::TempDir;
use temporalio_client::{WorkflowCancelOptions, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::{
    enums::v1::TimeoutType,
    failure::v1::failure::FailureInfo,
    history::v1::{HistoryEvent, history_event::Attributes},
};
use tokio::process::Child;

use crate::harness::{Fixture, HOUR, Server, lifecycle::until_waiting, register, until};

async fn another_worker_polls_for_a_killed_worker(server: Arc<Server>) -> anyhow::Result<()> {
    let scene = Scene::new(&server).await?;
    let id = scene.fixture.simulator.create(Script {
        queued: Some(Default::default()),
        running: Some(Default::default()),
        ..Script::default()
    });
    scene.fixture.simulator.set_fault(Some(Fault::NoResponse));
    let mut worker = scene.spawn_worker()?;
    let lifecycle = scene.fixture.start_lifecycle(&server, &id).await?;
    scene.kill_during_query(&mut worker, &id, 1).await?;

    let _other = scene.spawn_worker()?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let manifest = result.manifest.context("no receipt")?;
    scene.fixture.assert_archived(&id, &manifest)?;
    check_heartbeat_timeout(&server, &id, "query").await
}
register!(another_worker_polls_for_a_killed_worker, takes_long);

async fn another_worker_records_the_outcome_for_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let scene = Scene::new(&server).await?;
    let id = scene.fixture.simulator.create(Script {
        queued: Some(Default::default()),
        running: Some(HOUR),
        ..Script::default()
    });
    let result = scene.kill_while_cancelling(&id, false, 2).await?;
    ensure!(result.reason == "cancelled_by_caller", "{result:?}");
    ensure!(!result.message.contains("outcome.json"), "{result:?}");
    scene.fixture.assert_outcome_recorded(&result)?;
    check_heartbeat_timeout(&server, &id, "record").await
}
register!(
    another_worker_records_the_outcome_for_a_killed_worker,
    takes_long
);

async fn another_worker_cancels_the_task_for_a_killed_worker(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let scene = Scene::new(&server).await?;
    let id = scene.fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let result = scene.kill_while_cancelling(&id, true, 2).await?;
    ensure!(
        result.message.contains("the task was cancelled too"),
        "{result:?}"
    );
    let status = scene.fixture.simulator.status(&id);
    ensure!(status == Some("cancelled"), "{status:?}");
    scene.fixture.assert_outcome_recorded(&result)?;
    check_heartbeat_timeout(&server, &id, "cancel").await
}
register!(
    another_worker_cancels_the_task_for_a_killed_worker,
    takes_long
);

/// A fixture whose workers poll a task once an hour, so that the number of a query says which activity sent it.
struct Scene<'a> {
    server: &'a Server,
    fixture: Fixture,
    directory: TempDir,
}

impl<'a> Scene<'a> {
    async fn new(server: &'a Server) -> anyhow::Result<Self> {
        let fixture = Fixture::new(server).await?;
        let directory = tempfile::tempdir()?;
        let accounts = format!(
            "[accounts.default]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
             pace = {{ shortest = \"1h\", longest = \"1h\" }}\n",
            fixture.simulator.base_url(),
            fixture.simulator.api_key()
        );
        std::fs::write(directory.path().join("accounts.toml"), accounts)?;
        Ok(Self {
            server,
            fixture,
            directory,
        })
    }

    fn spawn_worker(&self) -> anyhow::Result<Child> {
        let path = self.directory.path().join("accounts.toml");
        let variables = [
            (
                "SEEDANCE_ACCOUNTS_FILE",
                path.to_str().context("the path is not UTF-8")?,
            ),
            ("SEEDANCE_API_KEY", ""),
            ("SEEDANCE_BASE_URL", ""),
        ];
        self.fixture.spawn_worker_with(self.server, &variables)
    }

    /// Kills a worker that waits for the response to the query of this number, and lets the API respond again.
    async fn kill_during_query(
        &self,
        worker: &mut Child,
        task_id: &str,
        number: u64,
    ) -> anyhow::Result<()> {
        let simulator = &self.fixture.simulator;
        until("the query was sent", || {
            simulator.stats(task_id).queries == number
        })
        .await?;
        worker.kill().await?;
        simulator.set_fault(None);
        Ok(())
    }

    /// Cancels a lifecycle that waits for its next poll, kills the worker during the query of this number, and
    /// returns the result that the lifecycle has with another worker.
    async fn kill_while_cancelling(
        &self,
        task_id: &str,
        cancel_task: bool,
        number: u64,
    ) -> anyhow::Result<VideoTaskLifecycleResult> {
        let mut worker = self.spawn_worker()?;
        let request = VideoTaskLifecycleRequest {
            task_id: task_id.to_owned(),
            cancel_task,
            ..VideoTaskLifecycleRequest::default()
        };
        let lifecycle = self
            .fixture
            .start_lifecycle_with(self.server, request)
            .await?;
        until_waiting(&lifecycle, "next poll in").await?;
        until("the last poll was sent", || {
            self.fixture.simulator.stats(task_id).queries == number - 1
        })
        .await?;
        until_waiting(&lifecycle, "next poll in").await?;
        self.fixture.simulator.set_fault(Some(Fault::NoResponse));
        let handle = self.server.lifecycle(task_id);
        handle.cancel(WorkflowCancelOptions::default()).await?;
        self.kill_during_query(&mut worker, task_id, number).await?;

        let _other = self.spawn_worker()?;
        Ok(lifecycle.result().await?)
    }
}

/// Checks that the attempt of the killed worker ended because its heartbeats were missing, and not by another timeout. If
/// a later attempt failed too, as one does within the first seconds of a worker, the history no longer has this failure.
async fn check_heartbeat_timeout(
    server: &Server,
    task_id: &str,
    activity_id: &str,
) -> anyhow::Result<()> {
    let history = server
        .lifecycle(task_id)
        .fetch_history(WorkflowFetchHistoryOptions::default());
    let events = history.into_events().await?;
    let timeouts: Vec<_> = events
        .iter()
        .filter_map(|event| timeout_before(&events, event, activity_id))
        .collect();
    let is_heartbeat = |timeout: &TimeoutType| *timeout == TimeoutType::Heartbeat;
    ensure!(timeouts.iter().all(is_heartbeat), "{timeouts:?}");
    Ok(())
}

/// Returns the timeout of the previous attempt if an event is the start of an attempt of this activity.
fn timeout_before(
    events: &[HistoryEvent],
    event: &HistoryEvent,
    activity_id: &str,
) -> Option<TimeoutType> {
    let Some(Attributes::ActivityTaskStartedEventAttributes(started)) = &event.attributes else {
        return None;
    };
    let mut scheduled = events
        .iter()
        .filter(|it| it.event_id == started.scheduled_event_id);
    let is_scheduled = |attributes: &Attributes| match attributes {
        Attributes::ActivityTaskScheduledEventAttributes(it) => it.activity_id == activity_id,
        _ => false,
    };
    scheduled
        .next()?
        .attributes
        .as_ref()
        .filter(|it| is_scheduled(it))?;
    match started.last_failure.as_ref()?.failure_info.as_ref()? {
        FailureInfo::TimeoutFailureInfo(timeout) => Some(timeout.timeout_type()),
        _ => None,
    }
}
