//! What an orchestrator and Prometheus ask a worker, on one port:
//!
//! - `GET /livez`: 200 while the process answers. Whether Temporal or the store does is none of it: a restart
//!   would mend neither.
//! - `GET /readyz`: 200 while it polls; 503 before that, and while it drains.
//! - `GET /metrics`: the SDK's metrics and ours, as Prometheus reads them.

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

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4";

/// The routes of a worker.
pub fn routes(health: Health, metrics: MetricsExporter) -> Router {
    let ready = get(readyz).with_state(health);
    let metrics = get(scrape).with_state(metrics);
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", ready)
        .route("/metrics", metrics)
}

async fn readyz(State(health): State<Health>) -> Response {
    let phase = health.phase();
    let status = match phase {
        Phase::Polling => StatusCode::OK,
        Phase::Starting | Phase::Draining => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{phase}\n")).into_response()
}

async fn scrape(State(exporter): State<MetricsExporter>) -> Response {
    match exporter.render().await {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")).into_response(),
    }
}
