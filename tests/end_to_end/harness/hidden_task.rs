//! A task that the API returns at first, and then answers with 404.

use std::time::Duration;

use anyhow::ensure;
use seedance_archiver::config::Account;
use seedance_archiver_simulator::Script;

use super::{fixture::Fixture, temporal_server::Server};
use crate::until::until;

/// Checks that a 404 does not end the lifecycle of a queued task that was returned before, although
/// `interrupt` ends the activity that received the record.
pub(crate) async fn check_that_a_404_is_not_final(
    server: &Server,
    interrupt: impl AsyncFnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let grace =
        |account: &mut Account| account.schedule.not_found_grace = Duration::from_millis(500);
    let fixture = Fixture::with_account(server, grace).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Duration::from_secs(6)),
        ..Script::default()
    });
    let queries = || fixture.simulator.stats(&id).queries;
    let result = fixture
        .with_worker(server, async {
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until("the task was polled", || queries() >= 1).await?;
            fixture.simulator.set_hidden(&id, true);
            interrupt(&id).await?;
            // Nine polls take longer than the grace period.
            let before = queries();
            until("the grace period has passed", || queries() > before + 8).await?;
            fixture.simulator.set_hidden(&id, false);
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    Ok(())
}
