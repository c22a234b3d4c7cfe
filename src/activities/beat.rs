//! Heartbeats: what an attempt tells the server, whoever watches and the attempt after it.

use std::{convert::Infallible, time::Duration};

use temporalio_common::data_converters::TemporalSerializable;
use temporalio_sdk::activities::ActivityContext;

/// Tells it again and again, whatever the attempt waits for.
pub(super) async fn tell_on<T>(
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
        tell(ctx, details()).await;
    }
}

/// Tells it once.
pub(super) async fn tell<T>(ctx: &ActivityContext, details: T)
where
    T: TemporalSerializable + 'static,
{
    if let Err(error) = ctx.record_heartbeat(details).await {
        // A codec that does not answer can cause it. The server misses the heartbeat and starts again.
        tracing::error!(%error, "cannot heartbeat");
    }
}
