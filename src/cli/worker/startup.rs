//! Checks of a worker before it polls: the configuration, the namespace and the archives.

use anyhow::bail;
use temporalio_client::{
    Client,
    tonic::{Code, Status},
};

use crate::{
    checkup::{CheckResult, CheckState, archives, namespace},
    cli::{exit_code::ConfigurationError, session},
    config::{Config, InvalidConfig, LoadedConfig},
    telemetry::{exporter::MetricsExporter, traces},
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

/// Connects to Temporal and checks that the namespace exists.
///
/// # Errors
///
/// [`ConfigurationError`] if the namespace does not exist or denies access.
pub(super) async fn connect(exporter: &MetricsExporter) -> anyhow::Result<Client> {
    let (client, address) = connection::connect_with(exporter.meter()).await?;
    let described = namespace::describe(&client).await;
    match described.as_ref().map_err(Status::code) {
        Ok(()) => {
            let namespace = &client.options().namespace;
            tracing::info!(address, namespace, "connected to Temporal");
            Ok(client)
        }
        Err(Code::NotFound | Code::Unauthenticated | Code::PermissionDenied) => {
            let result = namespace::check_result(&client, described);
            Err(ConfigurationError(one_line(&result)).into())
        }
        // Not an error of the configuration: restarting the worker may help.
        Err(_) => bail!("{}", one_line(&namespace::check_result(&client, described))),
    }
}

fn one_line(result: &CheckResult) -> String {
    let fix = result.fix.as_deref().unwrap_or_default();
    format!("{} {}: {fix}", result.name, result.found)
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
