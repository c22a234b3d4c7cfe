//! Heartbeats of activities. They carry the progress, and the state for the next attempt.

use std::{convert::Infallible, time::Duration};

use temporalio_common::data_converters::{TemporalDeserializable, TemporalSerializable};
use temporalio_sdk::activities::ActivityContext;

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
