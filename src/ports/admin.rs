//! Probes and metrics of a worker:
//!
//! - `GET /livez`: 200 while the process responds. It checks neither Temporal nor the object store, because a
//!   restart would not fix them.
//! - `GET /readyz`: 200 while the worker polls its task queues; 503 before that, while Temporal is unavailable, and while
//!   it drains.
//! - `GET /metrics`: the metrics of the SDK and of the worker, in Prometheus' text format.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    ports::health::{Health, Phase},
    telemetry::exporter::MetricsExporter,
};

/// Content type of Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4";

/// Returns the routes of a worker.
pub fn routes(health: Health, exporter: MetricsExporter) -> Router {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz).with_state(health))
        .route("/metrics", get(metrics).with_state(exporter))
}

async fn readyz(State(health): State<Health>) -> Response {
    let phase = health.phase();
    let status = match phase {
        Phase::Polling => StatusCode::OK,
        Phase::Starting | Phase::Waiting | Phase::Draining => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{phase}\n")).into_response()
}

async fn metrics(State(exporter): State<MetricsExporter>) -> Response {
    match exporter.render().await {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
