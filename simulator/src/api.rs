//! The task API: create, query, list, cancel or delete.

use std::{
    sync::{Arc, atomic::Ordering},
    time::SystemTime,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    create,
    error::ApiError,
    list::Filter,
    record::{answer_to_query, record},
    server::Service,
    tasks::{Task, lock},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Largest body of a call.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// Where tasks are created and listed. Each is below, or behind `?id=`, as some gateways have it.
const TASKS: &str = "/contents/generations/tasks";

pub(crate) fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route(
            TASKS,
            post(create_task)
                .get(query_or_list_tasks)
                .delete(delete_named_task),
        )
        .route(
            &format!("{TASKS}/{{id}}"),
            get(query_task).delete(delete_task),
        )
        .fallback(no_such_call)
        .layer(middleware::from_fn_with_state(service.clone(), authorize))
        .with_state(service)
}

async fn authorize(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let response = match read_whole(request).await {
        Ok(request) => answer(&service, request, next).await,
        Err(error) => error.into_response(),
    };
    with_date(&service, with_request_id(response))
}

/// The request with its body in memory. A call that is answered before its body has come loses its
/// connection, and some clients send a body with every call.
async fn read_whole(request: Request) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY)
        .await
        .map_err(|error| ApiError::invalid("body", &format!("cannot be read: {error}")))?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

async fn answer(service: &Service, request: Request, next: Next) -> Response {
    if request.method() == Method::GET {
        match asked_for(request.uri()) {
            Some(id) => service.tasks.count(&id, |stats| stats.queries += 1),
            None => {
                service.tasks.lists.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let given = request.headers().get(AUTHORIZATION);
    let expected = format!("Bearer {}", service.settings.api_key);
    let fault = *lock(&service.fault);
    match fault {
        Some(fault) => fault.response(),
        None if given.is_some_and(|given| given.as_bytes() == expected.as_bytes()) => {
            next.run(request).await
        }
        None => ApiError::unauthorized().into_response(),
    }
}

fn with_request_id(mut response: Response) -> Response {
    let id = format!("02{:032x}", fastrand::u128(..));
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The server adds the true one where there is none.
fn with_date(service: &Service, mut response: Response) -> Response {
    let date = lock(&service.date).map(httpdate::fmt_http_date);
    if let Some(Ok(date)) = date.map(HeaderValue::try_from) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

async fn create_task(
    State(service): State<Arc<Service>>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let (request, script) = create::Request::read(&body)?;
    let task = service.create(request, script);
    Ok(json_response(&json!({"id": task.id})))
}

async fn query_task(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let task = find(&service, &id)?;
    let answer = answer_to_query(&service, &task, host(&headers), SystemTime::now());
    Ok(json_response(&answer))
}

async fn query_or_list_tasks(
    state: State<Arc<Service>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match asked_for(&uri) {
        Some(id) => query_task(state, Path(id), headers).await,
        None => list_tasks(&state, uri.query().unwrap_or_default(), &headers),
    }
}

fn list_tasks(service: &Service, query: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let filter = Filter::read(query)?;
    let now = SystemTime::now();
    let found: Vec<_> = service
        .tasks
        .all()
        .into_iter()
        .filter(|task| filter.lets_through(task, now))
        .collect();
    let items: Vec<Value> = filter
        .page(&found)
        .map(|task| record(service, task, host(headers), now))
        .collect();
    Ok(json_response(
        &json!({"total": found.len(), "items": items}),
    ))
}

async fn delete_task(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let task = find(&service, &id)?;
    service
        .tasks
        .delete(&task)
        .map_err(|status| ApiError::not_deletable(&id, status))?;
    Ok(StatusCode::OK.into_response())
}

async fn delete_named_task(state: State<Arc<Service>>, uri: Uri) -> Result<Response, ApiError> {
    let id = asked_for(&uri).ok_or_else(|| ApiError::missing("id"))?;
    delete_task(state, Path(id)).await
}

async fn no_such_call(uri: Uri) -> ApiError {
    ApiError::no_such_call(uri.path())
}

/// The id of the one task that a call is about.
fn asked_for(uri: &Uri) -> Option<String> {
    let rest = uri.path().strip_prefix(TASKS)?;
    if let Some(id) = rest.strip_prefix('/') {
        return Some(id.to_owned());
    }
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(name, _)| name == "id")
        .map(|(_, id)| id.into_owned())
}

fn find(service: &Service, id: &str) -> Result<Arc<Task>, ApiError> {
    service
        .tasks
        .find(id)
        .filter(|task| !task.is_hidden())
        .ok_or_else(|| ApiError::task_not_found(id))
}

/// Where the caller reaches this server, so that URLs work from there too.
fn host(headers: &HeaderMap) -> &str {
    headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost")
}

fn json_response(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], Body::from(value.to_string())).into_response()
}

#[cfg(test)]
mod tests;
