//! Serves the objects behind signed URLs, as ByteDance's object store does.

use std::sync::Arc;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    error_page::ErrorPage, host_dialect::HostDialect, object::Object, paths::BUCKET,
    service::Service, signed_url::Refusal, store_error::StoreError,
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
    if carries_key(&service, &uri, &headers) {
        service.observer.lock().download_with_key();
    }
    let query = query.unwrap_or_default();
    let verified = service
        .signer
        .verify(uri.path(), &query, service.clock.now());
    let object = Object::find(&service, uri.path());
    let dialect = object
        .as_ref()
        .map(|object| object.task.script.host.clone());
    let dialect = dialect.unwrap_or_default();
    let signature = match verified {
        Err(Refusal::Expired) if dialect.serves_expired => String::new(),
        verified => verified.map_err(|refusal| refused(&dialect, refusal))?,
    };
    let object = object.ok_or(StoreError::NoSuchKey)?;
    if object.is_video && object.task.is_dead_url(&signature) {
        return Err(refused(&dialect, Refusal::Expired));
    }
    if object.is_video && service.tasks.stats(&object.task.id).busy < dialect.busy {
        service
            .tasks
            .count(&object.task.id, |stats| stats.busy += 1);
        let status = status(dialect.busy_status, StatusCode::SERVICE_UNAVAILABLE);
        return Err(StoreError::Busy(status, dialect.retry_after));
    }
    if object.is_video && object.task.script.garbage {
        service
            .tasks
            .count(&object.task.id, |stats| stats.downloads += 1);
        return Ok(([(CONTENT_TYPE, "video/mp4")], GARBAGE).into_response());
    }
    if let Some(page) = error_page(&service, &object) {
        return Ok(page.into_response());
    }
    object.respond(service, &headers).await
}

/// Returns whether a request has an `Authorization` header, or an API key in another header or in its URL.
fn carries_key(service: &Service, uri: &Uri, headers: &HeaderMap) -> bool {
    let uri = uri.to_string();
    let values = headers.values().map(HeaderValue::as_bytes);
    let mut texts = values.chain([uri.as_bytes()]).map(String::from_utf8_lossy);
    let api_keys = service.api_keys.lock();
    headers.contains_key(AUTHORIZATION)
        || texts.any(|text| api_keys.iter().any(|key| text.contains(key.as_str())))
}

/// Returns the error page that the host serves instead of the object, if this request gets one, and counts it.
fn error_page(service: &Service, object: &Object) -> Option<ErrorPage> {
    let script = &object.task.script;
    let stats = service.tasks.stats(&object.task.id);
    let is_due = stats.downloads >= script.cuts && stats.error_pages < script.host.error_pages;
    if !object.is_video || !is_due {
        return None;
    }
    service
        .tasks
        .count(&object.task.id, |stats| stats.error_pages += 1);
    Some(script.host.error_page)
}

/// Returns the refusal of a host that has its own status or code for it.
fn refused(dialect: &HostDialect, refusal: Refusal) -> StoreError {
    if dialect.refusal_status.is_none() && dialect.refusal_code.is_none() {
        return StoreError::AccessDenied(refusal);
    }
    let code = dialect.refusal_code.clone();
    StoreError::Refused(
        status(dialect.refusal_status, StatusCode::FORBIDDEN),
        code.unwrap_or_else(|| "AccessDenied".into()),
    )
}

fn status(status: Option<u16>, default: StatusCode) -> StatusCode {
    let status = status.map(StatusCode::from_u16);
    status.and_then(Result::ok).unwrap_or(default)
}

#[cfg(test)]
mod tests;
