//! Waiting until a condition is true.

use std::time::Duration;

use anyhow::anyhow;

/// Far longer than any condition takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

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
    let wait = async {
        while !condition().await? {
            tokio::time::sleep(CHECK_INTERVAL).await;
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
