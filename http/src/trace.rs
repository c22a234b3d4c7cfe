//! Trace spans for requests. No attribute may contain a URL or a key.

use opentelemetry::{
    Context, KeyValue,
    global::{self, BoxedTracer},
    trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer},
};

/// Name of the tracer.
const TRACER: &str = "seedance-archiver";

/// Runs `request` in a client span that is a child of the current one. Without a tracer provider the span is
/// a no-op.
pub fn span<T, E, F, A>(
    name: &'static str,
    attributes: A,
    request: F,
) -> impl Future<Output = Result<T, E>> + use<T, E, F, A>
where
    A: IntoIterator<Item = KeyValue>,
    F: Future<Output = Result<T, E>>,
{
    let span = tracer()
        .span_builder(name)
        .with_kind(SpanKind::Client)
        .with_attributes(attributes)
        .start_with_context(&tracer(), &Context::current());
    let context = Context::current_with_span(span);
    async move {
        let result = request.with_context(context.clone()).await;
        let span = context.span();
        if result.is_err() {
            // The text of the error is in the failure of the activity.
            span.set_status(Status::error("failed"));
        }
        span.end();
        result
    }
}

fn tracer() -> BoxedTracer {
    global::tracer(TRACER)
}
