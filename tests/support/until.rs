//! Waiting until a condition is true.

use std::time::{Duration, Instant};

use anyhow::anyhow;

/// Far longer than any condition takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Bounds of the interval between two checks, which is a part of the time waited so far: many tests wait at the same time, and
/// their checks must not be what they wait for.
const MIN_INTERVAL: Duration = Duration::from_millis(20);
const MAX_INTERVAL: Duration = Duration::from_millis(250);
const INTERVAL_PART: u32 = 20;

/// Waits until `condition` is true. `what` names the condition in a timeout error.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    until_async(what, || std::future::ready(Ok(condition()))).await
}

/// Waits until `condition` is true.
///
/// # Errors
///
/// Returns an error if `condition` fails, or is not true in time.
pub(crate) async fn until_async<F>(
    what: &str,
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let start = Instant::now();
    let wait = async {
        while !condition().await? {
            let interval = start.elapsed() / INTERVAL_PART;
            tokio::time::sleep(interval.clamp(MIN_INTERVAL, MAX_INTERVAL)).await;
        }
        Ok(())
    };
    tokio::time::timeout(TIMEOUT, wait).await.map_err(|_| {
        anyhow!(
            "timed out after {} s waiting until {what}",
            TIMEOUT.as_secs()
        )
    })?
}
