//! A worker that is killed while it handles a request. The server sends the request to another worker.

use std::sync::Arc;

use anyhow::{bail, ensure};
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::Script;
use temporalio_client::WorkflowDescribeOptions;

use crate::{
    harness::{
        Fixture, HOUR, Server,
        grpc_proxy::{GrpcProxy, Rules, Treatment},
        nexus,
        nexus::{NexusCall, Operation, with_callers},
        register, until,
    },
    nexus::request,
};

async fn a_request_whose_handler_dies_before_the_start_has_one_lifecycle(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let rules = &[("StartWorkflowExecution", Treatment::HoldRequest)];
    check_that_one_lifecycle_starts(&server, rules).await
}
register!(
    a_request_whose_handler_dies_before_the_start_has_one_lifecycle,
    takes_long
);

async fn a_request_whose_handler_dies_after_the_start_has_one_lifecycle(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let rules = &[("StartWorkflowExecution", Treatment::HoldResponse)];
    check_that_one_lifecycle_starts(&server, rules).await
}
register!(
    a_request_whose_handler_dies_after_the_start_has_one_lifecycle,
    takes_long
);

/// Kills a worker that starts a lifecycle, and checks that the caller gets the result of one lifecycle, once.
async fn check_that_one_lifecycle_starts(server: &Server, rules: Rules) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    let endpoint = nexus::create_endpoint(&server, &fixture).await?;
    let id = fixture.simulator.create(Script {
        running: Some(HOUR),
        ..Script::default()
    });
    let proxy = GrpcProxy::start(&server.address, rules).await?;
    let mut worker = fixture.spawn_worker(&server.at(proxy.address.clone())?)?;
    nexus::until_served(&server, &fixture, 1).await?;
    with_callers(&server, async {
        let operation = Operation::new(&endpoint, "AwaitVideoTask");
        let call = NexusCall::send(&server, operation, &request(&id)).await?;
        let handled = until("the worker starts the lifecycle", || proxy.treated() > 0).await;
        if let Err(error) = handled {
            bail!("{error}; {}", call.state().await?);
        }
        let started = server.run_id(&id).await.ok();
        let is_started = rules.iter().any(|(_, it)| *it == Treatment::HoldResponse);
        ensure!(started.is_some() == is_started, "{started:?}");

        // Before the first one dies: on server 1.29, a request must not be without a worker for long.
        let _other = fixture.spawn_worker(&server)?;
        nexus::until_served(&server, &fixture, 2).await?;
        worker.kill().await?;
        call.until_waiting().await?;
        let run_id = server.run_id(&id).await?;
        ensure!(
            started.is_none_or(|started| started == run_id),
            "a second lifecycle was started"
        );
        let lifecycle = server.lifecycle(&id);
        let described = lifecycle.describe(WorkflowDescribeOptions::default());
        let callbacks = described.await?.raw().callbacks.len();
        ensure!(callbacks == 1, "{callbacks} callbacks");
        fixture.advance_clock(HOUR).await;
        let result: VideoTaskLifecycleResult = call.ending().await?.completed()?;
        ensure!(result.outcome == "archived", "{result:?}");
        ensure!(
            server.run_id(&id).await? == run_id,
            "a second lifecycle was started"
        );
        fixture.assert_archived(&id, &result.manifest.unwrap_or_default())
    })
    .await
}
