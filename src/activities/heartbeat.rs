//! Heartbeats of activities. They carry the progress, and the state for the next attempt.

use std::{convert::Infallible, time::Duration};

use temporalio_common::data_converters::{TemporalDeserializable, TemporalSerializable};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

use super::{failure, next_attempt};

/// Returns the details of the last heartbeat of an earlier attempt, or `None` if there are none or this version
/// cannot read them.
pub(super) fn last_details<T: TemporalDeserializable + 'static>(
    ctx: &ActivityContext,
) -> Option<T> {
    ctx.heartbeat_details().deserialize().ok().flatten()
}

/// Interval between two heartbeats of an activity that has no progress to report. A short one ends before the first.
const INTERVAL: Duration = Duration::from_secs(5);

/// Does some work, and heartbeats meanwhile, so that the server notices if the worker dies.
pub(super) async fn during<T, D>(
    ctx: &ActivityContext,
    details: impl Fn() -> D,
    work: impl Future<Output = T>,
) -> T
where
    D: TemporalSerializable + 'static,
{
    tokio::select! {
        output = work => output,
        never = record_every(ctx, INTERVAL, details) => match never {},
    }
}

/// Does some work as [`during`] does, and abandons it if the worker shuts down: another attempt repeats it, so that a store or
/// a service that does not respond holds up no shutdown.
///
/// # Errors
///
/// Returns the failure after which another attempt follows at once.
pub(super) async fn until_shutdown<T, D>(
    ctx: &ActivityContext,
    details: impl Fn() -> D,
    work: impl Future<Output = T>,
) -> Result<T, ActivityError>
where
    D: TemporalSerializable + 'static,
{
    tokio::select! {
        output = during(ctx, details, work) => Ok(output),
        () = abandoned(ctx) => {
            let message = "the worker shuts down; another attempt follows".to_owned();
            Err(failure::still_waiting(message, Duration::ZERO))
        }
    }
}

/// Waits until the attempt is cancelled and another one can follow. If the activity itself is cancelled, the work may still
/// have a result.
async fn abandoned(ctx: &ActivityContext) {
    ctx.cancelled().await;
    if !next_attempt::is_possible(ctx).await {
        std::future::pending().await
    }
}

/// Heartbeats at an interval until it is dropped.
pub(super) async fn record_every<T>(
    ctx: &ActivityContext,
    interval: Duration,
    details: impl Fn() -> T,
) -> Infallible
where
    T: TemporalSerializable + 'static,
{
    loop {
        tokio::time::sleep(interval).await;
        record(ctx, details()).await;
    }
}

/// Heartbeats once.
pub(super) async fn record<T>(ctx: &ActivityContext, details: T)
where
    T: TemporalSerializable + 'static,
{
    if let Err(error) = ctx.record_heartbeat(details).await {
        // For example, the codec server does not respond. If heartbeats fail until the heartbeat timeout, the
        // server starts another attempt.
        tracing::error!(%error, "cannot heartbeat");
    }
}
