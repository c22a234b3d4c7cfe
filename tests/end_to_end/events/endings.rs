//! Events of lifecycles that end without a video.

use std::sync::Arc;

use anyhow::{Context, ensure};
use seedance_archiver_simulator::{Ending, Script};
use serde_json::Value;
use temporalio_client::WorkflowCancelOptions;

use crate::{
    harness::{
        Fixture, HOUR, Server,
        lifecycle::until_waiting,
        proxied_bucket::ProxiedBucket,
        receiver::{KEY, Receiver},
        register,
        s3_proxy::Dialect,
        until_async,
    },
    operations::process::WorkerProcess,
};

async fn fixture(server: &Server, receiver: &Receiver) -> anyhow::Result<Fixture> {
    Fixture::with_account(server, |account| receiver.set_webhook(account)).await
}

/// Checks an event without a video, and that the `outcome.json` that it names exists.
fn check(event: &Value, id: &str, outcome: &str, reason: &str) -> anyhow::Result<()> {
    let kind = format!("seedance-archiver.video.{outcome}");
    ensure!(event["type"] == kind && event["subject"] == id, "{event:#}");
    let data = &event["data"];
    ensure!(
        data["outcome"] == outcome && data["reason"] == reason,
        "{event:#}"
    );
    ensure!(
        data["objects"].is_null() && data["manifest_url"].is_null(),
        "{event:#}"
    );
    let url = data["outcome_url"].as_str().context("no outcome_url")?;
    let path = url.strip_prefix("file://").context("not a local URL")?;
    let record: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    ensure!(record["reason"] == reason, "{record:#}");
    let message = record["message"].as_str().context("no message")?;
    ensure!(!event.to_string().contains(message), "{event:#}");
    Ok(())
}

async fn an_unsuccessful_task_is_reported_with_its_reason(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            fixture.start_lifecycle(&server, &id).await?;
            let event = receiver.until_received(1).await?[0].event()?;
            let reason = "OutputVideoSensitiveContentDetected";
            check(&event, &id, "unsuccessful", reason)?;
            ensure!(event["data"]["model"].is_string(), "{event:#}");
            Ok(())
        })
        .await
}
register!(an_unsuccessful_task_is_reported_with_its_reason);

async fn a_lost_video_is_reported_although_the_lifecycle_fails(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(Default::default()),
        running: Some(30 * 24 * HOUR),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            fixture.close_query_window().await;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "lost", "{result:?}");
            let event = receiver.until_received(1).await?[0].event()?;
            check(&event, &id, "lost", &result.reason)
        })
        .await
}
register!(a_lost_video_is_reported_although_the_lifecycle_fails);

/// The outcome of a task may change. Each outcome is an event.
async fn a_cancelled_lifecycle_and_its_video_are_two_events(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        running: Some(Default::default()),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            let options = WorkflowCancelOptions::default();
            server.lifecycle(&id).cancel(options).await?;
            let result = lifecycle.result().await?;
            let first = receiver.until_received(1).await?[0].event()?;
            check(&first, &id, "unknown", &result.reason)?;

            fixture.advance_clock(HOUR).await;
            let again = fixture.start_lifecycle(&server, &id).await?;
            ensure!(again.result().await?.outcome == "archived");
            let second = receiver.until_received(2).await?[1].event()?;
            ensure!(second["data"]["outcome"] == "archived", "{second:#}");
            ensure!(second["id"] != first["id"], "{second:#}");
            Ok(())
        })
        .await
}
register!(a_cancelled_lifecycle_and_its_video_are_two_events);

/// The lifecycle ends without an `outcome.json`, because the store stays down.
async fn an_outcome_that_cannot_be_recorded_is_reported(server: Arc<Server>) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let _blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            fixture.polled(&id, 1).await?;
            let options = WorkflowCancelOptions::default();
            server.lifecycle(&id).cancel(options).await?;
            let event = receiver.until_received(1).await?[0].event()?;
            let data = &event["data"];
            ensure!(data["reason"] == "cancelled_by_caller", "{event:#}");
            ensure!(data["outcome_url"].is_null(), "{event:#}");
            let result = lifecycle.result().await?;
            ensure!(result.message.contains("outcome.json failed"), "{result:?}");
            receiver.ensure_one_event()?;
            Ok(())
        })
        .await
}
register!(an_outcome_that_cannot_be_recorded_is_reported, takes_long);

