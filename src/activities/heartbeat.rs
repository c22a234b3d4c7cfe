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

/// Heartbeats at an interval until it is dropped.
pub(super) async fn record_every<T>(
    ctx: &ActivityContext,
    interval: Duration,
    details: impl Fn() -> T,
) -> Infallible
where
    T: TemporalSerializable + 'static,
{
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
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
