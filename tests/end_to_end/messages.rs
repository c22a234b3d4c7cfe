//! Signals, queries and cancellations of a running lifecycle.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver_proto::v1::{
    LifecycleProgress, VideoTaskLifecycleRequest, VideoTaskLifecycleResult,
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::{VideoTaskLifecycle, reply::OptionalArgument};
use temporalio_client::{
    UntypedQuery, WorkflowCancelOptions, WorkflowFetchHistoryOptions, WorkflowQueryOptions,
    WorkflowSignalOptions,
};
use temporalio_common::{
    data_converters::RawValue,
    protos::temporal::api::history::v1::{HistoryEvent, history_event::Attributes},
};

use crate::harness::{
    Fixture, HOUR, Server, hidden_task::check_that_a_404_is_not_final, register, until,
};

/// Returns a fixture that polls each task once, and again only after an hour.
async fn fixture_with_one_poll(server: &Server) -> anyhow::Result<Fixture> {
    Fixture::with_account(server, |account| {
        account.schedule.min_interval = HOUR;
        account.schedule.max_interval = HOUR;
    })
    .await
}

async fn a_nudge_triggers_an_immediate_poll(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture_with_one_poll(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the task was polled", || {
                fixture.simulator.stats(&id).queries >= 1
            })
            .await?;
            fixture.advance_clock(2 * HOUR).await;
            nudge(&server, &id).await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    let queries = fixture.simulator.stats(&id).queries;
    ensure!(queries == 2, "{queries} queries");
    Ok(())
}
register!(a_nudge_triggers_an_immediate_poll);

/// The nudge cancels the activity that received the record, so the activity's memory of the task is lost.
async fn a_404_after_a_nudge_does_not_end_the_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    check_that_a_404_is_not_final(&server, async |id| nudge(&server, id).await).await
}
register!(a_404_after_a_nudge_does_not_end_the_lifecycle);

/// Sends the `nudge` signal.
async fn nudge(server: &Server, id: &str) -> anyhow::Result<()> {
    server
        .lifecycle(id)
        .signal(
            VideoTaskLifecycle::nudge,
            OptionalArgument::default(),
            WorkflowSignalOptions::default(),
        )
        .await?;
    Ok(())
}

async fn many_nudges_trigger_one_poll_per_second(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture_with_one_poll(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let queries = || fixture.simulator.stats(&id).queries;
            until("the task was polled", || queries() == 1).await?;
            while queries() < 4 {
                try_join_all((0..20).map(|_| nudge(&server, &id))).await?;
            }
            let times = poll_times(&server, &id).await?;
            let is_second = |pair: &[SystemTime]| pair[1] >= pair[0] + Duration::from_secs(1);
            ensure!(times.windows(2).all(is_second), "{times:?}");
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(())
        })
        .await
}
register!(many_nudges_trigger_one_poll_per_second);

/// Returns when the workflow tasks started that scheduled the polls of a lifecycle: the times that the workflow sees.
/// So many nudges may fill a history, so that the polls are spread over several runs.
async fn poll_times(server: &Server, id: &str) -> anyhow::Result<Vec<SystemTime>> {
    let mut times = Vec::new();
    let mut run_id = server.run_id(id).await?;
    while !run_id.is_empty() {
        let events = events_of_run(server, id, &run_id).await?;
        let started = events.first().and_then(|event| event.attributes.as_ref());
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = started else {
            anyhow::bail!("{run_id} does not begin with its start");
        };
        run_id.clone_from(&started.continued_execution_run_id);
        times.splice(..0, poll_times_of_run(&events)?);
    }
    ensure!(times.len() >= 4, "{times:?}");
    Ok(times)
}

/// Returns the history of one run of a lifecycle.
async fn events_of_run(
    server: &Server,
    id: &str,
    run_id: &str,
) -> anyhow::Result<Vec<HistoryEvent>> {
    let mut run = server.lifecycle(id).info().clone();
    run.run_id = Some(run_id.to_owned());
    let history = run
        .bind_untyped(server.client.clone())
        .fetch_history(WorkflowFetchHistoryOptions::default());
    Ok(history.into_events().await?)
}

/// Returns when the workflow tasks of this run started that scheduled a poll.
fn poll_times_of_run(events: &[HistoryEvent]) -> anyhow::Result<Vec<SystemTime>> {
    let event = |id: i64| events.iter().find(|event| event.event_id == id);
    let mut times = Vec::new();
    for scheduled in events {
        if let Some(Attributes::ActivityTaskScheduledEventAttributes(poll)) = &scheduled.attributes
            && let Some(completed) = event(poll.workflow_task_completed_event_id)
            && let Some(Attributes::WorkflowTaskCompletedEventAttributes(task)) =
                &completed.attributes
        {
            let started = event(task.started_event_id).and_then(|event| event.event_time);
            times.push(started.context("no workflow task")?.try_into()?);
        }
    }
    Ok(times)
}

