//! Sweeps. Each test sweeps its own account.

use anyhow::{Context, ensure};
use seedance_archiver::{
    config::Account,
    seedance::RateLimit,
    temporal::{lifecycles::Lifecycle, sweeps},
};
use seedance_archiver_proto::{
    names,
    v1::{SweepVideoTasksRequest, SweepVideoTasksResult, VideoTaskLifecycleRequest},
};
use seedance_archiver_simulator::{Builder, Script};
use seedance_archiver_workflows::SweepVideoTasks;
use tempfile::TempDir;
use temporalio_client::{
    Client, WorkflowDescribeOptions, WorkflowFetchHistoryOptions, WorkflowHandle,
};
use tokio::process::{Child, Command};

use super::{command::command, fixture::Fixture, temporal_server::Server};
use crate::until::until_async;

/// So many that a sweep of many pages is not delayed.
const LISTS_PER_SECOND: f64 = 1_000.0;

/// Returns a fixture, and the name of its account. List requests are practically not rate-limited.
pub(crate) async fn fixture(
    server: &Server,
    change: impl FnOnce(&mut Account),
) -> anyhow::Result<(Fixture, String)> {
    let name = server.unique_name("swept");
    let account = |account: &mut Account| {
        account.endpoint.account = name.clone();
        account.endpoint.list_limit = RateLimit::per_second(LISTS_PER_SECOND);
        change(account);
    };
    let simulator = |simulator: Builder| simulator.list_rate(LISTS_PER_SECOND);
    let fixture = Fixture::with(server, simulator, account).await?;
    Ok((fixture, name))
}

/// Starts a sweep.
pub(crate) async fn start(
    fixture: &Fixture,
    server: &Server,
    account: &str,
) -> anyhow::Result<sweeps::Sweep> {
    let request = SweepVideoTasksRequest {
        account: account.to_owned(),
        ..SweepVideoTasksRequest::default()
    };
    Ok(sweeps::start(&server.client, &fixture.config.task_queue, request).await?)
}

/// Runs a sweep to its end.
pub(crate) async fn run(
    fixture: &Fixture,
    server: &Server,
    account: &str,
) -> anyhow::Result<SweepVideoTasksResult> {
    Ok(start(fixture, server, account).await?.result().await?)
}

/// Returns the counts of a sweep: tasks listed, with an archived video, ended without one, with a running
/// lifecycle, and with a lifecycle that the sweep started.
pub(crate) fn counts(
    [listed, archived, ended, running, started]: [i64; 5],
) -> SweepVideoTasksResult {
    SweepVideoTasksResult {
        listed,
        archived,
        ended,
        running,
        started,
        ..SweepVideoTasksResult::default()
    }
}

/// Starts the lifecycle of a task, or returns the existing one.
pub(crate) async fn start_lifecycle(
    fixture: &Fixture,
    server: &Server,
    account: &str,
    task_id: &str,
) -> anyhow::Result<Lifecycle> {
    let request = VideoTaskLifecycleRequest {
        task_id: task_id.to_owned(),
        account: account.to_owned(),
        ..VideoTaskLifecycleRequest::default()
    };
    fixture.start_lifecycle_with(server, request).await
}

/// Returns a handle to the sweep of an account.
pub(crate) fn handle(server: &Server, account: &str) -> WorkflowHandle<Client, SweepVideoTasks> {
    let id = names::sweep_workflow_id(account);
    server.client.get_workflow_handle(id)
}

/// Runs a sweep of several pages that starts lifecycles, and returns its history as JSON.
pub(crate) async fn history(server: &Server) -> anyhow::Result<Vec<u8>> {
    let (fixture, account) = fixture(server, |account| account.endpoint.list_page_size = 1).await?;
    for _ in 0..2 {
        fixture.simulator.create(Script::default());
    }
    let swept = fixture
        .with_worker(server, run(&fixture, server, &account))
        .await?;
    ensure!(swept.started == 2, "{swept:?}");
    let history = handle(server, &account).fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.to_json().await?)
}

/// Returns the `sweep` command for an account.
pub(crate) fn sweep_command(fixture: &Fixture, server: &Server, account: &str) -> Command {
    let mut command = command();
    command
        .args(["sweep", "--account", account])
        .envs(server.environment())
        .env("TEMPORAL_TASK_QUEUE", &fixture.config.task_queue)
        .kill_on_drop(true);
    command
}

/// Starts a worker process for the account, with additional keys in its section of the accounts file.
pub(crate) fn spawn_worker(
    fixture: &Fixture,
    server: &Server,
    account: &str,
    keys: &str,
) -> anyhow::Result<(Child, TempDir)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("accounts.toml");
    std::fs::write(
        &path,
        format!(
            "[accounts.{account}]\nbase_url = \"{}\"\napi_key = \"{}\"\n\
             pace = {{ shortest = \"200ms\" }}\n{keys}\n",
            fixture.simulator.base_url(),
            fixture.simulator.api_key()
        ),
    )?;
    let variables = [
        (
            "SEEDANCE_ACCOUNTS_FILE",
            path.to_str().context("the path is not UTF-8")?,
        ),
        ("SEEDANCE_API_KEY", ""),
        ("SEEDANCE_BASE_URL", ""),
    ];
    let worker = fixture.spawn_worker_with(server, &variables)?;
    Ok((worker, directory))
}

/// Waits until an activity of the sweep of an account has failed, and returns the message.
pub(crate) async fn pending_failure(server: &Server, account: &str) -> anyhow::Result<String> {
    let message = std::cell::RefCell::new(String::new());
    until_async("an activity of the sweep failed", || async {
        let sweep = handle(server, account)
            .describe(WorkflowDescribeOptions::default())
            .await?;
        let pending = sweep.raw().pending_activities.first();
        let failure = pending.and_then(|activity| activity.last_failure.as_ref());
        if let Some(failure) = failure {
            message.replace(failure.message.clone());
        }
        Ok(failure.is_some())
    })
    .await?;
    Ok(message.into_inner())
}
