//! Worker roles that scale separately, and slots that depend on free memory and CPU.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, grpc::WorkflowService, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::TaskQueue,
    workflowservice::v1::DescribeTaskQueueRequest,
};

use super::process::WorkerProcess;
use crate::harness::{Fixture, Server, register, until, until_async};

async fn query_and_transfer_workers_share_the_work(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let arguments = ["--queues", "query"];
    let query = WorkerProcess::start_with(&fixture, &server, &[], &arguments)?;
    query.wait_for_log("polling").await?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let transfers = names::transfers_task_queue(&fixture.config.task_queue);
    ensure!(
        count_pollers(&server, &transfers).await? == 0,
        "the query worker polls for transfers"
    );

    let variable = ("SEEDANCE_QUEUES", "transfer");
    let transfer = WorkerProcess::start(&fixture, &server, &[variable])?;
    transfer.wait_for_log("polling").await?;
    until_async("a worker polls for transfers", || async {
        Ok(count_pollers(&server, &transfers).await? == 1)
    })
    .await?;
    ensure!(
        count_pollers(&server, &fixture.config.task_queue).await? == 1,
        "both workers poll for queries"
    );
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(
        transfer.log_event("archived the video").is_some(),
        "{:?}",
        transfer.log()
    );
    ensure!(
        query.log_event("archived the video").is_none(),
        "{:?}",
        query.log()
    );
    Ok(())
}
register!(query_and_transfer_workers_share_the_work);

/// Counts the pollers of a task queue for activities.
async fn count_pollers(server: &Server, queue: &str) -> anyhow::Result<usize> {
    let request = DescribeTaskQueueRequest {
        namespace: server.client.namespace(),
        task_queue: Some(TaskQueue {
            name: queue.to_owned(),
            ..TaskQueue::default()
        }),
        task_queue_type: TaskQueueType::Activity.into(),
        ..DescribeTaskQueueRequest::default()
    };
    let mut service = server.client.clone();
    let response = service.describe_task_queue(request.into_request()).await?;
    Ok(response.into_inner().pollers.len())
}

/// Number of bytes after which transfers pause.
const HOLD_AT: u64 = 2_000_000;

/// Only transfers wait: polling continues until every task has succeeded.
async fn transfers_run_one_at_a_time_when_memory_is_short(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let ids: Vec<_> = (0..4)
        .map(|_| {
            fixture.simulator.create(Script {
                bytes: Some(4_000_000),
                hold_at: Some(HOLD_AT),
                ..Script::default()
            })
        })
        .collect();
    let variables = [
        ("SEEDANCE_TARGET_MEMORY", "0.001"),
        ("SEEDANCE_QUERY_POLLERS", "2"),
    ];
    let worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    for id in &ids {
        fixture.start_lifecycle(&server, id).await?;
    }
    let open = |id: &&String| fixture.simulator.stats(id).open_downloads > 0;
    for _ in &ids {
        until("a transfer is held", || {
            let is_held = |id: &String| fixture.simulator.stats(id).bytes_sent == HOLD_AT;
            ids.iter().filter(open).any(is_held)
        })
        .await?;
        let running: Vec<_> = ids.iter().filter(open).collect();
        ensure!(running.len() == 1, "{} concurrent transfers", running.len());
        fixture.simulator.release(running[0]);
        until("the video is archived", || {
            fixture.receipt_path(running[0]).is_some()
        })
        .await?;
    }
    Ok(())
}
register!(transfers_run_one_at_a_time_when_memory_is_short);
