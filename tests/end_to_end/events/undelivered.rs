//! Events that are not delivered: the receiver refuses them, does not accept them for days, or the delivery is cancelled.

use std::sync::Arc;

use anyhow::ensure;
use axum::http::StatusCode;
use seedance_archiver_simulator::Script;

use super::delivery::{fixture, status};
use crate::{
    harness::{DAY, Server, deliveries::Delivery, receiver::Receiver, register},
    replay::replay,
};

/// A second lifecycle repeats a delivery that failed.
async fn a_receiver_can_refuse_an_event(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    receiver.answer([status(StatusCode::GONE)]);
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            ensure!(lifecycle.result().await?.outcome == "archived");
            let first = receiver.until_received(1).await?.remove(0);
            let delivery = Delivery::of(&server, &id, first.header("webhook-id")?);
            let failure = delivery.failure().await?;
            ensure!(
                failure.contains("WebhookFailed") && failure.contains("410 Gone"),
                "{failure}"
            );
            ensure!(receiver.received().len() == 1, "{:?}", receiver.received());

            let again = fixture.start_lifecycle(&server, &id).await?;
            again.result().await?;
            let second = receiver.until_received(2).await?.remove(1);
            ensure!(second.body == first.body, "another event");
            Ok(())
        })
        .await
}
register!(a_receiver_can_refuse_an_event);

async fn an_event_is_given_up_after_three_days(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    receiver.answer((0..1_000).map(|_| status(StatusCode::INTERNAL_SERVER_ERROR)));
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            lifecycle.result().await?;
            let delivery = Delivery::about(&server, &id).await?;
            delivery.until_waiting("500 Internal Server Error").await?;
            fixture.advance_clock(3 * DAY).await;
            let failure = delivery.failure().await?;
            ensure!(failure.contains("given up after"), "{failure}");
            replay(&delivery.history_json().await?).await
        })
        .await
}
register!(an_event_is_given_up_after_three_days);

async fn a_cancelled_delivery_ends_while_it_waits_for_the_receiver(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::reserve()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            lifecycle.result().await?;
            let delivery = Delivery::about(&server, &id).await?;
            delivery.until_waiting("no response").await?;
            delivery.cancel().await
        })
        .await
}
register!(a_cancelled_delivery_ends_while_it_waits_for_the_receiver);
