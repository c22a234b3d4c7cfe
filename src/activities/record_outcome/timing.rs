//! How long an attempt waits for the store.

use std::time::Duration;

use seedance_archiver_clock::Clock;
use seedance_archiver_proto::v1::OutcomeRecord;
use temporalio_sdk::activities::ActivityContext;
use tokio::time::timeout;

use super::super::{failure, transfer_error::TransferError};

/// Part of the time for all attempts that an attempt has at least for the store.
const LATE_SHARE: u32 = 8;

/// Waits for the store only as long as the event of the ending can: a store that accepts a request and does not respond
/// would hold the attempt until the lifecycle ends.
pub(super) async fn in_time(
    ctx: &ActivityContext,
    record: impl Future<Output = Result<OutcomeRecord, TransferError>>,
) -> Result<OutcomeRecord, TransferError> {
    let limit = times(ctx).map_or(Duration::MAX, store_time);
    timeout(limit, record).await.unwrap_or_else(|_| {
        let message = format!(
            "archive store error: the outcome was not recorded within {}",
            failure::seconds(limit)
        );
        Err(TransferError::retryable(
            message,
            failure::STORE_UNAVAILABLE,
        ))
    })
}

/// Returns how long an attempt that starts now waits for the store: until half of the time has passed, or for a short
/// time if that is later, so that the time suffices to start the delivery again if that fails.
fn store_time(Times { waited, all }: Times) -> Duration {
    (all / 2).saturating_sub(waited).max(all / LATE_SHARE)
}

/// Returns whether half of the time for all attempts has passed: the event is then sent without an `outcome.json`, because
/// the store may not accept it before the lifecycle ends.
pub(super) fn is_late(ctx: &ActivityContext) -> bool {
    times(ctx).is_some_and(|Times { waited, all }| waited >= all / 2)
}

/// The time of the activity.
#[derive(Clone, Copy)]
struct Times {
    /// Time since the first attempt was due.
    waited: Duration,
    /// Time for all attempts.
    all: Duration,
}

/// Returns the time of the activity, `None` if it is not limited.
fn times(ctx: &ActivityContext) -> Option<Times> {
    let info = ctx.info();
    let (scheduled_at, deadline) = (info.scheduled_time?, info.deadline?);
    // The times are the server's, so a clock that a test advanced does not count.
    let waited = Clock::default().now().duration_since(scheduled_at);
    let all = deadline.duration_since(scheduled_at);
    Some(Times {
        waited: waited.unwrap_or_default(),
        all: all.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_leaves_time_to_start_the_delivery() {
        let limit = |waited| {
            store_time(Times {
                waited: Duration::from_secs(waited),
                all: Duration::from_secs(120),
            })
        };
        let limits = [0, 40, 59, 60, 75, 200].map(limit);
        assert_eq!(limits, [60, 20, 15, 15, 15, 15].map(Duration::from_secs));
    }
}
