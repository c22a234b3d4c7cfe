//! The reason in the result of a lifecycle that archives no video, and errors that only delay the archiving.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use seedance_archiver::config::Secret;
use seedance_archiver_proto::v1::{VideoTaskLifecycleRequest, VideoTaskLifecycleResult};
use seedance_archiver_simulator::{Fault, Script};
use seedance_archiver_workflows::reply::Reply;
use temporalio_client::{WorkflowGetResultOptions, errors::WorkflowGetResultError};
use temporalio_common::error::IncomingError;

use crate::harness::{
    DAY, Fixture, QUERY_WINDOW, Server, failures::root_cause, lifecycle::until_waiting, register,
    until,
};

/// Returns the script of a task that outlasts its query window.
fn long_running() -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(30 * DAY),
        ..Script::default()
    }
}

/// Checks the outcome and the reason of a result.
fn assert_ended(
    result: &VideoTaskLifecycleResult,
    outcome: &str,
    reason: &str,
) -> anyhow::Result<()> {
    ensure!(
        result.outcome == outcome && result.reason == reason && !result.message.is_empty(),
        "{result:?}"
    );
    Ok(())
}

/// The record of a cancelled task is visible for a day. A record that vanishes earlier has another cause.
async fn a_queued_task_that_disappears_at_once_is_lost_as_record_vanished(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(30 * DAY),
        ..Script::default()
    });
    let result = hide_and_advance_clock(&server, &fixture, &id, QUERY_WINDOW).await?;
    assert_ended(&result, "lost", "record_vanished")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "queued"),
        "the result does not have the last task record"
    );
    Ok(())
}
register!(a_queued_task_that_disappears_at_once_is_lost_as_record_vanished);

async fn a_running_task_that_disappears_is_lost_as_record_vanished(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(long_running());
    let result = hide_and_advance_clock(&server, &fixture, &id, QUERY_WINDOW).await?;
    assert_ended(&result, "lost", "record_vanished")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "running"),
        "the result does not have the last task record"
    );
    Ok(())
}
register!(a_running_task_that_disappears_is_lost_as_record_vanished);

/// Hides a task after a poll, advances the clock after a 404, and returns the result of the lifecycle.
async fn hide_and_advance_clock(
    server: &Server,
    fixture: &Fixture,
    id: &str,
    by: Duration,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    fixture
        .with_worker(server, async {
            let lifecycle = fixture.start_lifecycle(server, id).await?;
            fixture.polled(id, 1).await?;
            fixture.simulator.set_hidden(id, true);
            fixture.polled(id, 1).await?;
            fixture.advance_clock(by).await;
            Ok(lifecycle.result().await?)
        })
        .await
}

async fn an_old_task_id_is_outside_the_query_window(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = "cgt-20250101000000-zzzzz";
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, id).await?;
            fixture.polled(id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_ended(&result, "unknown", "outside_query_window")
}
register!(an_old_task_id_is_outside_the_query_window);

async fn a_record_without_a_url_is_polled_again(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        no_url_for: Some(DAY),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "the record has no URL").await?;
            fixture.advance_clock(DAY).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_record_without_a_url_is_polled_again);

async fn a_task_that_never_gets_a_url_is_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        no_url_for: Some(30 * DAY),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "the record has no URL").await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_ended(&result, "lost", "url_expired")?;
    ensure!(
        result.task.is_some_and(|task| task.status == "succeeded"),
        "the result does not have the last task record"
    );
    Ok(())
}
register!(a_task_that_never_gets_a_url_is_lost);

async fn errors_of_the_api_are_retried_until_they_end(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let errors = [
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
    fixture.simulator.set_fault(Some(errors[0]));
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            for error in errors {
                fixture.simulator.set_fault(Some(error));
                let before = fixture.simulator.stats(&id).queries;
                until("the error was returned", || {
                    fixture.simulator.stats(&id).queries > before
                })
                .await?;
            }
            fixture.simulator.set_fault(None);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(errors_of_the_api_are_retried_until_they_end);

async fn a_rejected_key_can_be_replaced_without_a_restart(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, "revoked")?;
    let fixture = Fixture::with_account(&server, |account| {
        account.endpoint.api_key = Secret::File(file.path().to_owned())
    })
    .await?;
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the key was rejected", || {
                fixture.simulator.stats(&id).queries >= 2
            })
            .await?;
            // The file is replaced, as secret managers do.
            let new = tempfile::NamedTempFile::new()?;
            std::fs::write(&new, fixture.simulator.api_key())?;
            new.persist(file.path())?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_rejected_key_can_be_replaced_without_a_restart);

async fn a_known_task_is_lost_if_the_key_stays_rejected(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(long_running());
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_fault(Some(Fault::Unauthorized));
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_ended(&result, "lost", "unauthorized")
}
register!(a_known_task_is_lost_if_the_key_stays_rejected);

async fn a_task_without_a_record_is_unknown_if_the_key_stays_rejected(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    fixture.simulator.set_fault(Some(Fault::Unauthorized));
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_ended(&result, "unknown", "unauthorized")?;
    ensure!(result.task.is_none(), "{result:?}");
    Ok(())
}
register!(a_task_without_a_record_is_unknown_if_the_key_stays_rejected);

async fn a_download_that_is_never_a_video_is_lost(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        garbage: true,
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            fixture.pass_archive_deadline().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    assert_ended(&result, "lost", "corrupt_video")?;
    fixture.assert_outcome_recorded(&result)
}
register!(a_download_that_is_never_a_video_is_lost);

/// The details of the failure are the result. With `report_only` the workflow returns the result instead.
async fn a_lost_video_fails_the_workflow_unless_report_only_is_set(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [failing, reporting] = [(), ()].map(|()| fixture.simulator.create(long_running()));
    let request = |task_id: &String, report_only| VideoTaskLifecycleRequest {
        task_id: task_id.clone(),
        report_only,
        ..VideoTaskLifecycleRequest::default()
    };
    fixture
        .with_worker(&server, async {
            fixture
                .start_lifecycle_with(&server, request(&failing, false))
                .await?;
            fixture
                .start_lifecycle_with(&server, request(&reporting, true))
                .await?;
            for id in [&failing, &reporting] {
                fixture.polled(id, 1).await?;
            }
            fixture.close_query_window().await;
            let result = raw_result(&server, &reporting).await;
            assert_ended(&result?, "lost", "query_window_closed")?;
            let failure = match raw_result(&server, &failing).await {
                Err(WorkflowGetResultError::Failed(failure)) => failure,
                other => bail!("the workflow did not fail: {other:?}"),
            };
            let IncomingError::Application(application) = root_cause(&failure) else {
                bail!("not an application failure: {failure:?}");
            };
            ensure!(
                application.type_name() == Some("VideoLost"),
                "{application:?}"
            );
            let result: Option<VideoTaskLifecycleResult> = application.details()?;
            assert_ended(&result.context("no result")?, "lost", "query_window_closed")
        })
        .await
}
register!(a_lost_video_fails_the_workflow_unless_report_only_is_set);

/// Waits for the result of a lifecycle without converting failures.
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
