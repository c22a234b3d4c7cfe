//! How generations end after their task was created.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::{names, v1::GenerateVideoRequest};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowGetResultOptions,
    errors::WorkflowGetResultError,
};

use super::call::{failure, request, result, start};
use crate::harness::{DAY, Fixture, HOUR, Server, register, task_prefix, until, until_async};

async fn a_cancellation_after_the_request_leaves_the_lifecycle_running(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::with(&server, |simulator| simulator.running(HOUR), |_| {}).await?;
    fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            until_async("the generation waits for the video", || async {
                let description = generation.describe(WorkflowDescribeOptions::default());
                let description = description.await?;
                let mut activities = description.raw().pending_activities.iter();
                Ok(activities.any(|activity| activity.activity_id == names::AWAIT_ACTIVITY_ID))
            })
            .await?;
            generation.cancel(WorkflowCancelOptions::default()).await?;
            let ended = generation.get_result(WorkflowGetResultOptions::default());
            let ended = ended.await;
            let is_cancelled = matches!(ended, Err(WorkflowGetResultError::Cancelled { .. }));
            ensure!(is_cancelled, "{ended:?}");
            let id = fixture.simulator.task_ids().remove(0);
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.advance_clock(HOUR).await;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        })
        .await
}
register!(a_cancellation_after_the_request_leaves_the_lifecycle_running);

async fn a_generation_fails_as_the_lifecycle_does(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::with(&server, |simulator| simulator.running(HOUR), |_| {}).await?;
    fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request("a kite")).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            let id = fixture.simulator.task_ids().remove(0);
            let directory = fixture.directory.path().join(task_prefix(&id)?);
            std::fs::create_dir_all(&directory)?;
            std::fs::write(directory.join("video.mp4"), "another video")?;
            fixture.advance_clock(HOUR).await;
            let (kind, message) = failure(&generation).await?;
            ensure!(kind == "StoreConflict", "{kind}: {message}");
            Ok(())
        })
        .await
}
register!(a_generation_fails_as_the_lifecycle_does);

async fn a_lost_video_is_the_result_of_a_generation_that_only_reports(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let month = 30 * DAY;
    let fixture = Fixture::with(&server, |simulator| simulator.running(month), |_| {}).await?;
    let request = GenerateVideoRequest {
        report_only: true,
        ..request("a kite")
    };
    let result = fixture
        .with_worker(&server, async {
            let generation = start(&server, &fixture, request).await?;
            until("the task was created", || {
                !fixture.simulator.task_ids().is_empty()
            })
            .await?;
            let id = fixture.simulator.task_ids().remove(0);
            until("the task was returned", || {
                fixture.simulator.was_returned(&id)
            })
            .await?;
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            result(&generation).await
        })
        .await?;
    ensure!(result.outcome == "lost", "{result:?}");
    ensure!(!result.task_id.is_empty(), "{result:?}");
    Ok(())
}
register!(a_lost_video_is_the_result_of_a_generation_that_only_reports);
