//! A rolling upgrade, with lifecycles that run.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::{Fault, Script};
use temporalio_client::{NamespacedClient, WorkflowDescribeOptions, tonic::IntoRequest};
use temporalio_common::protos::temporal::api::{
    enums::v1::VersioningBehavior, workflowservice::v1::SetWorkerDeploymentCurrentVersionRequest,
};

use super::process::Process;
use crate::{
    Suite,
    world::{Server, World, until, until_async},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("operations::lifecycles_go_on_with_a_new_version", go_on)
        .test("operations::pinned_lifecycles_stay", stay)
        .test(
            "operations::roles_may_be_deployments_of_their_own",
            deployments,
        )
}

/// A task that runs for longer than it takes to ask about it once.
fn long() -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::from_secs(8)),
        ..Script::default()
    }
}

fn version<'a>(world: &'a World, build_id: &'a str) -> [(&'static str, &'a str); 2] {
    [
        ("TEMPORAL_DEPLOYMENT_NAME", world.config.task_queue.as_str()),
        ("TEMPORAL_WORKER_BUILD_ID", build_id),
    ]
}

/// New tasks go to this version from now on.
async fn make_current(server: &Server, world: &World, build_id: &str) -> anyhow::Result<()> {
    make_current_of(server, &world.config.task_queue, build_id).await
}

async fn make_current_of(server: &Server, name: &str, build_id: &str) -> anyhow::Result<()> {
    let request = SetWorkerDeploymentCurrentVersionRequest {
        namespace: server.client.namespace(),
        deployment_name: name.to_owned(),
        build_id: build_id.to_owned(),
        ..SetWorkerDeploymentCurrentVersionRequest::default()
    };
    // The server needs a moment until it knows of the version's workers.
    until_async("the version is current", || async {
        let mut service = server.client.connection().workflow_service();
        let request = request.clone().into_request();
        let answer = service.set_worker_deployment_current_version(request).await;
        Ok(answer.is_ok())
    })
    .await
}

/// How a lifecycle is bound to a version, and to which.
async fn bound(server: &Server, id: &str) -> anyhow::Result<(VersioningBehavior, String)> {
    let lifecycle = server.lifecycle(id);
    let described = lifecycle
        .describe(WorkflowDescribeOptions::default())
        .await?;
    let info = described.raw().workflow_execution_info.as_ref();
    let info = info.and_then(|info| info.versioning_info.as_ref());
    let info = info.context("it is not versioned")?;
    let version = info.deployment_version.as_ref();
    let build_id = version.map(|it| it.build_id.clone()).unwrap_or_default();
    Ok((info.behavior(), build_id))
}

/// A worker that is the current version, once it runs.
async fn current(
    world: &World,
    server: &Server,
    variables: &[(&str, &str)],
    build_id: &str,
) -> anyhow::Result<Process> {
    let worker = Process::worker(world, server, variables)?;
    worker.says("polling").await?;
    make_current(server, world, build_id).await?;
    Ok(worker)
}

/// The lifecycle of a task that was asked about.
async fn asked_about(world: &World, server: &Server) -> anyhow::Result<(String, Lifecycle)> {
    let id = world.simulator.create(long());
    let lifecycle = world.start(server, &id).await?;
    let asked = || world.simulator.stats(&id).queries > 0;
    until("the version has asked", asked).await?;
    Ok((id, lifecycle))
}

async fn go_on(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let mut old = current(&world, &server, &version(&world, "v1"), "v1").await?;
    let (id, lifecycle) = asked_about(&world, &server).await?;
    ensure!(bound(&server, &id).await? == (VersioningBehavior::AutoUpgrade, "v1".to_owned()));
    // It cannot end before the old version has.
    world.simulator.set_fault(Some(Fault::Unavailable));

    let _new = current(&world, &server, &version(&world, "v2"), "v2").await?;
    ensure!(
        old.stop().await?.code() == Some(0),
        "the old version failed"
    );
    world.simulator.set_fault(None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)?;
    ensure!(bound(&server, &id).await?.1 == "v2", "it stayed");
    Ok(())
}

async fn stay(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let pinned = |build_id| {
        let [name, build] = version(&world, build_id);
        [name, build, ("SEEDANCE_VERSIONING", "pinned")]
    };
    let old = current(&world, &server, &pinned("v1"), "v1").await?;
    let (id, lifecycle) = asked_about(&world, &server).await?;
    let new = current(&world, &server, &pinned("v2"), "v2").await?;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(bound(&server, &id).await? == (VersioningBehavior::Pinned, "v1".to_owned()));
    ensure!(new.event("archived").is_none(), "the new version took it");
    ensure!(old.event("archived").is_some(), "{:?}", old.log());
    Ok(())
}

/// As the Worker Controller has it, with a deployment for each task queue.
async fn deployments(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let [query, transfer] =
        ["query", "transfer"].map(|role| format!("{}-{role}", world.config.task_queue));
    let mut workers = Vec::new();
    for (name, role) in [(&query, "query"), (&transfer, "transfer")] {
        let variables = [
            ("TEMPORAL_DEPLOYMENT_NAME", name.as_str()),
            ("TEMPORAL_WORKER_BUILD_ID", "v1"),
            ("SEEDANCE_QUEUES", role),
        ];
        let worker = Process::worker(&world, &server, &variables)?;
        worker.says("polling").await?;
        make_current_of(&server, name, "v1").await?;
        workers.push(worker);
    }
    let id = world.simulator.create(Script::default());
    let result = world.start(&server, &id).await?.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    world.holds_exactly(&id, &result.manifest.context("no receipt")?)
}
