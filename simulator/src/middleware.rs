//! Middleware of every API call: authorization, injected faults, statistics and common headers.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, Method,
        header::{AUTHORIZATION, DATE, HOST},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error::ApiError,
    fault::{Fault, Faults},
    paths,
    service::Service,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Maximum size of a request body, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;

pub(crate) async fn handle(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let response = match buffer_body(request).await {
        Ok(request) => authorize(&service, request, next).await,
        Err(error) => error.into_response(),
    };
    with_date(&service, with_request_id(response))
}

/// Reads the entire request body before the response is sent. hyper closes a connection whose request body it
/// has not read, and some clients send a body with every call.
async fn buffer_body(request: Request) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY)
        .await
        .map_err(|error| ApiError::invalid("body", &format!("cannot be read: {error}")))?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

async fn authorize(service: &Service, request: Request, next: Next) -> Response {
    // Queries and lists are counted, not cancellations.
    let subject = (request.method() == Method::GET).then(|| paths::task_id(request.uri()));
    let host = host(&request);
    if let Some(subject) = &subject {
        count(service, &host, subject);
        if !is_within_rate(service, subject) {
            return ApiError::rate_limited().into_response();
        }
    }
    if let Some(response) = faulty_response(service, host, subject.as_ref()).await {
        return response;
    }
    let response = match is_authorized(service, &request) {
        true => next.run(request).await,
        false => ApiError::unauthorized().into_response(),
    };
    while_late(service, subject.as_ref()).await;
    response
}

/// Returns the host by which a client reaches the service.
fn host(request: &Request) -> String {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    host.unwrap_or_default().to_owned()
}

fn count(service: &Service, host: &str, subject: &Option<String>) {
    let now = service.clock.now();
    service.observer.lock().request(host, subject, now);
    match subject {
        Some(id) => service.tasks.count_query(id),
        None => service.tasks.count_list(),
    }
}

fn is_within_rate(service: &Service, subject: &Option<String>) -> bool {
    let settings = &service.settings;
    let mut limits = service.limits.lock();
    !settings.enforces_rates
        || match subject {
            Some(_) => limits.allow_query(settings.query_rate),
            None => limits.allow_list(settings.list_rate),
        }
}

/// Returns the response of the fault that is set, or `None` if the call is answered. Waits while the fault is
/// [`Fault::NoResponse`].
async fn faulty_response(
    service: &Service,
    host: String,
    subject: Option<&Option<String>>,
) -> Option<Response> {
    let mut faults = service.faults.subscribe();
    loop {
        let fault = faults.borrow_and_update().of_call(subject)?;
        if fault == Fault::LateResponse {
            return None;
        }
        let now = service.clock.now();
        if let Some(response) = fault.response(now) {
            if let (Some(subject), Some(until)) = (subject, fault.retry_after(now)) {
                let mut observer = service.observer.lock();
                observer.retry_after(host, subject.clone(), now, until);
            }
            return Some(response);
        }
        // Never fails, because the service owns the sender.
        let _ = faults.changed().await;
    }
}

/// Waits while the fault is [`Fault::LateResponse`].
async fn while_late(service: &Service, subject: Option<&Option<String>>) {
    let mut faults = service.faults.subscribe();
    let is_over = |faults: &Faults| faults.of_call(subject) != Some(Fault::LateResponse);
    // Never fails, because the service owns the sender.
    let _ = faults.wait_for(is_over).await;
}

fn is_authorized(service: &Service, request: &Request) -> bool {
    let given = request.headers().get(AUTHORIZATION);
    let given = given.and_then(|given| given.as_bytes().strip_prefix(b"Bearer "));
    let api_keys = service.api_keys.lock();
    given.is_some_and(|given| api_keys.iter().any(|key| key.as_bytes() == given))
}

fn with_request_id(mut response: Response) -> Response {
    let id = format!("02{:032x}", fastrand::u128(..));
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Sets the `Date` header.
fn with_date(service: &Service, mut response: Response) -> Response {
    let date = service.date.lock().unwrap_or_else(|| service.clock.now());
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(date)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}
