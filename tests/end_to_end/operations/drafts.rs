//! Drafts in the metrics, and in fleets with workers of the last release.

use std::{path::Path, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver::temporal::search_attributes;

use super::{metrics::value, process::WorkerProcess};
use crate::{
    drafts::tasks,
    harness::{
        Fixture, HOUR, Server, lifecycle::until_running, read_local, register, tools, until_async,
    },
};

/// The script of a draft that was created 6.5 days ago.
const EXPIRING: &str = "age=561600,queued=0,running=0";

async fn drafts_that_expire_without_a_final_are_counted(server: Arc<Server>) -> anyhow::Result<()> {
    let server = server.with_new_namespace().await?;
    let fixture = Fixture::new(&server).await?;
    search_attributes::register(&server.client, &search_attributes::ALL).await?;
    let worker = WorkerProcess::start(&fixture, &server, &[])?;
    let draft = tasks::draft(&fixture, EXPIRING).await?;
    let fresh = tasks::draft(&fixture, "queued=0,running=0").await?;
    for id in [&draft, &fresh] {
        let lifecycle = fixture.start_lifecycle(&server, id).await?;
        ensure!(lifecycle.result().await?.outcome == "archived");
    }
    until_counted(&server, &fixture, 1.0).await?;
    let made_from = tasks::made_from(&fixture, &draft).await?;
    let lifecycle = fixture.start_lifecycle(&server, &made_from).await?;
    ensure!(lifecycle.result().await?.outcome == "archived");
    drop(worker);
    until_counted(&server, &fixture, 0.0).await
}
register!(drafts_that_expire_without_a_final_are_counted);

/// Waits until a new worker counts this number of drafts. A worker counts when it starts, and then once a minute.
async fn until_counted(server: &Server, fixture: &Fixture, expected: f64) -> anyhow::Result<()> {
    let series = "seedance_archiver_drafts_expiring_without_final{account=\"default\"}";
    until_async(&format!("{series} is {expected}"), || async {
        let worker = WorkerProcess::start(fixture, server, &[])?;
        worker.wait_for_log("polling").await?;
        let counted = std::cell::Cell::new(None);
        until_async("the worker has counted", || async {
            let (_, metrics) = worker.get("/metrics").await?;
            counted.set(value(&metrics, series));
            Ok(counted.get().is_some())
        })
        .await?;
        Ok(counted.get() == Some(expected))
    })
    .await
}

/// A lifecycle of a draft that a worker of one version started is replayed and completed by one of the other.
async fn a_draft_survives_a_change_of_the_version_in_both_directions(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let released = tools::released_worker()?;
    for [first, second] in [
        [Some(released.as_path()), None],
        [None, Some(released.as_path())],
    ] {
        let fixture = Fixture::new(&server).await?;
        let draft = tasks::draft(&fixture, "queued=0,running=3600").await?;
        let mut worker = start(&fixture, &server, first).await?;
        let lifecycle = fixture.start_lifecycle(&server, &draft).await?;
        until_running(&lifecycle).await?;
        worker.stop().await?;
        let worker = start(&fixture, &server, second).await?;
        fixture.advance_clock(HOUR).await;
        let result = lifecycle.result().await?;
        ensure!(result.outcome == "archived", "{result:?}");
        let receipt = result.manifest.context("no receipt")?;
        match second {
            None => fixture.assert_archived(&draft, &receipt)?,
            // Its receipts have fewer facts about the task.
            Some(_) => {
                let video = receipt.objects.first().context("no object")?;
                let source = fixture.simulator.source(&draft).context("no source")?;
                ensure!(read_local(&video.url)? == source.bytes(), "{receipt:?}");
            }
        }
        // The poll that a worker of the last release started does not ask for them.
        let attributes = lifecycle.describe().await?.context("no lifecycle")?;
        let attributes = attributes.search_attributes;
        ensure!(attributes.is_draft() == first.is_none(), "{attributes:?}");
        ensure!(attributes.get("SeedanceOutcome") == "archived");
        drop(worker);
    }
    Ok(())
}
register!(
    a_draft_survives_a_change_of_the_version_in_both_directions,
    needs = [released_worker]
);

/// Starts a worker of this version or of another program.
async fn start(
    fixture: &Fixture,
    server: &Server,
    program: Option<&Path>,
) -> anyhow::Result<WorkerProcess> {
    let worker = match program {
        Some(program) => WorkerProcess::start_program(program, fixture, server, &[])?,
        None => WorkerProcess::start(fixture, server, &[])?,
    };
    worker.wait_for_log("polling").await?;
    Ok(worker)
}
