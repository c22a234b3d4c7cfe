//! What the facts allow to say when there is no video: one test for each way to such an ending.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use seedance_archiver::config::{Account, Secret};
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Fault, Script};
use seedance_archiver_workflows::reply::Reply;
use temporalio_client::{WorkflowGetResultOptions, errors::WorkflowGetResultError};
use temporalio_common::error::IncomingError;

use crate::{
    Suite,
    requests::root,
    world::{Server, World, until},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test(
            "verdicts::gone_after_queued_was_cancelled",
            cancelled_and_purged,
        )
        .test("verdicts::gone_after_running_has_vanished", record_vanished)
        .test(
            "verdicts::an_old_id_is_outside_the_window",
            outside_query_window,
        )
        .test("verdicts::no_url_yet_is_asked_again", no_url_yet)
        .test("verdicts::no_url_until_the_end_is_lost", no_url_ever)
        .test(
            "verdicts::faults_of_the_api_are_waited_out",
            faults_are_waited_out,
        )
        .test(
            "verdicts::a_refused_key_can_be_replaced_without_a_restart",
            key_is_replaced,
        )
        .test(
            "verdicts::a_refused_key_loses_a_task_that_was_seen",
            refused_until_the_end,
        )
        .test(
            "verdicts::a_refused_key_says_nothing_of_a_task_never_seen",
            never_seen,
        )
        .test(
            "verdicts::bytes_that_are_no_video_are_refused",
            corrupt_until_the_end,
        )
        .test(
            "verdicts::a_lost_video_fails_the_workflow",
            fails_as_video_lost,
        )
}

const SECOND: Duration = Duration::from_secs(1);

/// A window of seconds, and URLs that die with it.
pub(crate) fn short_window(account: &mut Account) {
    account.windows.query_window = 8 * SECOND;
    account.windows.margin = 2 * SECOND;
    account.windows.url_lifetime = 6 * SECOND;
}

fn runs_for_long() -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(3600 * SECOND),
        ..Script::default()
    }
}

fn ended(result: &VideoTaskLifecycleResult, outcome: &str, reason: &str) -> anyhow::Result<()> {
    ensure!(
        result.outcome == outcome && result.reason == reason && !result.message.is_empty(),
        "{result:?}"
    );
    Ok(())
}

async fn cancelled_and_purged(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator,
        |account| {
            account.windows.cancelled_retention = 2 * SECOND;
            account.schedule.not_found_grace = SECOND;
        },
    )
    .await?;
    let id = world.simulator.create(Script {
        queued: Some(3600 * SECOND),
        ..Script::default()
    });
    let result = hide_when(&server, &world, &id, 2).await?;
    ended(&result, "unsuccessful", "cancelled_and_purged")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "queued"),
        "the task is forgotten"
    );
    Ok(())
}

async fn record_vanished(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(runs_for_long());
    let result = hide_when(&server, &world, &id, 2).await?;
    ended(&result, "lost", "record_vanished")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "running"),
        "the task is forgotten"
    );
    Ok(())
}

/// The result of a task that is gone after so many questions.
async fn hide_when(
    server: &Server,
    world: &World,
    id: &str,
    queries: u64,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    world
        .with_worker(server, async {
            let lifecycle = world.start(server, id).await?;
            until("it was asked about", || {
                world.simulator.stats(id).queries >= queries
            })
            .await?;
            world.simulator.set_hidden(id, true);
            Ok(lifecycle.result().await?)
        })
        .await
}

async fn outside_query_window(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(
        &server,
        |simulator| simulator,
        |account| account.schedule.not_found_grace = SECOND,
    )
    .await?;
    let result = world.run(&server, "cgt-20250101000000-zzzzz").await?;
    ended(&result, "unknown", "outside_query_window")
}

