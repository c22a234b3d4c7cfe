//! Events of archived videos, and receivers that do not accept them at once.

use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use seedance_archiver::config::Secret;
use seedance_archiver_simulator::Script;
use serde_json::{Value, json};

use super::page;
use crate::{
    harness::{
        Fixture, HOUR, Server,
        deliveries::Delivery,
        lifecycle::{command_events, encoded_history, ensure_short_history},
        receiver::{KEY, Received, Receiver, TOKEN},
        register, tools, until_async,
    },
    replay::replay,
};

/// Another key of the webhook.
const OTHER_KEY: &str = "c2Vjb25kLWtleS1vZi10aGUtd2ViaG9vay0x";

/// Returns a fixture whose account posts its events to a receiver.
pub(super) async fn fixture(server: &Server, receiver: &Receiver) -> anyhow::Result<Fixture> {
    Fixture::with_account(server, |account| receiver.set_webhook(account)).await
}

pub(super) fn status(status: StatusCode) -> Response {
    status.into_response()
}

/// Checks that a text contains neither the URL of the webhook nor its key.
fn ensure_no_secret(text: &str) -> anyhow::Result<()> {
    let key = KEY.trim_start_matches("whsec_");
    for secret in [TOKEN, key, OTHER_KEY, "/events?"] {
        ensure!(!text.contains(secret), "{secret} in {text}");
    }
    Ok(())
}

async fn an_archived_video_is_reported_with_its_receipt(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    let (result, received) = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            let result = lifecycle.result().await?;
            ensure_short_history(&server, &lifecycle).await?;
            Ok((result, receiver.until_received(1).await?))
        })
        .await?;
    let manifest = result.manifest.context("no receipt")?;
    let request = &received[0];
    ensure!(request.uri == format!("/events?token={TOKEN}"));
    ensure!(request.header("content-type")? == "application/cloudevents+json");
    let event = request.event()?;
    ensure!(request.header("webhook-id")? == event["id"], "{event:#}");
    for (attribute, expected) in [
        ("specversion", "1.0"),
        ("source", "/seedance-archiver/accounts/default"),
        ("type", "seedance-archiver.video.archived"),
        ("subject", id.as_str()),
    ] {
        ensure!(event[attribute] == expected, "{attribute}: {event:#}");
    }
    let data = &event["data"];
    ensure!(data["manifest_url"] == manifest.manifest_url, "{data:#}");
    ensure!(
        data["outcome"] == "archived" && data["task_id"] == id,
        "{data:#}"
    );
    ensure!(data["model"] == manifest.model, "{data:#}");
    let (object, archived) = (&data["objects"][0], &manifest.objects[0]);
    ensure!(
        object["sha256"] == archived.sha256 && object["size_bytes"] == archived.size_bytes,
        "{data:#}"
    );
    let example = page::blocks("## Webhook", "json")?.concat();
    let example: Value = serde_json::from_str(&example)?;
    for part in ["", "/data", "/data/objects/0"] {
        let names = |event: &Value| -> Vec<String> {
            let fields = event.pointer(part).and_then(Value::as_object);
            fields
                .into_iter()
                .flat_map(|it| it.keys().cloned())
                .collect()
        };
        let (shown, sent) = (names(&example), names(&event));
        ensure!(
            shown == sent && !sent.is_empty(),
            "the page has {shown:?}, sent {sent:?}"
        );
    }
    let text = event.to_string();
    for absent in ["checks", "prompt", "X-Tos", "http://", "sealed:"] {
        ensure!(!text.contains(absent), "{absent} in {text}");
    }
    Ok(())
}
register!(an_archived_video_is_reported_with_its_receipt);

async fn every_key_signs_the_request(server: Arc<Server>) -> anyhow::Result<()> {
    let python = tools::python_example()?;
    let receiver = Receiver::start()?;
    let mut fixture = fixture(&server, &receiver).await?;
    fixture.change_account(|account| {
        if let Some(webhook) = &mut account.webhook {
            webhook.keys = Secret::from(format!("{KEY}\n{OTHER_KEY}"));
        }
    })?;
    let id = fixture.simulator.create(Script::default());
    fixture.run_lifecycle(&server, &id).await?;
    let request = fixture
        .with_worker(&server, receiver.until_received(1))
        .await?
        .remove(0);
    for key in [KEY, OTHER_KEY] {
        ensure!(
            page::is_signed(&python, key, &request).await?,
            "{request:?}"
        );
    }
    let wrong = "bm8ta2V5LW9mLXRoZS13ZWJob29rLTEyMzQ1Njc4";
    ensure!(!page::is_signed(&python, wrong, &request).await?, "any key");
    let changed = Received {
        body: Bytes::from(String::from_utf8(request.body.to_vec())?.replace("archived", "lost")),
        ..request
    };
    ensure!(!page::is_signed(&python, KEY, &changed).await?, "any body");
    Ok(())
}
register!(every_key_signs_the_request, needs = [python_example]);

async fn an_event_waits_until_the_receiver_is_up(server: Arc<Server>) -> anyhow::Result<()> {
    let mut receiver = Receiver::reserve()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            ensure!(lifecycle.result().await?.outcome == "archived");
            let delivery = Delivery::about(&server, &id).await?;
            let message = delivery
                .until_waiting("no response from the receiver")
                .await?;
            ensure!(message.contains("next attempt in"), "{message}");
            ensure_no_secret(&message)?;
            receiver.listen()?;
            let delivered = delivery.result().await?;
            ensure!(
                delivered.status == 204 && delivered.attempts > 1,
                "{delivered:?}"
            );
            receiver.ensure_one_event()?;
            let history = delivery.history().await?;
            ensure!(history.contains("manifest_url"), "no event in the history");
            ensure_no_secret(&history)?;
            ensure_no_secret(&encoded_history(&server, &id).await?)
        })
        .await
}
register!(an_event_waits_until_the_receiver_is_up);

