//! Checks of a worker before it polls: the configuration, the namespace and the archives.

use std::time::Duration;

use anyhow::bail;
use backon::{ConstantBuilder, Retryable};
use temporalio_client::Client;
use tokio::time::Instant;

use crate::{
    checkup::{CheckResult, CheckState, archives, namespace},
    cli::{exit_code::is_configuration_error, session},
    config::{Config, InvalidConfig, LoadedConfig},
    telemetry::{exporter::MetricsExporter, rare::RareEvent, traces},
    temporal::connection,
};

/// Returns the configuration and logs its settings.
///
/// # Errors
///
/// Returns all errors of the configuration, including those of Temporal's settings and of tracing.
pub(super) fn configure(loaded: &LoadedConfig) -> Result<Config, InvalidConfig> {
    let temporal_settings = connection::settings(session::variable);
    let tracing_started = traces::start(session::variable);
    match (loaded.config(), temporal_settings, tracing_started) {
        (Ok(config), Ok(temporal_settings), Ok(())) => {
            let settings = temporal_settings
                .into_iter()
                .chain(loaded.settings.iter().cloned());
            let settings: Vec<_> = settings
                .map(|it| format!("{}={}", it.name, it.value))
                .collect();
            tracing::info!(settings = settings.join("; "), "configured");
            Ok(config)
        }
        (config, temporal_settings, tracing_started) => {
            let mut invalid = config.err().unwrap_or_default();
            let temporal = temporal_settings.err();
            let temporal = temporal.map(|error| format!("invalid Temporal configuration: {error}"));
            invalid.0.extend(temporal);
            invalid.0.extend(tracing_started.err());
            Err(invalid)
        }
    }
}

/// How long a worker waits for Temporal at its start. Then its orchestrator restarts it, or reports that it does not start.
const PATIENCE: Duration = Duration::from_secs(60);
/// Delay between two attempts to connect.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// Connects to Temporal and checks that the namespace exists. Retries for [`PATIENCE`], because Temporal may be starting
/// too.
///
/// # Errors
///
/// Returns an error if the connection's configuration is invalid, or the last error.
pub(super) async fn connect(exporter: &MetricsExporter) -> anyhow::Result<Client> {
    retry(PATIENCE, || try_connect(exporter)).await
}

/// Repeats `attempt` until it succeeds, its error is one of the configuration, or the time is over.
async fn retry<T, F>(patience: Duration, attempt: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let deadline = Instant::now() + patience;
    let mut event = RareEvent::default();
    let delays = ConstantBuilder::default()
        .with_delay(RETRY_DELAY)
        .without_max_times();
    attempt
        .retry(delays)
        .when(|error| !is_configuration_error(error) && Instant::now() + RETRY_DELAY < deadline)
        .notify(|error, _| {
            let error = error.to_string();
            if event.is_due(&error) {
                tracing::warn!(error, "waiting for Temporal");
            }
        })
        .await
}

async fn try_connect(exporter: &MetricsExporter) -> anyhow::Result<Client> {
    let (client, address) = connection::connect_with(exporter.meter()).await?;
    let CheckResult {
        state,
        name,
        found,
        fix,
    } = namespace::check(&client).await;
    if state == CheckState::Failed {
        bail!("{name} {found}: {}", fix.unwrap_or_default());
    }
    let namespace = &client.options().namespace;
    tracing::info!(address, namespace, "connected to Temporal");
    Ok(client)
}

/// Checks each archive and logs the result. A failed check does not stop the worker: transfers are retried
/// until the archive works.
pub(super) async fn check_archives(loaded: &LoadedConfig) -> anyhow::Result<()> {
    if !loaded.worker.queues.transfer {
        return Ok(());
    }
    for result in archives::check(loaded).await {
        let CheckResult {
            name: check,
            state,
            found,
            fix,
        } = result;
        match state {
            CheckState::Failed => tracing::error!(
                check,
                error = found,
                fix,
                "archive check failed; transfers are retried until the archive works"
            ),
            CheckState::Warning => {
                tracing::warn!(check, result = found, fix, "archive check warning")
            }
            CheckState::Ok | CheckState::Created => {
                tracing::info!(check, result = found, "checked the archive")
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns after how many attempts, and with which result, a retry ends.
    async fn retry_until(successful_attempt: usize) -> (usize, anyhow::Result<()>) {
        let mut attempts = 0;
        let result = retry(PATIENCE, || {
            attempts += 1;
            let result = match attempts == successful_attempt {
                true => Ok(()),
                false => Err(anyhow::anyhow!("no server")),
            };
            std::future::ready(result)
        });
        let result = result.await;
        (attempts, result)
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_is_repeated_until_it_succeeds() {
        let (attempts, result) = retry_until(20).await;
        assert!(attempts == 20 && result.is_ok(), "{attempts} {result:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_is_returned_after_a_minute() {
        let start = Instant::now();
        let (attempts, result) = retry_until(usize::MAX).await;
        assert_eq!(result.unwrap_err().to_string(), "no server");
        assert!(attempts > 20, "{attempts}");
        let waited = start.elapsed();
        assert!(
            waited <= PATIENCE && waited >= PATIENCE - 2 * RETRY_DELAY,
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_the_configuration_is_returned_at_once() {
        let start = Instant::now();
        let invalid = || std::future::ready(Err(InvalidConfig::default().into()));
        let result: anyhow::Result<()> = retry(PATIENCE, invalid).await;
        assert!(result.is_err() && start.elapsed().is_zero());
    }
}
