//! Sweeps that repeat themselves.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver::temporal::sweeps;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::{
    Client,
    schedules::{ScheduleDescription, ScheduleHandle},
};

use crate::{
    Suite,
    sweeping::{lifecycle, spawn_worker, sweep_command, world},
    world::{Server, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("scheduling::a_command_sets_the_interval", by_command)
        .test(
            "scheduling::a_worker_archives_what_nobody_asked_for",
            auto_archive,
        )
        .test("scheduling::what_is_deleted_comes_back", comes_back)
}

fn schedule(server: &Server, account: &str) -> ScheduleHandle<Client> {
    let id = names::sweep_workflow_id(account);
    server.client.get_schedule_handle(id)
}

fn interval(description: &ScheduleDescription) -> Option<i64> {
    let spec = description.raw().schedule.as_ref()?.spec.as_ref()?;
    Some(spec.interval.first()?.interval?.seconds)
}

async fn by_command(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    let every = async |time: &str| {
        let mut command = sweep_command(&world, &server, &account);
        command.args(["--every", time]).output().await
    };
    let too_often = every("10s").await?;
    ensure!(too_often.status.code() == Some(2), "{too_often:?}");
    let words = String::from_utf8_lossy(&too_often.stderr).into_owned();
    ensure!(words.contains("must be at least 1m"), "{words}");

    let created = every("1h").await?;
    ensure!(created.status.success(), "{created:?}");
    let words = String::from_utf8_lossy(&created.stdout).into_owned();
    let expected = format!("schedule sweep-video-tasks/{account} created: sweeps every 1h\n");
    ensure!(words == expected, "{words}");
    let words = String::from_utf8_lossy(&created.stderr).into_owned();
    ensure!(words.contains("temporal schedule delete"), "{words}");
    let schedule = schedule(&server, &account);
    until_async("it sweeps at once", || async {
        let found = schedule.describe(Default::default()).await?;
        Ok(!found.recent_actions().is_empty())
    })
    .await?;
    let found = schedule.describe(Default::default()).await?;
    ensure!(interval(&found) == Some(3600), "{:?}", found.raw());
    let reason = "a person has a reason";
    schedule.pause(Some(reason), Default::default()).await?;

    let updated = every("2h").await?;
    let words = String::from_utf8_lossy(&updated.stdout).into_owned();
    ensure!(words.contains("updated: sweeps every 2h"), "{updated:?}");
    let found = schedule.describe(Default::default()).await?;
    ensure!(interval(&found) == Some(7200), "{:?}", found.raw());
    ensure!(found.paused(), "it is not paused any more");
    ensure!(found.note() == Some(reason), "{:?}", found.note());
    let unchanged = every("2h").await?;
    let words = String::from_utf8_lossy(&unchanged.stdout).into_owned();
    ensure!(
        words.contains(" unchanged: sweeps every 2h"),
        "{unchanged:?}"
    );
    Ok(schedule.delete(Default::default()).await?)
}

async fn auto_archive(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |_| {}).await?;
    let id = world.simulator.create(Script::default());
    let more = "auto_archive = true";
    let (mut worker, _directory) = spawn_worker(&world, &server, &account, more)?;
    until_async("it is archived", || async {
        let files = world.archived_files()?;
        Ok(files
            .iter()
            .any(|file| file.ends_with("manifest.json") && file.contains(&id)))
    })
    .await?;
    let schedule = schedule(&server, &account);
    let found = schedule.describe(Default::default()).await?;
    ensure!(interval(&found) == Some(60), "{:?}", found.raw());

    // A person's pause outlives the next start.
    schedule.pause(None::<String>, Default::default()).await?;
    worker.kill().await?;
    let changed = format!("{more}\nlimits = {{ lists_per_second = 2 }}");
    let (_worker, _directory) = spawn_worker(&world, &server, &account, &changed)?;
    let other = world.simulator.create(Script::default());
    let outcome = lifecycle(&world, &server, &account, &other).await?;
    ensure!(outcome.result().await?.outcome == "archived", "no worker");
    let found = schedule.describe(Default::default()).await?;
    ensure!(found.paused(), "it is not paused any more");
    Ok(schedule.delete(Default::default()).await?)
}

async fn comes_back(server: Arc<Server>) -> anyhow::Result<()> {
    let (world, account) = world(&server, |account| account.auto_archive = true).await?;
    let schedule = schedule(&server, &account);
    let is_there = || async { Ok(schedule.describe(Default::default()).await.is_ok()) };
    let accounts = &world.config.accounts;
    let look = Duration::from_millis(200);
    let kept = sweeps::auto_archive::maintain_schedules(
        &server.client,
        accounts,
        &world.config.task_queue,
        look,
    );
    let deleted_once = async {
        until_async("it is there", is_there).await?;
        schedule.delete(Default::default()).await?;
        until_async("it is there again", is_there).await
    };
    tokio::select! {
        never = kept => match never {},
        came_back = deleted_once => came_back?,
    }
    Ok(schedule.delete(Default::default()).await?)
}
