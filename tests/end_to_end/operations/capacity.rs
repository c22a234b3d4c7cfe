//! Roles that scale apart, and slots that follow memory and CPU.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::ensure;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::TaskQueue,
    workflowservice::v1::DescribeTaskQueueRequest,
};

use super::{metrics::value, process::Process};
use crate::{
    Suite,
    world::{Server, World, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("operations::roles_share_the_work", roles)
        .test("operations::slots_follow_memory_and_cpu", follow_resources)
}

async fn roles(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let query = ["--queues", "query"];
    let query = Process::worker_with(&world, &server.address, &[], &query)?;
    query.says("polling").await?;
    let lifecycle = world.start(&server, &id).await?;
    let transfers = names::transfers_task_queue(&world.config.task_queue);
    ensure!(pollers(&server, &transfers).await? == 0, "it transfers too");

    let variable = ("SEEDANCE_QUEUES", "transfer");
    let transfer = Process::worker(&world, &server, &[variable])?;
    transfer.says("polling").await?;
    until_async("transfers are polled for", || async {
        Ok(pollers(&server, &transfers).await? == 1)
    })
    .await?;
    ensure!(
        pollers(&server, &world.config.task_queue).await? == 1,
        "both ask"
    );
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(
        transfer.event("archived the video").is_some(),
        "{:?}",
        transfer.log()
    );
    ensure!(
        query.event("archived the video").is_none(),
        "{:?}",
        query.log()
    );
    Ok(())
}

/// Workers that poll a queue for activities.
async fn pollers(server: &Server, queue: &str) -> anyhow::Result<usize> {
    let request = DescribeTaskQueueRequest {
        namespace: server.client.namespace(),
        task_queue: Some(TaskQueue {
            name: queue.to_owned(),
            ..TaskQueue::default()
        }),
        task_queue_type: TaskQueueType::Activity.into(),
        ..DescribeTaskQueueRequest::default()
    };
    let mut service = server.client.connection().workflow_service();
    let answer = service.describe_task_queue(request.into_request()).await?;
    Ok(answer.into_inner().pollers.len())
}

/// With no memory to spare there is one transfer at a time, and questions go on.
async fn follow_resources(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let ids: Vec<_> = (0..4)
        .map(|_| {
            world.simulator.create(Script {
                bytes: Some(4_000_000),
                bytes_per_second: Some(2_000_000),
                ..Script::default()
            })
        })
        .collect();
    let variables = [
        ("SEEDANCE_TARGET_MEMORY", "0.001"),
        ("SEEDANCE_QUERY_POLLERS", "2"),
    ];
    let worker = Process::worker(&world, &server, &variables)?;
    worker.says("polling").await?;
    for id in &ids {
        world.start(&server, id).await?;
    }
    let at_once = AtomicU64::new(0);
    until_async("all are archived", || async {
        let (_, text) = worker.get("/metrics").await?;
        let running = value(&text, "seedance_archiver_transfers_running").unwrap_or_default();
        at_once.fetch_max(running as u64, Ordering::Relaxed);
        Ok(ids.iter().all(|id| world.receipt_of(id).is_some()))
    })
    .await?;
    let at_once = at_once.into_inner();
    ensure!(at_once == 1, "{at_once} transfers at once");
    Ok(())
}
