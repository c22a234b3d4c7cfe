//! The windows of the service, in full: 7 days in which a task can be queried, and URLs that work for 24 hours or 14
//! days.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use seedance_archiver_proto::v1::VideoTaskLifecycleResult;
use seedance_archiver_simulator::{Corruption, Script};

use crate::harness::{
    DAY, Fixture, HOUR, QUERY_WINDOW, Server, URL_LIFETIME, lifecycle::until_waiting, register,
    until,
};

async fn a_task_that_succeeds_in_the_last_hour_is_archived(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        running: Some(QUERY_WINDOW - HOUR),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            for _ in 0..6 {
                fixture.polled(&id, 1).await?;
                fixture.advance_clock(DAY).await;
            }
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(DAY - HOUR / 2).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_task_that_succeeds_in_the_last_hour_is_archived);

async fn a_url_that_expired_after_24_hours_is_replaced_by_a_fresh_one(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let script = Script::default();
    let result = archive_after(&server, script, 2 * DAY).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_url_that_expired_after_24_hours_is_replaced_by_a_fresh_one);

/// The store is down from before the end of the query window until after it.
async fn a_fresh_url_is_queried_before_the_query_window_closes(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let queries = || fixture.simulator.stats(&id).queries;
    let result = fixture
        .with_worker(&server, async {
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "store").await?;
            let earlier = queries();
            fixture.approach_end_of_query_window().await?;
            until("the task is queried once more", || queries() > earlier).await?;
            fixture.advance_clock(DAY / 2).await;
            blocked.end()?;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(
    a_fresh_url_is_queried_before_the_query_window_closes,
    takes_long
);

/// The second download comes from the fresh URL, and is corrupt too.
async fn a_fresh_url_is_used_after_the_query_window(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        corrupt: Some(Corruption::OtherVideo),
        corrupt_downloads: Some(2),
        ..Script::default()
    });
    let downloads = || fixture.simulator.stats(&id).downloads;
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the download started", || downloads() > 0).await?;
            until_waiting(&lifecycle, "invalid download").await?;
            fixture.advance_clock(QUERY_WINDOW - HOUR).await;
            // On a busy machine, the second download may have come before.
            let earlier = downloads();
            until("the download was retried", || downloads() > earlier).await?;
            fixture.advance_clock(DAY / 2).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_fresh_url_is_used_after_the_query_window, takes_long);

async fn a_url_of_14_days_is_used_after_the_query_window(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let script = Script {
        url_lifetime: Some(URL_LIFETIME),
        ..Script::default()
    };
    let result = archive_after(&server, script, URL_LIFETIME - DAY).await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
register!(a_url_of_14_days_is_used_after_the_query_window);

async fn a_video_is_lost_after_14_days_without_a_store(server: Arc<Server>) -> anyhow::Result<()> {
    let script = Script {
        url_lifetime: Some(URL_LIFETIME),
        ..Script::default()
    };
    let result = archive_after(&server, script, URL_LIFETIME).await?;
    // The URL died only because the store kept the video from being archived.
    ensure!(
        result.outcome == "lost" && result.reason == "store_unavailable",
        "{result:?}"
    );
    ensure!(result.message.contains("; then UrlExpired: "), "{result:?}");
    Ok(())
}
register!(a_video_is_lost_after_14_days_without_a_store);

/// Returns the result of a lifecycle whose archive is not writable for `outage` after the task succeeded.
async fn archive_after(
    server: &Server,
    script: Script,
    outage: Duration,
) -> anyhow::Result<VideoTaskLifecycleResult> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(script);
    fixture
        .with_worker(server, async {
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until_waiting(&lifecycle, "store").await?;
            fixture.advance_clock(outage).await;
            blocked.end()?;
            Ok(lifecycle.result().await?)
        })
        .await
}
