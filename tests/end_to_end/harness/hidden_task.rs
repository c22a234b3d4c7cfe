//! A task that the API returns at first, and then answers with 404.

use anyhow::ensure;
use seedance_archiver_simulator::Script;

use super::{
    fixture::{Fixture, HOUR},
    temporal_server::Server,
};

/// Checks that a 404 does not end the lifecycle of a queued task that was returned before, although
/// `interrupt` ends the activity that received the record.
pub(crate) async fn check_that_a_404_is_not_final(
    server: &Server,
    interrupt: impl AsyncFnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let result = fixture
        .with_worker(server, async {
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_hidden(&id, true);
            interrupt(&id).await?;
            fixture.polled(&id, 1).await?;
            fixture.advance_clock(fixture.not_found_grace()?).await;
            fixture.polled(&id, 1).await?;
            fixture.simulator.set_hidden(&id, false);
            fixture.advance_clock(HOUR).await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
