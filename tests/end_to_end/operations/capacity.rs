//! Roles that scale apart, and slots that follow memory and CPU.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_proto::names;
use seedance_archiver_simulator::Script;
use temporalio_client::{NamespacedClient, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::TaskQueue,
    workflowservice::v1::DescribeTaskQueueRequest,
};

use super::process::Process;
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
    ensure!(transfer.event("archived").is_some(), "{:?}", transfer.log());
    ensure!(query.event("archived").is_none(), "{:?}", query.log());
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

async fn follow_resources(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let ids: Vec<_> = (0..5)
        .map(|_| world.simulator.create(Script::default()))
        .collect();
    let variables = [
        ("SEEDANCE_TARGET_MEMORY", "0.95"),
        ("SEEDANCE_QUERIES_PER_SECOND", "50"),
        ("SEEDANCE_QUERY_POLLERS", "2"),
    ];
    let worker = Process::worker(&world, &server, &variables)?;
    worker.says("polling").await?;
    for id in &ids {
        let result = world.start(&server, id).await?.result().await?;
        ensure!(result.outcome == "archived", "{result:?}");
    }
    Ok(())
}