/// The store responds to no request, for longer than a cancelled lifecycle waits.
async fn an_outcome_is_reported_although_the_store_hangs(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let proxied = ProxiedBucket::start("videos").await?;
    let receiver_url = receiver.url();
    let mut environment = proxied.environment();
    environment.extend([
        ("SEEDANCE_WEBHOOK_URL", receiver_url.as_str()),
        ("SEEDANCE_WEBHOOK_KEY", KEY),
    ]);
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        queued: Some(HOUR),
        ..Script::default()
    });
    let _worker = fixture.spawn_worker_with(&server, &environment)?;
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    fixture.polled(&id, 1).await?;
    proxied.proxy.set("/videos", Dialect::HoldsReads);
    let options = WorkflowCancelOptions::default();
    server.lifecycle(&id).cancel(options).await?;
    let event = receiver.until_received(1).await?[0].event()?;
    let data = &event["data"];
    ensure!(data["reason"] == "cancelled_by_caller", "{event:#}");
    ensure!(data["outcome_url"].is_null(), "{event:#}");
    proxied.proxy.set("/videos", Dialect::None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "unknown", "{result:?}");
    receiver.ensure_one_event()
}
register!(
    an_outcome_is_reported_although_the_store_hangs,
    needs = [minio],
    takes_long
);

/// The store is down when the task fails, and somebody cancels the lifecycle that waits for it.
async fn an_outcome_is_reported_although_its_lifecycle_is_cancelled(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let fixture = fixture(&server, &receiver).await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    fixture
        .with_worker(&server, async {
            let blocked = fixture.block_archive()?;
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            let options = WorkflowCancelOptions::default();
            server.lifecycle(&id).cancel(options).await?;
            blocked.end()?;
            let event = receiver.until_received(1).await?[0].event()?;
            ensure!(
                event["data"]["reason"] != "cancelled_by_caller",
                "{event:#}"
            );
            ensure!(
                event["type"].to_string().contains("unsuccessful"),
                "{event:#}"
            );
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "unsuccessful", "{result:?}");
            receiver.ensure_one_event()?;
            Ok(())
        })
        .await
}
register!(
    an_outcome_is_reported_although_its_lifecycle_is_cancelled,
    takes_long
);

/// The lifecycle is cancelled while the store does not answer an attempt to record its ending. Temporal accepts no second
/// activity with the id of one that is running.
async fn an_outcome_is_recorded_although_an_attempt_hangs(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let proxied = ProxiedBucket::start("videos").await?;
    let id = fixture.simulator.create(Script {
        ending: Ending::Failed,
        ..Script::default()
    });
    let worker = WorkerProcess::start(&fixture, &server, &proxied.environment())?;
    worker.wait_for_log("polling").await?;
    proxied.proxy.set("/videos", Dialect::HoldsReads);
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let recording = async |id: &str| {
        let pending = lifecycle.describe().await?.and_then(|it| it.pending);
        Ok(pending.is_some_and(|pending| pending.is_running && pending.activity == id))
    };
    until_async("the ending is being recorded", || recording("record")).await?;
    let options = WorkflowCancelOptions::default();
    server.lifecycle(&id).cancel(options).await?;
    until_async("it is being recorded again", || recording("record-again")).await?;
    proxied.proxy.set("/videos", Dialect::None);
    let result = lifecycle.result().await?;
    ensure!(result.outcome == "unsuccessful", "{result:?}");
    Ok(())
}
register!(
    an_outcome_is_recorded_although_an_attempt_hangs,
    needs = [minio]
);

/// The cancelled lifecycle finds the receipt of another one when it writes its `outcome.json`.
async fn a_cancelled_lifecycle_of_an_archived_video_reports_the_video(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let receiver = Receiver::start()?;
    let mut fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script::default());
    let archived = fixture.run_lifecycle(&server, &id).await?;
    let manifest = archived.manifest.context("no receipt")?;

    fixture.change_account(|account| receiver.set_webhook(account))?;
    // Nothing polls, so that the lifecycle is cancelled before it finds the receipt.
    let lifecycle = fixture.start_lifecycle(&server, &id).await?;
    let options = WorkflowCancelOptions::default();
    server.lifecycle(&id).cancel(options).await?;
    fixture
        .with_worker(&server, async {
            let result = lifecycle.result().await?;
            let event = receiver.until_received(1).await?[0].event()?;
            ensure!(result.outcome == "archived", "{result:?}");
            let url = &event["data"]["manifest_url"];
            ensure!(*url == manifest.manifest_url, "{event:#}");
            Ok(())
        })
        .await
}
register!(a_cancelled_lifecycle_of_an_archived_video_reports_the_video);
