//! The answer to a request.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    control,
    dialect::Dialect,
    errors::error,
    refusals::{outage, refusal},
    request::S3Request,
    state::ProxyState,
};

/// Maximum size of a request.
const MAX_BODY: usize = 64 << 20;
/// The header with which Cloudflare R2 makes a copy create-only.
const R2_COPY: &str = "cf-copy-destination-if-none-match";

pub(super) async fn handle(State(proxy): State<Arc<ProxyState>>, request: Request) -> Response {
    let response = respond(&proxy, request).await;
    response.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

async fn respond(proxy: &ProxyState, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query();
    let target = target.map_or("/", |target| target.as_str()).to_owned();
    let is_slowed =
        target.contains("partNumber=") && proxy.dialects.of(&target, &[]) == Dialect::SlowsDown;
    let arrived = is_slowed.then(|| proxy.parts.arrive());
    let body = to_bytes(body, MAX_BODY).await?;
    if let Some(response) = control::response(proxy, &target)? {
        return Ok(response);
    }
    let request = S3Request {
        method: parts.method,
        target,
        headers: parts.headers,
        body,
    };
    let dialect = proxy.dialects.released(&request).await;
    let mut permit = None;
    if arrived.is_some() {
        permit = proxy.parts.permit().await;
        if permit.is_none() {
            return Ok(error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"));
        }
    }
    let response = respond_in(dialect, proxy, &request).await;
    drop(permit);
    response
}

/// Returns the response of a store with this dialect.
async fn respond_in(
    dialect: Dialect,
    proxy: &ProxyState,
    request: &S3Request,
) -> anyhow::Result<Response> {
    if let Some(response) = outage(dialect) {
        proxy.refused.fetch_add(1, Ordering::Relaxed);
        return Ok(response);
    }
    if let Some(response) = refusal(dialect, request, &proxy.conflicts).await {
        return Ok(response);
    }
    if is_create_only_copy(dialect, request) && proxy.upstream.has_object(&request.target).await? {
        return Ok(error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed"));
    }
    let response = forward(dialect, proxy, request).await?;
    if response.status().is_success() {
        proxy.open_uploads.observe(request);
    }
    Ok(translated(dialect, request, response))
}

/// Returns whether a request is a copy that Cloudflare R2 makes only if the key is free.
fn is_create_only_copy(dialect: Dialect, request: &S3Request) -> bool {
    dialect == Dialect::CopiesLikeR2 && request.is_copy() && request.headers.contains_key(R2_COPY)
}

/// Forwards a request without the headers that the dialect ignores.
async fn forward(
    dialect: Dialect,
    proxy: &ProxyState,
    request: &S3Request,
) -> anyhow::Result<Response> {
    let mut dropped = ignored_headers(dialect, request).to_vec();
    dropped.retain(|name| request.headers.contains_key(*name));
    // Only these requests are signed again: the signature of others may be in their query.
    if dropped.is_empty() {
        proxy.upstream.forward(request).await
    } else {
        proxy.upstream.forward_without(&dropped, request).await
    }
}

fn ignored_headers(dialect: Dialect, request: &S3Request) -> &'static [&'static str] {
    match dialect {
        Dialect::IgnoresConditions => &["if-none-match", R2_COPY],
        Dialect::IgnoresIfMatch => &["if-match"],
        Dialect::IgnoresConditionalComplete if request.is_completion() => &["if-none-match"],
        Dialect::IgnoresConditionalComplete
        | Dialect::RejectsConditionalComplete
        | Dialect::RefusesConditionalComplete
            if request.is_copy() =>
        {
            &["if-none-match", R2_COPY]
        }
        Dialect::CopiesLikeR2 if is_create_only_copy(dialect, request) => &[R2_COPY],
        Dialect::CopiesLikeR2 if request.is_copy() => &["if-none-match"],
        _ => &[],
    }
}

/// Returns what the dialect makes of a response of the server.
fn translated(dialect: Dialect, request: &S3Request, response: Response) -> Response {
    let status = response.status();
    match dialect {
        Dialect::DeniesMissing if request.is_read() && status == StatusCode::NOT_FOUND => {
            error(StatusCode::FORBIDDEN, "AccessDenied")
        }
        Dialect::ConflictsAfterCompleting if request.is_completion() && status.is_success() => {
            error(StatusCode::CONFLICT, "ConditionalRequestConflict")
        }
        _ => response,
    }
}