async fn the_receiver_says_when_to_retry(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let busy = (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::RETRY_AFTER, "4")],
        format!("try {TOKEN} later"),
    );
    receiver.answer([busy.into_response()]);
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let first = receiver.until_received(1).await?.remove(0);
            let delivery = Delivery::of(&server, &id, first.header("webhook-id")?);
            let message = delivery.until_waiting("503 Service Unavailable").await?;
            // The first delay would be 1 s.
            ensure!(message.ends_with("; next attempt in 4 s"), "{message}");
            ensure_no_secret(&message)?;
            let second = receiver.until_received(2).await?.remove(1);
            ensure!(second.body == first.body, "the event changed");
            let [first, second] = [&first, &second].map(|it| it.header("webhook-timestamp"));
            ensure!(first? != second?, "the time is that of the first request");
            ensure!(delivery.result().await?.attempts >= 2);
            Ok(())
        })
        .await
}
register!(the_receiver_says_when_to_retry);

async fn a_redirect_is_not_followed(server: Arc<Server>) -> anyhow::Result<()> {
    let (receiver, other) = (Receiver::start()?, Receiver::start()?);
    let redirect = (
        StatusCode::TEMPORARY_REDIRECT,
        [(header::LOCATION, other.url())],
    );
    receiver.answer([redirect.into_response()]);
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let delivery = Delivery::about(&server, &id).await?;
            ensure!(delivery.result().await?.attempts >= 2);
            ensure!(receiver.received().len() >= 2, "{:?}", receiver.received());
            ensure!(other.received().is_empty(), "{:?}", other.received());
            ensure_no_secret(&delivery.history().await?)?;
            replay(&delivery.history_json().await?).await
        })
        .await
}
register!(a_redirect_is_not_followed);

/// The receiver was down for hours, and then the event reaches a worker that has the settings no longer, or not yet.
async fn an_event_outlasts_a_worker_without_the_webhook(server: Arc<Server>) -> anyhow::Result<()> {
    let mut receiver = Receiver::reserve()?;
    let mut fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    let delivery = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            lifecycle.result().await?;
            let delivery = Delivery::about(&server, &id).await?;
            delivery.until_waiting("no response").await?;
            fixture.advance_clock(2 * HOUR).await;
            Ok(delivery)
        })
        .await?;
    fixture.change_account(|account| account.webhook = None)?;
    fixture
        .with_worker(&server, async {
            let message = delivery.until_waiting("has no webhook").await?;
            ensure!(message.contains("next attempt in"), "{message}");
            Ok(())
        })
        .await?;
    fixture.change_account(|account| receiver.set_webhook(account))?;
    receiver.listen()?;
    fixture
        .with_worker(&server, async {
            ensure!(delivery.result().await?.status == 204);
            Ok(())
        })
        .await
}
register!(an_event_outlasts_a_worker_without_the_webhook);

/// More events than a worker posts at once, to a receiver that does not respond.
async fn a_slow_receiver_holds_up_no_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    receiver.hold(true);
    let fixture = fixture(&server, &receiver).await?;
    fixture
        .with_worker(&server, async {
            let mut lifecycles = Vec::new();
            for _ in 0..5 {
                let id = fixture.simulator.create(Script::default());
                let lifecycle = fixture.start_lifecycle(&server, &id).await?;
                lifecycles.push((id, lifecycle));
            }
            for (_, lifecycle) in &lifecycles {
                ensure!(lifecycle.result().await?.outcome == "archived");
            }
            let mut deliveries = Vec::new();
            for (id, _) in &lifecycles {
                deliveries.push(Delivery::about(&server, id).await?);
            }
            until_async("a delivery waits for another one", || async {
                for delivery in &deliveries {
                    let failure = delivery.last_failure().await?;
                    if failure.starts_with("waiting for another delivery") {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await?;
            receiver.hold(false);
            for delivery in &deliveries {
                ensure!(delivery.result().await?.status == 204);
            }
            Ok(())
        })
        .await
}
register!(a_slow_receiver_holds_up_no_lifecycle);

async fn two_lifecycles_of_a_task_report_its_video_once(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let first = fixture.start_lifecycle(&server, &id).await?;
            first.result().await?;
            let delivery = Delivery::about(&server, &id).await?;
            delivery.result().await?;
            let run = delivery.run_id().await?;
            let second = fixture.start_lifecycle(&server, &id).await?;
            second.result().await?;
            // The delivery is started before the lifecycle ends.
            ensure!(delivery.run_id().await? == run, "another delivery");
            receiver.ensure_one_event()?;
            Ok(())
        })
        .await
}
register!(two_lifecycles_of_a_task_report_its_video_once);

async fn without_a_webhook_no_event_is_sent(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let mut fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    fixture.run_lifecycle(&server, &id).await?;
    let without = command_events(&server, &id).await?;

    fixture.change_account(|account| receiver.set_webhook(account))?;
    let other = fixture.simulator.create(Script::default());
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &other).await?;
            lifecycle.result().await?;
            let with = command_events(&server, &other).await?;
            ensure!(with == without, "{with:?}, without a webhook {without:?}");
            let received = receiver.until_received(1).await?;
            ensure!(received[0].event()?["subject"] == other, "{received:?}");
            // A worker with a webhook reports it, because no event was sent before.
            let again = fixture.start_lifecycle(&server, &id).await?;
            again.result().await?;
            let event = receiver.until_received(2).await?.remove(1).event()?;
            ensure!(event["subject"] == json!(id), "{event:#}");
            Ok(())
        })
        .await
}
register!(without_a_webhook_no_event_is_sent);
