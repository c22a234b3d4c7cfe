//! Watches whether Temporal can be used, for the log and the readiness of a worker. The SDK retries its polls meanwhile.

use std::{convert::Infallible, time::Duration};

use temporalio_client::Client;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    checkup::{CheckResult, CheckState, namespace},
    ports::health::Health,
    telemetry::rare::RareEvent,
};

/// Interval between two checks.
const INTERVAL: Duration = Duration::from_secs(10);
/// Timeout of a check.
const TIMEOUT: Duration = Duration::from_secs(15);

/// An error of Temporal, and its fix.
struct Problem {
    error: String,
    fix: String,
}

/// Checks at an interval until it is dropped.
pub(super) async fn watch(client: &Client, health: &Health) -> Infallible {
    loop {
        sleep(INTERVAL).await;
        if let Err(problem) = check(client).await {
            report_outage(client, health, problem).await;
        }
    }
}

/// Waits until Temporal can be used, for one interval at least.
pub(super) async fn until_usable(client: &Client) {
    loop {
        sleep(INTERVAL).await;
        if check(client).await.is_ok() {
            return;
        }
    }
}

/// Waits until Temporal can be used, and logs why it cannot.
async fn report_outage(client: &Client, health: &Health, mut problem: Problem) {
    let _wait = health.wait();
    let started_at = Instant::now();
    let outage_s = || started_at.elapsed().as_secs();
    let mut event = RareEvent::default();
    loop {
        let Problem { error, fix } = problem;
        if event.is_due(&error) {
            tracing::warn!(error, fix, outage_s = outage_s(), "waiting for Temporal");
        }
        sleep(INTERVAL).await;
        match check(client).await {
            Ok(()) => break,
            Err(still) => problem = still,
        }
    }
    tracing::info!(outage_s = outage_s(), "Temporal is available again");
}

/// Checks that the server responds and has the namespace.
async fn check(client: &Client) -> Result<(), Problem> {
    let checked = timeout(TIMEOUT, namespace::check(client)).await;
    match checked {
        Ok(CheckResult {
            state: CheckState::Failed,
            name,
            found,
            fix,
        }) => Err(Problem {
            error: format!("{name} {found}"),
            fix: fix.unwrap_or_default(),
        }),
        Ok(_) => Ok(()),
        Err(_) => Err(Problem {
            error: format!("no response within {} s", TIMEOUT.as_secs()),
            fix: "check the Temporal server and the network".to_owned(),
        }),
    }
}
