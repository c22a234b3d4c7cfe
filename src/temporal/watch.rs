//! Waiting for something in Temporal, with an eye on it.

use std::time::Duration;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// Waits for `result`, and looks again and again until then. A look that fails shows nothing; what counts
/// is the result.
pub(crate) async fn watching<T>(result: impl Future<Output = T>, mut look: impl AsyncFnMut()) -> T {
    let mut ticks = tokio::time::interval(LOOK);
    tokio::pin!(result);
    loop {
        tokio::select! {
            result = &mut result => return result,
            _ = ticks.tick() => look().await,
        }
    }
}
