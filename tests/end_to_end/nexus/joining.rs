//! Callers of `AwaitVideoTask` that share one lifecycle.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::encoding::Encoding;
use temporalio_client::{WorkflowDescribeOptions, WorkflowFetchHistoryOptions};

use super::request;
use crate::harness::{
    Fixture, HOUR, Server,
    history::ensure_at_most,
    nexus,
    nexus::{NexusCall, Operation, with_callers, with_worker_and_callers},
    register, until_async,
};

/// Maximum number of history events of a caller that waits: its start, three workflow tasks, the operation's three events
/// and its end.
const MAX_CALLER_EVENTS: usize = 14;
/// Number of callbacks that a server allows for a workflow by default.
const CALLBACK_LIMIT: usize = 32;
const CALLERS_BEYOND_THE_LIMIT: usize = CALLBACK_LIMIT + 3;

async fn a_caller_gets_the_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script::default());
    let (ending, events) = with_worker_and_callers(&server, &fixture, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        let ending = call.ending().await?;
        let history = WorkflowFetchHistoryOptions::default();
        let events = call.workflow.fetch_history(history).into_events().await?;
        Ok((ending, events))
    })
    .await?;
    ensure!(ending.token.is_some(), "{ending:?}");
    let result: VideoTaskLifecycleResult = ending.completed()?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure_at_most(MAX_CALLER_EVENTS, &events)?;
    fixture.assert_archived(&id, &result.manifest.unwrap_or_default())
}
register!(a_caller_gets_the_receipt);

async fn callers_of_two_namespaces_share_a_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let other = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let work = with_callers(&other, async {
        let operation = || Operation::new(&endpoint, "AwaitVideoTask");
        let first = NexusCall::send(&server, operation(), &request(&id)).await?;
        first.until_waiting().await?;
        let run_id = server.run_id(&id).await?;
        let second = NexusCall::send(&server, operation(), &request(&id)).await?;
        let third = NexusCall::send(&other, operation(), &request(&id)).await?;
        second.until_waiting().await?;
        third.until_waiting().await?;
        fixture.advance_clock(HOUR).await;
        let mut results = Vec::new();
        for call in [first, second, third] {
            results.push(
                call.ending()
                    .await?
                    .completed::<VideoTaskLifecycleResult>()?,
            );
        }
        ensure!(
            server.run_id(&id).await? == run_id,
            "a second lifecycle was started"
        );
        Ok(results)
    });
    let results = with_worker_and_callers(&server, &fixture, work).await?;
    let [first, others @ ..] = results.as_slice() else {
        anyhow::bail!("no results");
    };
    ensure!(first.outcome == "archived", "{first:?}");
    ensure!(others.iter().all(|result| result == first), "{results:?}");
    let stats = fixture.simulator.stats(&id);
    ensure!(stats.downloads == 1, "{stats:?}");
    fixture.assert_archived(&id, &first.manifest.clone().unwrap_or_default())
}
register!(callers_of_two_namespaces_share_a_lifecycle);

async fn a_caller_joins_a_lifecycle_that_was_not_started_by_nexus(
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
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        call.until_waiting().await?;
        fixture.advance_clock(HOUR).await;
        let joined: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(joined == lifecycle.result().await?, "{joined:?}");
        Ok(())
    })
    .await
}
register!(a_caller_joins_a_lifecycle_that_was_not_started_by_nexus);

async fn a_caller_of_an_archived_task_gets_its_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script::default());
    with_worker_and_callers(&server, &fixture, async {
        let lifecycle = fixture.start_lifecycle(&server, &id).await?;
        let earlier = lifecycle.result().await?;
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        let later: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(later.manifest == earlier.manifest, "{later:?}");
        let stats = fixture.simulator.stats(&id);
        ensure!(stats.downloads == 1, "{stats:?}");
        Ok(())
    })
    .await
}
register!(a_caller_of_an_archived_task_gets_its_receipt);

/// A server allows 32 callbacks for a workflow by default. It sends the requests of further callers again, until they join
/// a lifecycle that finds the receipt.
async fn callers_beyond_the_limit_of_a_workflow_get_the_receipt(
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
        let mut calls = Vec::new();
        for _ in 0..CALLERS_BEYOND_THE_LIMIT {
            let operation = Operation::new(&endpoint, "AwaitVideoTask");
            calls.push(NexusCall::send(&server, operation, &request(&id)).await?);
        }
        until_async("as many callers wait as may wait", || async {
            let lifecycle = server.lifecycle(&id);
            let described = lifecycle.describe(WorkflowDescribeOptions::default());
            let Ok(described) = described.await else {
                return Ok(false);
            };
            Ok(described.raw().callbacks.len() >= CALLBACK_LIMIT)
        })
        .await?;
        fixture.advance_clock(HOUR).await;
        let mut manifests = Vec::new();
        for call in calls {
            let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
            manifests.push(result.manifest.context("no receipt")?);
        }
        ensure!(
            manifests.iter().all(|it| *it == manifests[0]),
            "{manifests:?}"
        );
        let stats = fixture.simulator.stats(&id);
        ensure!(stats.downloads == 1, "{stats:?}");
        Ok(())
    })
    .await
}
register!(
    callers_beyond_the_limit_of_a_workflow_get_the_receipt,
    takes_long
);

async fn a_request_in_any_encoding_is_answered_in_json(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    with_worker_and_callers(&server, &fixture, async {
        for encoding in Encoding::ALL {
            let id = fixture.simulator.create(Script::default());
            let operation = Operation::new(&endpoint, "AwaitVideoTask");
            let input = encoding.encode(&request(&id))?;
            let call = NexusCall::start(&server, operation, input).await?;
            let result = call.ending().await?.completed_payload()?;
            let encoding_of_result = Encoding::from_payload(&result);
            ensure!(
                encoding_of_result == Some(Encoding::JsonPlain),
                "{encoding:?}: {encoding_of_result:?}"
            );
        }
        Ok(())
    })
    .await
}
register!(a_request_in_any_encoding_is_answered_in_json);