async fn no_url_yet(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script {
        no_url_for: Some(2 * SECOND),
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}

async fn no_url_ever(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(Script {
        no_url_for: Some(3600 * SECOND),
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    ended(&result, "lost", "url_expired")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "succeeded"),
        "the task is forgotten"
    );
    Ok(())
}

async fn faults_are_waited_out(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let faults = [
        Fault::Unauthorized,
        Fault::RateLimited { retry_after: None },
        Fault::RateLimited {
            retry_after: Some(1),
        },
        Fault::Unavailable,
        Fault::Page,
        Fault::ErrorAs200,
        Fault::Truncated,
    ];
    world.simulator.set_fault(Some(faults[0]));
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            for fault in faults {
                world.simulator.set_fault(Some(fault));
                let before = world.simulator.stats(&id).queries;
                until("the fault was met", || {
                    world.simulator.stats(&id).queries > before
                })
                .await?;
            }
            world.simulator.set_fault(None);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}

async fn key_is_replaced(server: Arc<Server>) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "revoked")?;
    let world = World::with(
        &server,
        |simulator| simulator,
        |account| account.endpoint.api_key = Secret::File(file.path().to_owned()),
    )
    .await?;
    let id = world.simulator.create(Script::default());
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            until("the key was refused", || {
                world.simulator.stats(&id).queries >= 2
            })
            .await?;
            // A new key comes as a new file under the old name.
            let new = tempfile::NamedTempFile::new()?;
            std::fs::write(&new, world.simulator.api_key())?;
            new.persist(file.path())?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}

async fn refused_until_the_end(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(runs_for_long());
    let result = world
        .with_worker(&server, async {
            let lifecycle = world.start(&server, &id).await?;
            until("it was asked about", || {
                world.simulator.stats(&id).queries >= 2
            })
            .await?;
            world.simulator.set_fault(Some(Fault::Unauthorized));
            Ok(lifecycle.result().await?)
        })
        .await?;
    ended(&result, "lost", "unauthorized")
}

async fn never_seen(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(Script::default());
    world.simulator.set_fault(Some(Fault::Unauthorized));
    let result = world.run(&server, &id).await?;
    ended(&result, "unknown", "unauthorized")?;
    ensure!(result.task.is_none(), "{result:?}");
    Ok(())
}

async fn corrupt_until_the_end(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let id = world.simulator.create(Script {
        garbage: true,
        ..Script::default()
    });
    let result = world.run(&server, &id).await?;
    ended(&result, "lost", "corrupt_video")?;
    world.holds_outcome(&result)
}

/// The caller sees red, with the result in the failure; or the result, where it asks for that.
async fn fails_as_video_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::with(&server, |simulator| simulator, short_window).await?;
    let [red, told] = [(), ()].map(|()| world.simulator.create(runs_for_long()));
    let request = |task_id: &String, report_only| VideoTaskLifecycleRequest {
        task_id: task_id.clone(),
        report_only,
        ..VideoTaskLifecycleRequest::default()
    };
    world
        .with_worker(&server, async {
            world.start_with(&server, request(&red, false)).await?;
            world.start_with(&server, request(&told, true)).await?;
            let result = raw_result(&server, &told).await;
            ended(&result?, "lost", "query_window_closed")?;
            let failure = match raw_result(&server, &red).await {
                Err(WorkflowGetResultError::Failed(failure)) => failure,
                other => bail!("it ended otherwise: {other:?}"),
            };
            let IncomingError::Application(application) = root(&failure) else {
                bail!("it failed as {failure:?}");
            };
            ensure!(
                application.type_name() == Some("VideoLost"),
                "{application:?}"
            );
            let result: Option<VideoTaskLifecycleResult> = application.details()?;
            ended(&result.context("no result")?, "lost", "query_window_closed")
        })
        .await
}

async fn raw_result(
    server: &Server,
    task_id: &str,
) -> Result<VideoTaskLifecycleResult, WorkflowGetResultError> {
    server
        .lifecycle(task_id)
        .get_result(WorkflowGetResultOptions::default())
        .await
        .map(Reply::into_message)
}
