//! The task API: create, query, list, cancel or delete.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, RawQuery, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE, HOST},
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
    record::record,
    server::Service,
    tasks::{Task, lock},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Largest body of a call.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// Bounds of `page_num` and `page_size`.
const PAGES: std::ops::RangeInclusive<usize> = 1..=500;
const DEFAULT_PAGE_SIZE: usize = 20;

pub(crate) fn routes(service: Arc<Service>) -> Router {
    Router::new()
        .route(
            "/contents/generations/tasks",
            post(create_task).get(list_tasks),
        )
        .route(
            "/contents/generations/tasks/{id}",
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
    with_request_id(response)
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
    if let (&Method::GET, Some((_, id))) =
        (request.method(), request.uri().path().split_once("/tasks/"))
    {
        service.tasks.count(id, |stats| stats.queries += 1);
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
    let record = record(&service, &task, host(&headers), SystemTime::now());
    Ok(json_response(&record))
}

async fn list_tasks(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let filter = Filter::read(query.as_deref().unwrap_or_default())?;
    let now = SystemTime::now();
    let found: Vec<_> = service
        .tasks
        .all()
        .into_iter()
        .filter(|task| filter.lets_through(task, now))
        .collect();
    let items: Vec<Value> = found
        .iter()
        .skip((filter.page_num - 1) * filter.page_size)
        .take(filter.page_size)
        .map(|task| record(&service, task, host(&headers), now))
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

async fn no_such_call(uri: Uri) -> ApiError {
    ApiError::no_such_call(uri.path())
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

/// What a list is asked for.
struct Filter {
    page_num: usize,
    page_size: usize,
    status: Option<String>,
    model: Option<String>,
    service_tier: String,
    task_ids: Vec<String>,
}

impl Filter {
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut filter = Self {
            page_num: 1,
            page_size: DEFAULT_PAGE_SIZE,
            status: None,
            model: None,
            service_tier: "default".into(),
            task_ids: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            match &*name {
                "page_num" => filter.page_num = page(&name, &value)?,
                "page_size" => filter.page_size = page(&name, &value)?,
                "filter.status" => filter.status = Some(value),
                "filter.model" => filter.model = Some(value),
                "filter.service_tier" => filter.service_tier = value,
                "filter.task_ids" => filter.task_ids.push(value),
                _ => {}
            }
        }
        Ok(filter)
    }

    fn lets_through(&self, task: &Task, now: SystemTime) -> bool {
        let is = |wanted: &Option<String>, value| wanted.as_deref().is_none_or(|it| it == value);
        is(&self.status, task.status(now).0)
            && is(&self.model, task.request.model())
            && self.service_tier == task.request.service_tier()
            && (self.task_ids.is_empty() || self.task_ids.contains(&task.id))
    }
}

fn page(name: &str, value: &str) -> Result<usize, ApiError> {
    value
        .parse()
        .ok()
        .filter(|number| PAGES.contains(number))
        .ok_or_else(|| ApiError::invalid(name, "is not a number from 1 to 500"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{ErrorKind, Read, Write},
        net::TcpStream,
        time::Duration,
    };

    use crate::{Script, Simulator};

    /// ByteDance's client sends `{}` with every call, and the two parts can come one by one.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_connection_outlives_a_call_whose_body_comes_late() {
        let simulator = Simulator::builder().start().await.unwrap();
        let id = simulator.create(Script::default());
        let address = simulator
            .base_url()
            .replace("http://", "")
            .replace("/api/v3", "");
        tokio::task::spawn_blocking(move || {
            let call = |method, length| {
                format!(
                    "{method} /api/v3/contents/generations/tasks/{id} HTTP/1.1\r\nhost: {address}\r\n\
                     authorization: Bearer simulator-key\r\ncontent-length: {length}\r\n\r\n"
                )
            };
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(call("DELETE", 2).as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let early = stream.read(&mut [0; 4096]).unwrap_err().kind();
            assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&early), "{early}");
            stream.set_read_timeout(None).unwrap();
            stream.write_all(b"{}").unwrap();
            assert!(answer(&mut stream).starts_with("HTTP/1.1 200"));
            stream.write_all(call("GET", 0).as_bytes()).unwrap();
            assert!(answer(&mut stream).starts_with("HTTP/1.1 200"));
        })
        .await
        .unwrap();
    }

    fn answer(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }
}
