//! Waiting for conditions.

use std::time::Duration;

use anyhow::anyhow;

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) -> anyhow::Result<()> {
    until_async(what, || std::future::ready(Ok(condition()))).await
}

/// Waits until `condition` holds, or fails.
pub(crate) async fn until_async<F>(
    what: &str,
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let wait = async {
        while !condition().await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .map_err(|_| anyhow!("waited 60 s in vain until {what}"))?
}
