//! Rolling upgrades while lifecycles run, with Worker Versioning.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::lifecycles::Lifecycle;
use seedance_archiver_simulator::Script;
use temporalio_client::{
    NamespacedClient, WorkflowDescribeOptions, grpc::WorkflowService, tonic::IntoRequest,
};
use temporalio_common::protos::temporal::api::{
    enums::v1::VersioningBehavior, workflowservice::v1::SetWorkerDeploymentCurrentVersionRequest,
};

use super::process::WorkerProcess;
use crate::harness::{Fixture, HOUR, Server, register, until, until_async};

/// Returns the script of a task that is still running after its first poll.
fn long_running() -> Script {
    Script {
        queued: Some(Duration::ZERO),
        running: Some(HOUR),
        ..Script::default()
    }
}

/// Returns the environment variables of a deployment version.
pub(super) fn version<'a>(fixture: &'a Fixture, build_id: &'a str) -> [(&'static str, &'a str); 2] {
    [
        (
            "TEMPORAL_DEPLOYMENT_NAME",
            fixture.config.task_queue.as_str(),
        ),
        ("TEMPORAL_WORKER_BUILD_ID", build_id),
    ]
}

/// Makes a version of the fixture's deployment the current one.
pub(super) async fn make_current(
    server: &Server,
    fixture: &Fixture,
    build_id: &str,
) -> anyhow::Result<()> {
    set_current_version(server, &fixture.config.task_queue, build_id).await
}

/// Makes a version of a deployment the current one.
async fn set_current_version(
    server: &Server,
    deployment: &str,
    build_id: &str,
) -> anyhow::Result<()> {
    let request = SetWorkerDeploymentCurrentVersionRequest {
        namespace: server.client.namespace(),
        deployment_name: deployment.to_owned(),
        build_id: build_id.to_owned(),
        ..SetWorkerDeploymentCurrentVersionRequest::default()
    };
    // Fails until the server has registered a poller of this version.
    until_async("the version is current", || async {
        let mut service = server.client.clone();
        let request = request.clone().into_request();
        let response = service.set_worker_deployment_current_version(request).await;
        Ok(response.is_ok())
    })
    .await
}

/// Returns the versioning behavior and the build id of a lifecycle.
async fn versioning(server: &Server, id: &str) -> anyhow::Result<(VersioningBehavior, String)> {
    let lifecycle = server.lifecycle(id);
    let described = lifecycle
        .describe(WorkflowDescribeOptions::default())
        .await?;
    let info = described.raw().workflow_execution_info.as_ref();
    let info = info.and_then(|info| info.versioning_info.as_ref());
    let info = info.context("the lifecycle is not versioned")?;
    let version = info.deployment_version.as_ref();
    let build_id = version
        .map(|version| version.build_id.clone())
        .unwrap_or_default();
    Ok((info.behavior(), build_id))
}

/// Starts a worker and makes its version current.
async fn start_current(
    fixture: &Fixture,
    server: &Server,
    variables: &[(&str, &str)],
    build_id: &str,
) -> anyhow::Result<WorkerProcess> {
    let worker = WorkerProcess::start(fixture, server, variables)?;
    worker.wait_for_log("polling").await?;
    make_current(server, fixture, build_id).await?;
    Ok(worker)
}

/// Starts a lifecycle and waits until its task was polled.
async fn start_polled_lifecycle(
    fixture: &Fixture,
    server: &Server,
) -> anyhow::Result<(String, Lifecycle)> {
    let id = fixture.simulator.create(long_running());
    let lifecycle = fixture.start_lifecycle(server, &id).await?;
    let is_polled = || fixture.simulator.stats(&id).queries > 0;
    until("the task was polled", is_polled).await?;
    Ok((id, lifecycle))
}

async fn a_lifecycle_moves_to_the_new_version(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut old = start_current(&fixture, &server, &version(&fixture, "v1"), "v1").await?;
    let (id, lifecycle) = start_polled_lifecycle(&fixture, &server).await?;
    ensure!(versioning(&server, &id).await? == (VersioningBehavior::AutoUpgrade, "v1".to_owned()));
    let _new = start_current(&fixture, &server, &version(&fixture, "v2"), "v2").await?;
    ensure!(
        old.stop().await?.code() == Some(0),
        "the old version failed"
    );
    fixture.advance_clock(HOUR).await;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)?;
    ensure!(
        versioning(&server, &id).await?.1 == "v2",
        "the lifecycle stayed on the old version"
    );
    Ok(())
}
register!(a_lifecycle_moves_to_the_new_version);

async fn a_pinned_lifecycle_stays_on_its_version(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let pinned = |build_id| {
        let [name, build] = version(&fixture, build_id);
        [name, build, ("SEEDANCE_VERSIONING", "pinned")]
    };
    let old = start_current(&fixture, &server, &pinned("v1"), "v1").await?;
    let (id, lifecycle) = start_polled_lifecycle(&fixture, &server).await?;
    let new = start_current(&fixture, &server, &pinned("v2"), "v2").await?;
    fixture.advance_clock(HOUR).await;
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "archived", "{result:?}");
    ensure!(versioning(&server, &id).await? == (VersioningBehavior::Pinned, "v1".to_owned()));
    ensure!(
        new.log_event("archived the video").is_none(),
        "the new version transferred the video"
    );
    ensure!(
        old.log_event("archived the video").is_some(),
        "{:?}",
        old.log()
    );
    Ok(())
}
register!(a_pinned_lifecycle_stays_on_its_version);

/// The Temporal Worker Controller creates a deployment for each task queue.
async fn each_role_can_be_its_own_deployment(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let [query, transfer] =
        ["query", "transfer"].map(|role| format!("{}-{role}", fixture.config.task_queue));
    let mut workers = Vec::new();
    for (name, role) in [(&query, "query"), (&transfer, "transfer")] {
        let variables = [
            ("TEMPORAL_DEPLOYMENT_NAME", name.as_str()),
            ("TEMPORAL_WORKER_BUILD_ID", "v1"),
            ("SEEDANCE_QUEUES", role),
        ];
        let worker = WorkerProcess::start(&fixture, &server, &variables)?;
        worker.wait_for_log("polling").await?;
        set_current_version(&server, name, "v1").await?;
        workers.push(worker);
    }
    let id = fixture.simulator.create(Script::default());
    let result = fixture
        .start_lifecycle(&server, &id)
        .await?
        .result()
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    fixture.assert_archived(&id, &result.manifest.context("no receipt")?)
}
register!(each_role_can_be_its_own_deployment);
