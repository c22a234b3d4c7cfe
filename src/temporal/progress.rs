//! Reports progress while a workflow runs.

use std::time::Duration;

/// Interval between two progress reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(400);

/// Waits for `result`, and calls `report` at a fixed interval until then.
pub(crate) async fn report_until<T>(
    result: impl Future<Output = T>,
    mut report: impl AsyncFnMut(),
) -> T {
    let mut ticks = tokio::time::interval(REPORT_INTERVAL);
    tokio::pin!(result);
    loop {
        tokio::select! {
            result = &mut result => return result,
            _ = ticks.tick() => report().await,
        }
    }
}
