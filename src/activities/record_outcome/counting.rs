//! Counts the end of a lifecycle.

use temporalio_sdk::activities::ActivityContext;

use super::{super::heartbeat, progress::RecordProgress};
use crate::telemetry;

/// Counts the end of the lifecycle once, in the first attempt that gets here.
pub(super) async fn count(ctx: &ActivityContext, account: &str, outcome: &str) {
    let earlier = RecordProgress::last(ctx);
    if !earlier.is_counted {
        telemetry::record::lifecycle_end(account, outcome);
        let progress = RecordProgress {
            is_counted: true,
            ..earlier
        };
        heartbeat::record(ctx, progress).await;
    }
}
