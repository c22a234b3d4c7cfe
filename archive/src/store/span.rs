use object_store::path::Path;
use opentelemetry::KeyValue;
use seedance_archiver_http::trace;

/// Runs a request to the object store in a trace span with the attribute `object.key`.
pub(crate) fn store_span<T, E, F>(
    name: &'static str,
    key: &Path,
    request: F,
) -> impl Future<Output = Result<T, E>> + use<T, E, F>
where
    F: Future<Output = Result<T, E>>,
{
    let attributes = [KeyValue::new("object.key", key.to_string())];
    trace::span(name, attributes, request)
}
