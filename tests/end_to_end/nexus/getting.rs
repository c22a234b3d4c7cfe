//! `GetVideoTask`: what is known of a task, at once.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::v1::{
    GetVideoTaskRequest, GetVideoTaskResult, VideoTaskLifecycleResult,
};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::encoding::Encoding;
use temporalio_client::WorkflowFetchHistoryOptions;

use super::request;
use crate::harness::{
    DAY, Fixture, HOUR, Server,
    history::ensure_at_most,
    nexus,
    nexus::{NexusCall, Operation, with_worker_and_callers},
    register, until_async,
};

/// Maximum number of history events of a caller: it does not wait for the lifecycle.
const MAX_CALLER_EVENTS: usize = 10;

async fn a_task_is_described_while_it_waits_and_after_it_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let await_task = Operation::new(&endpoint, "AwaitVideoTask");
        let waiting = NexusCall::send(&server, await_task, &request(&id)).await?;
        waiting.until_waiting().await?;
        until_async("the task is known to run", || async {
            let known = get(&server, &endpoint, &id).await?;
            ensure!(known.phase == "waiting", "{known:?}");
            ensure!(known.execution == "running", "{known:?}");
            ensure!(known.outcome.is_empty() && known.manifest.is_none());
            Ok(known.status == "running" && known.created_at > 0 && known.archive_deadline > 0)
        })
        .await?;
        fixture.advance_clock(HOUR).await;
        let result: VideoTaskLifecycleResult = waiting.ending().await?.completed()?;
        let known = get(&server, &endpoint, &id).await?;
        ensure!(known.phase == "ended", "{known:?}");
        ensure!(known.execution == "completed", "{known:?}");
        ensure!(known.outcome == "archived", "{known:?}");
        ensure!(known.manifest == result.manifest, "{known:?}");
        ensure!(known.status == "succeeded", "{known:?}");
        ensure!(known.ended_at >= known.started_at && known.started_at > 0);
        ensure!(known.run_id == server.run_id(&id).await?, "{known:?}");
        Ok(())
    })
    .await
}
register!(a_task_is_described_while_it_waits_and_after_it_is_archived);

async fn a_lost_video_is_described_with_its_reason(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(30 * DAY),
        ..Script::default()
    });
    with_worker_and_callers(&server, &fixture, async {
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        fixture.polled(&id, 1).await?;
        fixture.close_query_window().await;
        lifecycle.result().await?;
        let known = get(&server, &endpoint, &id).await?;
        ensure!(known.execution == "failed", "{known:?}");
        ensure!(known.outcome == "lost", "{known:?}");
        ensure!(known.reason == "query_window_closed", "{known:?}");
        ensure!(!known.message.is_empty(), "{known:?}");
        Ok(())
    })
    .await
}
register!(a_lost_video_is_described_with_its_reason);

async fn a_reply_has_the_encoding_of_its_request_and_no_url_of_the_service(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script::default());
    with_worker_and_callers(&server, &fixture, async {
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        lifecycle.result().await?;
        for encoding in Encoding::ALL {
            let operation = Operation::new(&endpoint, "GetVideoTask");
            let input = encoding.encode(&get_request(&id))?;
            let call = NexusCall::start(&server, operation, input).await?;
            let reply = call.ending().await?.completed_payload()?;
            ensure!(
                Encoding::from_payload(&reply) == Some(encoding),
                "{encoding:?}: {reply:?}"
            );
            let text = String::from_utf8_lossy(&reply.data).into_owned();
            ensure!(text.contains("manifest.json"), "{text}");
            for url in ["sealed:", fixture.simulator.base_url().as_str()] {
                ensure!(!text.contains(url), "{url} is in {text}");
            }
            let history = WorkflowFetchHistoryOptions::default();
            let events = call.workflow.fetch_history(history).into_events().await?;
            ensure_at_most(MAX_CALLER_EVENTS, &events)?;
        }
        Ok(())
    })
    .await
}
register!(a_reply_has_the_encoding_of_its_request_and_no_url_of_the_service);

async fn get(server: &Server, endpoint: &str, id: &str) -> anyhow::Result<GetVideoTaskResult> {
    let operation = Operation::new(endpoint, "GetVideoTask");
    let call = NexusCall::send(server, operation, &get_request(id)).await?;
    call.ending().await?.completed()
}

fn get_request(id: &str) -> GetVideoTaskRequest {
    GetVideoTaskRequest {
        task_id: id.to_owned(),
        ..GetVideoTaskRequest::default()
    }
}
