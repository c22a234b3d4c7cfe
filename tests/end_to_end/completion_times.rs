//! How long tasks take, learned from lifecycles that other workers completed.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::Script;
use temporalio_client::{WorkflowCancelOptions, WorkflowCountOptions};

use crate::harness::{Fixture, Server, lifecycle::until_waiting, register, until_async};

/// Number of ended tasks from which on a worker relies on their completion times.
const ENOUGH: usize = 8;
/// How long the tasks took.
const COMPLETION_TIME: Duration = Duration::from_secs(90);

async fn a_worker_that_starts_knows_what_other_workers_saw(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    fixture
        .with_worker(&server, archive_ended_tasks(&fixture, &server))
        .await?;
    until_completed_is_visible(&fixture, &server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(COMPLETION_TIME),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "not polled yet; next poll in").await?;
            let queries = fixture.simulator.stats(&id).queries;
            ensure!(
                queries == 0,
                "polled {queries} times before it can have ended"
            );
            server
                .lifecycle(&id)
                .cancel(WorkflowCancelOptions::default())
                .await?;
            lifecycle.result().await?;
            Ok(())
        })
        .await
}
register!(a_worker_that_starts_knows_what_other_workers_saw);

/// Archives tasks one after another, so that no watcher starts.
async fn archive_ended_tasks(fixture: &Fixture, server: &Server) -> anyhow::Result<()> {
    for _ in 0..ENOUGH {
        let id = fixture.simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(COMPLETION_TIME),
            age: COMPLETION_TIME + Duration::from_secs(1),
            ..Script::default()
        });
        let result = fixture.start_lifecycle(server, &id).await?.result().await?;
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
