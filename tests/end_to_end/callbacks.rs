//! Callbacks from Seedance, received by the worker's ingress.

mod shutdown;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use futures::future::join_all;
use reqwest::{Response, StatusCode};
use seedance_archiver::{
    config::{Account, Callbacks, Secret},
    worker::Worker,
};
use seedance_archiver_simulator::{Fault, Script};
use serde_json::json;
use temporalio_client::{WorkflowDescribeOptions, errors::WorkflowInteractionError};

use crate::harness::{
    Fixture, HOUR, Server,
    lifecycle::{encoded_history, ensure_short_history, until_running},
    register, until, until_async,
};

const TOKEN: &str = "a-token-of-32-characters-1234567";
/// A poll interval longer than any test, so that only a callback triggers a poll.
const POLL_INTERVAL: Duration = Duration::from_secs(3600);

/// Returns a fixture that accepts callbacks. Without a callback, it polls each task only once.
async fn callback_fixture(server: &Server, start_lifecycles: bool) -> anyhow::Result<Fixture> {
    let change = |account: &mut Account| {
        account.schedule.min_interval = POLL_INTERVAL;
        account.schedule.max_interval = POLL_INTERVAL;
        account.callbacks = Some(Callbacks {
            token: Secret::from(TOKEN.to_owned()),
            start_lifecycles,
            url: None,
        });
    };
    let mut fixture = Fixture::with_account(server, change).await?;
    fixture.config.ingress_address = Some(([127, 0, 0, 1], 0).into());
    Ok(fixture)
}

/// Runs a worker until `work` completes, and passes the callback URL to `work`.
async fn with_ingress<T, F>(
    server: &Server,
    fixture: &Fixture,
    work: impl FnOnce(String) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let worker = fixture.worker(server).await?;
    let url = callback_url(&worker)?;
    worker.run_during(work(url)).await?
}

fn callback_url(worker: &Worker<'_>) -> anyhow::Result<String> {
    let address = worker
        .ingress_address()
        .context("the worker has no ingress")?;
    Ok(format!("http://{address}/callbacks/default/{TOKEN}"))
}

/// Sends a callback, and repeats it while it was not handled in time, as the service does.
async fn send_callback(url: &str, body: impl Into<String>) -> anyhow::Result<Response> {
    let body = body.into();
    loop {
        let response = send_callback_once(url, body.clone()).await?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE {
            return Ok(response);
        }
    }
}

async fn send_callback_once(url: &str, body: impl Into<String>) -> anyhow::Result<Response> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    Ok(http.post(url).body(body.into()).send().await?)
}

async fn a_callback_replaces_polling(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    let id = with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script {
                queued: Some(HOUR),
                running: Some(HOUR),
                callback_url: Some(url),
                ..Script::default()
            });
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until("the task was polled", || {
                fixture.simulator.stats(&id).queries > 0
            })
            .await?;
            fixture.advance_clock(HOUR).await;
            until_running(&lifecycle).await?;
            fixture.advance_clock(HOUR).await;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            ensure_short_history(server, &lifecycle).await?;
            Ok(id)
        }
    })
    .await?;
    // One callback for each status. The service repeats a callback that is not answered in time, so there may be more.
    let callbacks = fixture.simulator.stats(&id).callbacks;
    ensure!(callbacks >= 3, "{callbacks} callbacks");
    // The record is delivered with the task, and passed on to the transfer.
    let history = encoded_history(&server, &id).await?;
    let records = history.matches("sealed-record:v1:").count();
    ensure!(records == 2, "{records} sealed records in the history");
    Ok(())
}
register!(a_callback_replaces_polling);

/// The service repeats a callback that is not answered in time.
async fn a_repeated_callback_is_delivered_once(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script {
                queued: Some(HOUR),
                running: Some(HOUR),
                ..Script::default()
            });
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until("the task was polled", || {
                fixture.simulator.stats(&id).queries > 0
            })
            .await?;
            fixture.advance_clock(HOUR).await;
            let callback = || send_callback(&url, json!({"id": id}).to_string());
            let mut effects = Vec::new();
            for response in join_all((0..8).map(|_| callback())).await {
                effects.push(response?.text().await?);
            }
            // None says so if the delivery took longer than the service waits.
            let delivered = effects.iter().filter(|it| it.contains("delivered"));
            ensure!(delivered.count() <= 1, "{effects:?}");
            until_running(&lifecycle).await?;
            fixture.advance_clock(HOUR).await;
            let response = send_callback(&url, json!({"id": id}).to_string()).await?;
            ensure!(response.status() == StatusCode::OK, "{response:?}");
            lifecycle.result().await?;
            ensure_short_history(server, &lifecycle).await
        }
    })
    .await
}
register!(a_repeated_callback_is_delivered_once);

async fn a_callback_starts_the_lifecycle_of_an_unregistered_task(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, true).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script::default());
            until("the task has succeeded", || {
                fixture.simulator.status(&id) == Some("succeeded")
            })
            .await?;
            let record = json!({"id": id, "status": "failed"}).to_string();
            let response = send_callback(&url, &record).await?;
            ensure!(response.status() == StatusCode::OK, "{response:?}");
            let lifecycle = server.lifecycle(&id);
            let result = lifecycle
                .get_result(Default::default())
                .await?
                .into_message();
            ensure!(
                result.outcome == "archived",
                "the status in the callback was trusted: {result:?}"
            );

            let run = server.run_id(&id).await?;
            let again = send_callback(&url, &record).await?;
            ensure!(again.status() == StatusCode::OK, "{again:?}");
            ensure!(
                server.run_id(&id).await? == run,
                "a second lifecycle was started"
            );
            Ok(())
        }
    })
    .await
}
register!(a_callback_starts_the_lifecycle_of_an_unregistered_task);

