//! Schedules of sweeps: set by the `sweep` command, or by workers with `auto_archive`.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::temporal::sweeps;
use seedance_archiver_proto::{names, v1::AccountWatcherRequest};
use seedance_archiver_simulator::{Builder, Script};
use seedance_archiver_workflows::AccountWatcher;
use temporalio_client::{
    Client, WorkflowStartOptions,
    schedules::{ScheduleDescription, ScheduleHandle},
};

use crate::{
    harness::{
        Fixture, Server, register,
        sweeps::{fixture, spawn_worker, start_lifecycle, sweep_command},
        until_async,
    },
    operations::process::WorkerProcess,
};

/// Returns a handle to the sweep schedule of an account.
fn schedule(server: &Server, account: &str) -> ScheduleHandle<Client> {
    let id = names::sweep_workflow_id(account);
    server.client.get_schedule_handle(id)
}

/// Returns the interval of a schedule in seconds.
fn interval_seconds(description: &ScheduleDescription) -> Option<i64> {
    let spec = description.raw().schedule.as_ref()?.spec.as_ref()?;
    Some(spec.interval.first()?.interval?.seconds)
}

async fn the_sweep_command_creates_and_updates_the_schedule(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let every = async |time: &str| {
        let mut command = sweep_command(&fixture, &server, &account);
        command.args(["--every", time]).output().await
    };
    let too_often = every("10s").await?;
    ensure!(too_often.status.code() == Some(2), "{too_often:?}");
    let stderr = String::from_utf8_lossy(&too_often.stderr).into_owned();
    ensure!(stderr.contains("must be at least 1m"), "{stderr}");

    let created = every("1h").await?;
    ensure!(created.status.success(), "{created:?}");
    let stdout = String::from_utf8_lossy(&created.stdout).into_owned();
    let expected = format!("schedule sweep-video-tasks/{account} created: sweeps every 1h\n");
    ensure!(stdout == expected, "{stdout}");
    let stderr = String::from_utf8_lossy(&created.stderr).into_owned();
    ensure!(stderr.contains("temporal schedule delete"), "{stderr}");
    let schedule = schedule(&server, &account);
    until_async("the schedule has started a sweep", || async {
        let found = schedule.describe(Default::default()).await?;
        Ok(!found.recent_actions().is_empty())
    })
    .await?;
    let found = schedule.describe(Default::default()).await?;
    ensure!(interval_seconds(&found) == Some(3600), "{:?}", found.raw());
    let note = "paused by an operator";
    schedule.pause(Some(note), Default::default()).await?;

    let updated = every("2h").await?;
    let stdout = String::from_utf8_lossy(&updated.stdout).into_owned();
    ensure!(stdout.contains("updated: sweeps every 2h"), "{updated:?}");
    let found = schedule.describe(Default::default()).await?;
    ensure!(interval_seconds(&found) == Some(7200), "{:?}", found.raw());
    ensure!(found.paused(), "the schedule is no longer paused");
    ensure!(found.note() == Some(note), "{:?}", found.note());
    let unchanged = every("2h").await?;
    let stdout = String::from_utf8_lossy(&unchanged.stdout).into_owned();
    ensure!(
        stdout.contains(" unchanged: sweeps every 2h"),
        "{unchanged:?}"
    );
    Ok(schedule.delete(Default::default()).await?)
}
register!(the_sweep_command_creates_and_updates_the_schedule);

async fn auto_archive_archives_tasks_without_a_lifecycle_request(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |_| {}).await?;
    let id = fixture.simulator.create(Script::default());
    let keys = "auto_archive = true";
    let (mut worker, _directory) = spawn_worker(&fixture, &server, &account, keys)?;
    until_async("the video is archived", || async {
        let files = fixture.archived_files()?;
        Ok(files
            .iter()
            .any(|file| file.ends_with("manifest.json") && file.contains(&id)))
    })
    .await?;
    let schedule = schedule(&server, &account);
    let found = schedule.describe(Default::default()).await?;
    ensure!(
        interval_seconds(&found) == Some(30 * 60),
        "{:?}",
        found.raw()
    );

    // A worker that starts later does not unpause a schedule that an operator paused.
    schedule.pause(None::<String>, Default::default()).await?;
    worker.kill().await?;
    let changed = format!("{keys}\nlimits = {{ lists_per_second = 2 }}");
    let (_worker, _directory) = spawn_worker(&fixture, &server, &account, &changed)?;
    let other = fixture.simulator.create(Script::default());
    let lifecycle = start_lifecycle(&fixture, &server, &account, &other).await?;
    let outcome = lifecycle.result().await?.outcome;
    ensure!(outcome == "archived", "{outcome}");
    let found = schedule.describe(Default::default()).await?;
    ensure!(found.paused(), "the schedule is no longer paused");
    Ok(schedule.delete(Default::default()).await?)
}
register!(auto_archive_archives_tasks_without_a_lifecycle_request);

async fn a_deleted_schedule_is_created_again(server: Arc<Server>) -> anyhow::Result<()> {
    let (fixture, account) = fixture(&server, |account| account.auto_archive = true).await?;
    let schedule = schedule(&server, &account);
    let exists = || async { Ok(schedule.describe(Default::default()).await.is_ok()) };
    let accounts = &fixture.config.accounts;
    let check_interval = Duration::from_millis(200);
    let maintain = sweeps::auto_archive::maintain_schedules(
        &server.client,
        accounts,
        &fixture.config.task_queue,
        check_interval,
    );
    let delete_once = async {
        until_async("the schedule exists", exists).await?;
        schedule.delete(Default::default()).await?;
        until_async("the schedule exists again", exists).await
    };
    tokio::select! {
        never = maintain => match never {},
        recreated = delete_once => recreated?,
    }
    Ok(schedule.delete(Default::default()).await?)
}
register!(a_deleted_schedule_is_created_again);

/// Two deployments with an account `default` share a namespace.
async fn a_worker_reports_the_watcher_of_another_deployment(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let unlimited = |simulator: Builder| simulator.list_rate(1_000.0);
    let fixture = Fixture::with(&server, unlimited, |_| {}).await?;
    let options = WorkflowStartOptions::new("another", names::watcher_workflow_id("default"));
    let request = AccountWatcherRequest::default();
    let client = &server.client;
    let watcher = client.start_workflow(AccountWatcher, request.into(), options.build());
    let watcher = watcher.await?;
    let variables = [("SEEDANCE_AUTO_ARCHIVE", "true")];
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    let message = "another deployment watches an account of this name: new tasks of this account are not archived";
    let logged = worker.wait_for_log(message).await?;
    ensure!(logged["task_queue"] == "another", "{logged}");
    let fix = logged["fix"].as_str().unwrap_or_default();
    ensure!(
        fix.contains("terminate the workflow `account-watcher/default`"),
        "{logged}"
    );
    Ok(watcher.terminate(Default::default()).await?)
}
register!(a_worker_reports_the_watcher_of_another_deployment);
