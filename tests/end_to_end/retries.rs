//! When failed transfers are tried again.

use std::sync::Arc;

use anyhow::ensure;
use seedance_archiver_simulator::Script;

use crate::harness::{Fixture, Server, lifecycle::until_waiting, register};

/// After a failure of the store, the first one of the URL waits as long as a first one.
async fn a_failure_of_one_side_does_not_lengthen_the_delay_of_another(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        dead_urls: 1_000,
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "next attempt in 10 s").await?;
            blocked.end()?;
            until_waiting(
                &lifecycle,
                "at risk: the API returned no fresh URL, and the video is lost in ",
            )
            .await?;
            until_waiting(&lifecycle, "next attempt in 10 s").await?;
            fixture.close_query_window().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "lost", "{result:?}");
    Ok(())
}
register!(a_failure_of_one_side_does_not_lengthen_the_delay_of_another);
