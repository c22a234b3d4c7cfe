//! Traces, exported by OTLP if the environment names a collector.
//!
//! The SDK creates the spans of workflows and activities; the spans of outbound requests are their children. No
//! attribute contains a URL or a key.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::global;
use opentelemetry_otlp::{
    ExporterBuildError, WithExportConfig, WithTonicConfig, tonic_types::transport::ClientTlsConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use parking_lot::Mutex;
use seedance_archiver_proto::external;
use temporalio_client::ClientOptions;
use temporalio_sdk::opentelemetry::{OpenTelemetryPlugin, WorkflowIdGenerator};

use super::rare::RareEvent;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Endpoint of traces only. Takes precedence over the general one.
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const DEFAULT_SERVICE_NAME: &str = env!("CARGO_PKG_NAME");

/// The tracer provider of this process. Empty if tracing is off.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts exporting traces if a collector is configured. `variable` looks up an environment variable. The
/// error begins with the name of the invalid variable.
pub(crate) fn start(variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let value_of = |name| variable(name).filter(|value| !value.trim().is_empty());
    let is_disabled =
        value_of(DISABLED).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let configured = [TRACES_ENDPOINT, ENDPOINT]
        .into_iter()
        .find_map(|name| Some((name, value_of(name)?)));
    let Some((name, endpoint)) = configured.filter(|_| !is_disabled) else {
        return Ok(());
    };
    // The exporter's error repeats the value, which may contain credentials.
    let exporter = exporter(endpoint.trim()).map_err(|_| {
        format!(
            "{name} must be the URL of a collector, such as `http://collector:4317`; with `https`, the system needs trusted \
             certificates"
        )
    })?;
    let resource = match value_of(SERVICE_NAME) {
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name(DEFAULT_SERVICE_NAME),
    };
    let provider = SdkTracerProvider::builder()
        // A replayed workflow must produce the same span ids.
        .with_id_generator(WorkflowIdGenerator::default())
        .with_resource(resource.build())
        .with_batch_exporter(exporter)
        .build();
    global::set_tracer_provider(PROVIDER.get_or_init(|| provider).clone());
    Ok(())
}

fn exporter(endpoint: &str) -> Result<LoggedExporter, ExporterBuildError> {
    let builder = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint);
    let is_https = endpoint.to_ascii_lowercase().starts_with("https:");
    let builder = match is_https {
        // By default, the exporter trusts no certificate at all.
        true => builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots()),
        false => builder,
    };
    Ok(LoggedExporter {
        exporter: builder.build()?,
        event: Mutex::default(),
    })
}

/// Logs that spans cannot be exported: the exporter tells nobody.
#[derive(Debug)]
struct LoggedExporter {
    exporter: opentelemetry_otlp::SpanExporter,
    event: Mutex<RareEvent>,
}

impl SpanExporter for LoggedExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        if let Err(error) = &exported {
            let error = external::message(&error.to_string());
            if self.event.lock().is_due(&error) {
                tracing::warn!(error, "cannot export traces");
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Exports the remaining spans and stops.
pub(crate) fn stop() {
    if let Some(Err(error)) = PROVIDER.get().map(SdkTracerProvider::shutdown) {
        tracing::warn!(%error, "cannot export the last traces");
    }
}

/// Returns options for a client that traces its calls, and the workflows and activities of its workers. Without
/// a collector, returns them unchanged.
pub(crate) fn with_tracing(client: ClientOptions) -> ClientOptions {
    if PROVIDER.get().is_none() {
        return client;
    }
    ClientOptions::new(client.namespace)
        .data_converter(client.data_converter)
        .plugin(OpenTelemetryPlugin::builder().build())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_collector_can_use_tls() {
        for endpoint in ["http://collector:4317", "https://collector.example"] {
            assert!(exporter(endpoint).is_ok(), "{endpoint}");
        }
        assert!(exporter("not a collector").is_err());
    }
}
