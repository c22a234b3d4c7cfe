//! Waiting for a task: its cost in history events, and the status that it shows.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use parking_lot::Mutex;
use seedance_archiver::temporal::lifecycles::Step;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowCancelOptions;

use crate::harness::{
    DAY, Fixture, HOUR, Server,
    hidden_task::check_that_a_404_is_not_final,
    lifecycle::{encoded_history, ensure_short_history},
    query_activity, register, until, until_async,
};

async fn polling_does_not_grow_the_history(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(DAY),
        running: Some(DAY),
        ..Script::default()
    });
    let cost = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            for _ in 0..2 {
                fixture.polled(&id, 10).await?;
                fixture.advance_clock(DAY).await;
            }
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            ensure_short_history(&server, &lifecycle).await?;
            Ok(lifecycle.cost().await?)
        })
        .await?;
    let queries = fixture.simulator.stats(&id).queries;
    // The first attempt after a record sends no query if the next poll is not due yet.
    ensure!(
        (queries..=queries + 2).contains(&cost.polls) && queries > 20,
        "{cost:?}, {queries} queries"
    );
    let history = encoded_history(&server, &id).await?;
    ensure!(
        history.contains("sealed:v2:"),
        "no sealed URL in the history"
    );
    ensure!(
        !history.contains("X-Tos-Signature"),
        "a signed URL is in the history"
    );
    ensure!(
        !history.contains(fixture.simulator.api_key()),
        "the key is in the history"
    );
    Ok(())
}
register!(polling_does_not_grow_the_history, takes_long);

/// The test repeatedly completes the pending poll with the status that the lifecycle already has.
async fn stale_completions_do_not_grow_the_history(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..Script::default()
    });
    let lifecycle = server.lifecycle(&id);
    let run_id = || server.run_id(&id);
    let result = fixture
        .with_worker(&server, async {
            let started = fixture.start_lifecycle(&server, &id).await?;
            let first_run = run_id().await?;
            until("the task was returned as running", || {
                fixture.simulator.stats(&id).queries >= 2
            })
            .await?;
            until_async("the workflow has continued as new", || async {
                // Fails if no poll is pending.
                let _ = query_activity::complete(&server, &id, "running").await;
                Ok(run_id().await? != first_run)
            })
            .await?;
            let before = fixture.simulator.stats(&id).queries;
            until("the new run has polled the task", || {
                fixture.simulator.stats(&id).queries > before
            })
            .await?;
            lifecycle.cancel(WorkflowCancelOptions::default()).await?;
            Ok(started.result().await?)
        })
        .await?;
    ensure!(
        result.reason == "cancelled_by_caller"
            && result.task.is_some_and(|task| task.status == "running"),
        "the new run lost the status of the task"
    );
    Ok(())
}
register!(stale_completions_do_not_grow_the_history);

/// The completion ends the activity that received the record, so the activity's memory of the task is lost.
async fn a_stale_completion_proves_that_the_task_exists(server: Arc<Server>) -> anyhow::Result<()> {
    let complete = async |id: &str| query_activity::complete(&server, id, "queued").await;
    check_that_a_404_is_not_final(&server, complete).await
}
register!(a_stale_completion_proves_that_the_task_exists);

async fn the_status_shows_the_wait_and_then_the_transferred_bytes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        bytes: Some(6_000_000),
        hold_at: Some(3_000_000),
        ..Script::default()
    });
    let step = Mutex::new(None);
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let follow = lifecycle.follow(|next| *step.lock() = Some(next));
            let check_steps = async {
                let is = |expected: fn(&Step) -> bool| step.lock().as_ref().is_some_and(expected);
                until("the wait is shown", || is(is_waiting)).await?;
                fixture.advance_clock(HOUR).await;
                until("the transferred bytes are shown", || {
                    is(is_half_transferred)
                })
                .await?;
                fixture.simulator.release(&id);
                anyhow::Ok(())
            };
            let follow = async { Ok(follow.await?) };
            let (result, ()) = tokio::try_join!(follow, check_steps)?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        })
        .await
}

fn is_waiting(step: &Step) -> bool {
    let is_poll =
        |text: &str| text.starts_with("still running since ") && text.contains("; next poll in ");
    matches!(step, Step::Waiting(message) if is_poll(message))
}

fn is_half_transferred(step: &Step) -> bool {
    let half = Step::Archiving {
        done: 3_000_000,
        total: 6_000_000,
    };
    *step == half
}
register!(the_status_shows_the_wait_and_then_the_transferred_bytes);
