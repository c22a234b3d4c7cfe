//! Callbacks while the worker stops.

use std::sync::Arc;

use reqwest::StatusCode;
use seedance_archiver_simulator::{Fault, Script};
use serde_json::json;
use tokio::sync::oneshot;

use super::{callback_fixture, callback_url, send_callback_once};
use crate::harness::{Fixture, HOUR, Server, register, until, until_async};

/// On a busy machine, a callback may not be handled in time.
async fn a_callback_in_progress_is_handled_while_the_worker_stops(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = callback_fixture(&server, false).await?;
    until_async("a callback is handled during a shutdown", || async {
        Ok(status_during_shutdown(&server, &fixture).await? == StatusCode::OK)
    })
    .await
}
register!(a_callback_in_progress_is_handled_while_the_worker_stops);

/// Returns the response to a callback whose query of the API is answered when the worker is stopping.
async fn status_during_shutdown(server: &Server, fixture: &Fixture) -> anyhow::Result<StatusCode> {
    let worker = fixture.worker(server).await?;
    let url = callback_url(&worker)?;
    let health = worker.health().clone();
    let (stop, is_stopped) = oneshot::channel::<()>();
    let run = worker.run(async {
        // Dropping the sender ends the wait too, with an error.
        let _ = is_stopped.await;
    });
    let callback = async {
        let id = fixture.simulator.create(Script {
            queued: Some(HOUR),
            running: Some(HOUR),
            ..Script::default()
        });
        fixture.start_lifecycle(server, &id).await?;
        let queries = || fixture.simulator.stats(&id).queries;
        until("the task was polled", || queries() > 0).await?;
        fixture.advance_clock(HOUR).await;
        let polled = queries();
        fixture.simulator.set_fault(Some(Fault::LateResponse));
        let body = json!({"id": id}).to_string();
        let response = tokio::spawn(async move { send_callback_once(&url, body).await });
        until("the callback queries the task", || {
            queries() > polled || response.is_finished()
        })
        .await?;
        drop(stop);
        until("the worker is stopping", || {
            health.phase().to_string() == "draining"
        })
        .await?;
        fixture.simulator.set_fault(None);
        anyhow::Ok(response.await??.status())
    };
    let (ended, status) = tokio::join!(run, callback);
    ended?;
    status
}