/// A terminated lifecycle has no outcome, so the callback starts another one.
async fn a_callback_restarts_a_terminated_lifecycle(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, true).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script::default());
            fixture.start_lifecycle(server, &id).await?;
            let lifecycle = server.lifecycle(&id);
            let terminated = server.run_id(&id).await?;
            lifecycle.terminate(Default::default()).await?;
            let response = send_callback(&url, json!({"id": id}).to_string()).await?;
            ensure!(response.status() == StatusCode::OK, "{response:?}");
            ensure!(
                server.run_id(&id).await? != terminated,
                "no lifecycle was started"
            );
            Ok(())
        }
    })
    .await
}
register!(a_callback_restarts_a_terminated_lifecycle);

/// The gateway wraps the record in an object with its own id.
async fn a_callback_wrapped_by_a_gateway_is_accepted(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script {
                queued: Some(HOUR),
                callback_url: Some(url),
                wrapped: true,
                ..Script::default()
            });
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until("the task was polled", || {
                fixture.simulator.stats(&id).queries > 0
            })
            .await?;
            fixture.advance_clock(2 * HOUR).await;
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        }
    })
    .await
}
register!(a_callback_wrapped_by_a_gateway_is_accepted);

async fn a_callback_starts_no_lifecycle_unless_configured_to(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script::default());
            let response = send_callback(&url, json!({"id": id}).to_string()).await?;
            ensure!(response.status() == StatusCode::NOT_FOUND, "{response:?}");
            assert_not_started(server, &id).await
        }
    })
    .await
}
register!(a_callback_starts_no_lifecycle_unless_configured_to);

/// Checks that a task has no lifecycle.
async fn assert_not_started(server: &Server, id: &str) -> anyhow::Result<()> {
    let lifecycle = server.lifecycle(id);
    match lifecycle.describe(WorkflowDescribeOptions::default()).await {
        Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
        other => anyhow::bail!(
            "the task has a lifecycle: {:?}",
            other.map(|description| description.status())
        ),
    }
}

async fn an_invalid_callback_is_rejected_without_side_effects(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, true).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script::default());
            let valid = json!({"id": id}).to_string();
            let url_with = |from: &str, to: &str| url.replace(from, to);
            let large = format!("{valid}{}", " ".repeat(300_000));
            for (url, body, status) in [
                (url_with("-1234567", "-1234568"), valid.clone(), 404),
                (url_with(TOKEN, "x"), valid.clone(), 404),
                (url_with("default", "other"), valid.clone(), 404),
                (url_with("/callbacks", ""), valid.clone(), 404),
                (url.clone(), String::new(), 400),
                (url.clone(), "[]".into(), 400),
                (url.clone(), r#"{"status": "succeeded"}"#.into(), 400),
                (url.clone(), r#"{"id": "../../x"}"#.into(), 400),
                (url.clone(), r#"{"id": "cgt-1"}"#.into(), 404),
                (url.clone(), large, 413),
            ] {
                let response = send_callback(&url, body.clone()).await?;
                ensure!(
                    response.status() == status,
                    "{url} {body:.80}: {response:?}"
                );
                let text = response.text().await?;
                ensure!(!text.contains(TOKEN), "{text}");
            }
            let http = reqwest::Client::builder().no_proxy().build()?;
            let response = http.get(&url).send().await?;
            ensure!(
                response.status() == StatusCode::METHOD_NOT_ALLOWED,
                "{response:?}"
            );
            ensure!(
                fixture.simulator.stats(&id).queries == 0,
                "the task was queried"
            );
            assert_not_started(server, &id).await
        }
    })
    .await
}
register!(an_invalid_callback_is_rejected_without_side_effects);

/// The service retries a callback unless the response is a 2xx.
async fn a_callback_that_cannot_be_verified_is_answered_with_503(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    with_ingress(&server, &fixture, |url| {
        let (fixture, server) = (&fixture, &server);
        async move {
            let id = fixture.simulator.create(Script::default());
            let lifecycle = fixture.start_lifecycle(server, &id).await?;
            until("the task has succeeded", || {
                fixture.simulator.status(&id) == Some("succeeded")
            })
            .await?;
            let record = json!({"id": id}).to_string();
            fixture.simulator.set_fault(Some(Fault::Unavailable));
            let response = send_callback_once(&url, &record).await?;
            ensure!(
                response.status() == StatusCode::SERVICE_UNAVAILABLE,
                "{response:?}"
            );
            fixture.simulator.set_fault(None);
            let response = send_callback(&url, &record).await?;
            ensure!(response.status() == StatusCode::OK, "{response:?}");
            let result = lifecycle.result().await?;
            ensure!(result.outcome == "archived", "{result:?}");
            Ok(())
        }
    })
    .await
}
register!(a_callback_that_cannot_be_verified_is_answered_with_503);

async fn a_burst_of_callbacks_is_rate_limited(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    with_ingress(&server, &fixture, |url| async move {
        let http = reqwest::Client::builder().no_proxy().build()?;
        until_async("a callback is rejected", || async {
            let burst = (0..200).map(|_| http.post(&url).body("{}").send());
            let responses = futures::future::try_join_all(burst).await?;
            let rejected = StatusCode::TOO_MANY_REQUESTS;
            Ok(responses
                .iter()
                .any(|response| response.status() == rejected))
        })
        .await
    })
    .await
}
register!(a_burst_of_callbacks_is_rate_limited);