async fn the_progress_query_and_the_current_details_show_the_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let mut progress = LifecycleProgress::default();
            while progress.task.is_none() {
                progress = server
                    .lifecycle(&id)
                    .query(
                        VideoTaskLifecycle::progress,
                        OptionalArgument::default(),
                        WorkflowQueryOptions::default(),
                    )
                    .await?
                    .into_message();
            }
            ensure!(progress.phase == "waiting", "{progress:?}");
            let task = progress.task.context("no task")?;
            ensure!(task.status == "running" && task.id == id, "{task:?}");
            let window = task.archive_deadline - task.created_at;
            ensure!(window == 7 * 24 * 60 * 60 - 5 * 60, "{window} s: {task:?}");

            let details = current_details(&server, &id).await?;
            for part in [
                "**running** since ",
                " UTC",
                "Archive deadline: ",
                "`query`",
            ] {
                ensure!(details.contains(part), "no {part:?} in {details}");
            }
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            lifecycle.result().await?;
            let details = current_details(&server, &id).await?;
            ensure!(details.contains("`cancelled_by_caller`"), "{details}");
            Ok(())
        })
        .await
}
register!(the_progress_query_and_the_current_details_show_the_task);

/// Returns the current details, which the Web UI shows under "User Metadata".
async fn current_details(server: &Server, id: &str) -> anyhow::Result<String> {
    let metadata = server
        .lifecycle(id)
        .query(
            UntypedQuery::new("__temporal_workflow_metadata"),
            RawValue::empty(),
            WorkflowQueryOptions::default(),
        )
        .await?;
    let payload = metadata.payloads.first().context("no metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&payload.data)?;
    let details = metadata["currentDetails"].as_str().context("no details")?;
    Ok(details.to_owned())
}

/// Checks that a lifecycle was cancelled, and that the message in its result ends with one of `messages`.
fn assert_cancelled(result: &VideoTaskLifecycleResult, messages: &[&str]) -> anyhow::Result<()> {
    ensure!(
        result.outcome == "unknown" && result.reason == "cancelled_by_caller",
        "{result:?}"
    );
    let is_expected = |message: &&str| result.message.ends_with(message);
    ensure!(messages.iter().any(is_expected), "{result:?}");
    Ok(())
}

async fn cancelling_stops_polling(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture_with_one_poll(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let result = cancel_after_first_poll(&server, &fixture, &id, false).await?;
    assert_cancelled(&result, &["the task was left running"])
}
register!(cancelling_stops_polling);

/// Cancels the lifecycle of a task after its first poll, and returns the result.
async fn cancel_after_first_poll(
    server: &Server,
    fixture: &Fixture,
    id: &str,
    cancel_task: bool,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    fixture
        .with_worker(server, async {
            let request = VideoTaskLifecycleRequest {
                task_id: id.to_owned(),
                cancel_task,
                ..VideoTaskLifecycleRequest::default()
            };
            let lifecycle = fixture.start_lifecycle_with(server, request).await?;
            until("the task was polled", || {
                fixture.simulator.stats(id).queries >= 1
            })
            .await?;
            server
                .lifecycle(id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(lifecycle.result().await?)
        })
        .await
}

async fn cancelling_stops_the_transfer_and_cleans_up(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        bytes: Some(40_000_000),
        hold_at: Some(1_000_000),
        ..Script::default()
    });
    let sent = || fixture.simulator.stats(&id).bytes_sent;
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the download has started", || sent() == 1_000_000).await?;
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_cancelled(&result, &["the task was left running"])?;
    until("the download was stopped", || {
        fixture.simulator.stats(&id).open_downloads == 0
    })
    .await?;
    fixture.assert_outcome_recorded(&result)
}
register!(cancelling_stops_the_transfer_and_cleans_up);

async fn cancelling_can_also_cancel_a_queued_task(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture_with_one_poll(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let result = cancel_after_first_poll(&server, &fixture, &id, true).await?;
    assert_cancelled(&result, &["the task was cancelled too"])?;
    fixture.assert_outcome_recorded(&result)?;
    ensure!(
        fixture.simulator.status(&id) == Some("cancelled"),
        "the task was not cancelled"
    );
    Ok(())
}
register!(cancelling_can_also_cancel_a_queued_task);

async fn cancelling_does_not_cancel_a_running_task(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = fixture_with_one_poll(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..Script::default()
    });
    let result = cancel_after_first_poll(&server, &fixture, &id, true).await?;
    // The lifecycle tries to cancel the task unless it already knows that the task is running.
    assert_cancelled(
        &result,
        &[
            "the task was left running",
            "the task was not cancelled: its status is `running`",
        ],
    )?;
    ensure!(
        fixture.simulator.status(&id) == Some("running"),
        "the task was cancelled"
    );
    Ok(())
}
register!(cancelling_does_not_cancel_a_running_task);
