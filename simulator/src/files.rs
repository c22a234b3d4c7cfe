//! Serves the objects behind signed URLs, as ByteDance's object store does.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{HeaderMap, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    object::Object, paths::BUCKET, service::Service, signed_url::Refusal, store_error::StoreError,
};

/// The body that some gateways serve, with status 200, before a video is ready.
const GARBAGE: &str = r#"{"error": {"code": "video_not_ready", "message": "try again"}}"#;

pub(crate) fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route(&format!("/{BUCKET}/{{model}}/{{file}}"), get(get_object))
        .with_state(service)
}

async fn get_object(
    State(service): State<Arc<Service>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, StoreError> {
    let query = query.unwrap_or_default();
    let signature = service
        .signer
        .verify(uri.path(), &query, service.clock.now())
        .map_err(StoreError::AccessDenied)?;
    let object = Object::find(&service, uri.path()).ok_or(StoreError::NoSuchKey)?;
    if object.is_video && object.task.is_dead_url(&signature) {
        return Err(StoreError::AccessDenied(Refusal::Expired));
    }
    if object.is_video && object.task.script.garbage {
        service
            .tasks
            .count(&object.task.id, |stats| stats.downloads += 1);
        return Ok(([(CONTENT_TYPE, "video/mp4")], GARBAGE).into_response());
    }
    object.respond(service, &headers).await
}

#[cfg(test)]
mod tests;
