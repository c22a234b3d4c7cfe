//! How long tasks take, learned from lifecycles that other workers completed.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_proto::{names, v1::AccountWatcherRequest};
use seedance_archiver_simulator::Script;
use seedance_archiver_workflows::{AccountWatcher, VideoTaskLifecycle};
use temporalio_client::{
    WorkflowCancelOptions, WorkflowCountOptions, WorkflowStartOptions, WorkflowTerminateOptions,
};

use crate::harness::{
    Fixture, Server, lifecycle::until_waiting, register, sweeps, sweeps::start_lifecycle,
    until_async,
};

/// Number of ended tasks from which on a worker relies on their completion times.
const ENOUGH: usize = 8;
/// How long the tasks took.
const COMPLETION_TIME: Duration = Duration::from_secs(90);

async fn a_worker_that_starts_knows_what_other_workers_saw(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let (fixture, account) = sweeps::fixture(&server, |_| {}).await?;
    // Another deployment may have an account of this name. Its watcher knows nothing of this one.
    let watcher = server
        .client
        .start_workflow(
            AccountWatcher,
            AccountWatcherRequest::default().into(),
            WorkflowStartOptions::new(
                server.unique_name("another"),
                names::watcher_workflow_id(&account),
            )
            .build(),
        )
        .await?;
    fixture
        .with_worker(&server, archive_ended_tasks(&fixture, &server, &account))
        .await?;
    until_completed_is_visible(&fixture, &server).await?;
    let learned = until_async("the worker knows how long tasks take", || {
        is_polled_late(&fixture, &server, &account)
    });
    fixture.with_worker(&server, learned).await?;
    Ok(watcher
        .terminate(WorkflowTerminateOptions::default())
        .await?)
}
register!(a_worker_that_starts_knows_what_other_workers_saw);

/// Returns whether a new task is not polled before it can have ended.
async fn is_polled_late(fixture: &Fixture, server: &Server, account: &str) -> anyhow::Result<bool> {
    let id = fixture.simulator.create(Script {
        running: Some(COMPLETION_TIME),
        ..Script::default()
    });
    let lifecycle = start_lifecycle(fixture, server, account, &id).await?;
    until_waiting(&lifecycle, "next poll in").await?;
    let is_polled_late = fixture.simulator.stats(&id).queries == 0;
    let id = lifecycle.workflow_id();
    let workflow = server.client.get_workflow_handle::<VideoTaskLifecycle>(id);
    workflow.cancel(WorkflowCancelOptions::default()).await?;
    lifecycle.result().await?;
    Ok(is_polled_late)
}

/// Archives tasks one after another, so that no watcher starts.
async fn archive_ended_tasks(
    fixture: &Fixture,
    server: &Server,
    account: &str,
) -> anyhow::Result<()> {
    for _ in 0..ENOUGH {
        let id = fixture.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(COMPLETION_TIME),
            age: COMPLETION_TIME + Duration::from_secs(1),
            ..Script::default()
        });
        let lifecycle = start_lifecycle(fixture, server, account, &id).await?;
        let result = lifecycle.result().await?;
        ensure!(result.outcome == "archived", "{result:?}");
    }
    Ok(())
}

async fn until_completed_is_visible(fixture: &Fixture, server: &Server) -> anyhow::Result<()> {
    let task_queue = &fixture.config.task_queue;
    let query = format!("TaskQueue = '{task_queue}' AND ExecutionStatus = 'Completed'");
    until_async(
        "the visibility store shows the completed lifecycles",
        || async {
            let counted = server
                .client
                .count_workflows(query.as_str(), WorkflowCountOptions::default());
            Ok(counted.await?.count() >= ENOUGH)
        },
    )
    .await
}
