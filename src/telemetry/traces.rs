//! Traces by OTLP, where the environment names a collector: the SDK's spans of workflows and activities, and
//! under them ours of what leaves the process. No attribute holds a URL or a key.

use std::sync::OnceLock;

use opentelemetry::global;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use temporalio_client::ClientOptions;
use temporalio_sdk::opentelemetry::{OpenTelemetryPlugin, WorkflowIdGenerator};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The same for traces alone: it goes before the other.
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const NAME: &str = env!("CARGO_PKG_NAME");

/// The provider of this process.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Traces from now on, where a collector is named. The error is a sentence.
pub(crate) fn start(variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let given = |name| variable(name).filter(|value| !value.trim().is_empty());
    let is_off = given(DISABLED).is_some_and(|word| word.trim().eq_ignore_ascii_case("true"));
    let named = [TRACES_ENDPOINT, ENDPOINT];
    let named = named
        .into_iter()
        .find_map(|name| Some((name, given(name)?)));
    let Some((name, endpoint)) = named.filter(|_| !is_off) else {
        return Ok(());
    };
    // What the error says has the value in it.
    let exporter = exporter(endpoint.trim()).map_err(|_| {
        format!("{name} must be the URL of a collector, such as `http://collector:4317`")
    })?;
    let resource = match given(SERVICE_NAME) {
        Some(_) => Resource::builder(),
        None => Resource::builder().with_service_name(NAME),
    };
    let provider = SdkTracerProvider::builder()
        // Workflows are replayed: their spans have the same ids then.
        .with_id_generator(WorkflowIdGenerator::default())
        .with_resource(resource.build())
        .with_batch_exporter(exporter)
        .build();
    global::set_tracer_provider(PROVIDER.get_or_init(|| provider).clone());
    Ok(())
}

fn exporter(endpoint: &str) -> Result<SpanExporter, ExporterBuildError> {
    let exporter = SpanExporter::builder().with_tonic();
    exporter.with_endpoint(endpoint).build()
}

/// Sends what is left.
pub(crate) fn end() {
    if let Some(Err(error)) = PROVIDER.get().map(SdkTracerProvider::shutdown) {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// A client whose calls, and whose workers' workflows and activities, are traced.
pub(crate) fn traced(client: ClientOptions) -> ClientOptions {
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
    async fn collectors_may_have_tls() {
        for endpoint in ["http://collector:4317", "https://collector.example"] {
            assert!(exporter(endpoint).is_ok(), "{endpoint}");
        }
        assert!(exporter("not a collector").is_err());
    }
}
