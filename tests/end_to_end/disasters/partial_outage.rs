//! An outage of Seedance alone, and one of the store alone.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_simulator::{Fault, Script};

use super::{
    buckets::directory_url,
    outage::{running, signed_once},
    paused::archived,
    procedure::check_promise,
};
use crate::harness::{
    DAY, Fixture, HOUR, QUERY_WINDOW, Server,
    lifecycle::{until_running, until_waiting},
    register,
};

async fn an_outage_of_seedance_costs_what_outlasts_its_query_window(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "**Only Seedance is down:** polls fail as [`UpstreamUnavailable`](failures/UpstreamUnavailable.md) and are \
                   retried. You can only wait. If the outage outlasts a task's query window, its video is lost.";
    check_promise("A week's outage", promise)?;
    let fixture = Fixture::new(&server).await?;
    let [old, young] = [QUERY_WINDOW - 2 * DAY, Duration::ZERO].map(|age| {
        fixture.simulator.create(Script {
            age,
            ..running(age + HOUR, DAY)
        })
    });
    fixture
        .with_worker(&server, async {
            let lifecycles = [
                fixture.start_lifecycle(&server, &old).await?,
                fixture.start_lifecycle(&server, &young).await?,
            ];
            for lifecycle in &lifecycles {
                until_running(lifecycle).await?;
            }
            fixture.simulator.set_fault(Some(Fault::Unavailable));
            for lifecycle in &lifecycles {
                until_waiting(lifecycle, "HTTP 500").await?;
            }
            fixture.advance_clock(3 * DAY).await;
            let lost = lifecycles[0].result().await?;
            ensure!(
                lost.outcome == "lost" && lost.reason == "upstream_unavailable",
                "{lost:?}"
            );
            fixture.simulator.set_fault(None);
            archived(&lifecycles[1]).await?;
            Ok(())
        })
        .await
}
register!(an_outage_of_seedance_costs_what_outlasts_its_query_window);

/// The URLs are signed once. One works for an hour longer than the outage lasts, and the other one for an hour less.
async fn another_bucket_within_a_day_saves_the_videos_of_a_store_that_is_down(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let promise = "**Only the store is down:** transfers fail as [`StoreUnavailable`](failures/StoreUnavailable.md) and are \
                   retried. With URLs of 24 hours you have a day: switch to another bucket within it, and [copy \
                   later](#the-region-of-the-bucket).";
    check_promise("A week's outage", promise)?;
    check_promise(
        "The region of the bucket",
        "With URLs of 24 hours you have a day.",
    )?;
    let mut fixture = Fixture::new(&server).await?;
    let [in_time, too_late] = [DAY, DAY - 2 * HOUR].map(|lifetime| {
        fixture
            .simulator
            .create(signed_once(Duration::ZERO, lifetime))
    });
    let started = fixture.with_worker(&server, async {
        let down = fixture.block_archive()?;
        let lifecycles = [
            fixture.start_lifecycle(&server, &in_time).await?,
            fixture.start_lifecycle(&server, &too_late).await?,
        ];
        for lifecycle in &lifecycles {
            until_waiting(lifecycle, "store").await?;
        }
        Ok((lifecycles, down))
    });
    let ([in_time, too_late], _down) = started.await?;
    fixture.advance_clock(DAY - HOUR).await;
    let other = tempfile::tempdir()?;
    fixture.config.archive_url = directory_url(other.path())?;
    fixture
        .with_worker(&server, async {
            let manifest = archived(&in_time).await?;
            let is_in_other = manifest
                .manifest_url
                .starts_with(fixture.config.archive_url.as_str());
            ensure!(is_in_other, "{manifest:?}");
            // The query window is open, but the service signs no URL again.
            fixture.close_query_window().await;
            let result = too_late.result().await?;
            ensure!(
                result.outcome == "lost" && result.reason == "store_unavailable",
                "{result:?}"
            );
            Ok(())
        })
        .await
}
register!(another_bucket_within_a_day_saves_the_videos_of_a_store_that_is_down);
