//! Traces, exported by OTLP if the environment names a collector.
//!
//! The SDK creates the spans of workflows and activities; the spans of outbound requests are their children. No
//! attribute contains a URL or a key.

use std::sync::OnceLock;

use opentelemetry::global;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use temporalio_client::ClientOptions;
use temporalio_sdk::opentelemetry::{OpenTelemetryPlugin, WorkflowIdGenerator};

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
        format!("{name} must be the URL of a collector, such as `http://collector:4317`")
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

fn exporter(endpoint: &str) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
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
