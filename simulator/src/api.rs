//! The task API: create, query, list, and cancel or delete.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_TYPE, HOST},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use seedance_archiver_proto::status;
use serde_json::{Value, json};

use crate::{
    callbacks::Callbacks,
    create_fault::CreateFault,
    create_request::CreateRequest,
    error::ApiError,
    list::ListFilter,
    middleware,
    paths::{self, TASKS},
    record::{Recipient, query_response, record},
    script::Script,
    service::{Service, Settings},
    task::{Task, Times},
    tasks::Page,
};

/// The state of the API.
pub(crate) struct Api {
    pub(crate) service: Arc<Service>,
    pub(crate) callbacks: Callbacks,
}

impl Api {
    pub(crate) fn routes(self: Arc<Self>) -> Router {
        let middleware =
            axum::middleware::from_fn_with_state(self.service.clone(), middleware::handle);
        Router::new()
            .route(
                TASKS,
                post(create_task)
                    .get(query_or_list_tasks)
                    .delete(delete_task_in_query),
            )
            .route(
                &format!("{TASKS}/{{id}}"),
                get(query_task).delete(delete_task),
            )
            .fallback(unknown_path)
            .layer(middleware)
            .with_state(self)
    }

    /// Creates a task, backdated by its script's age, and starts its callbacks. The creation time in its record is
    /// earlier by `lead`.
    pub(crate) fn create_task(
        &self,
        request: CreateRequest,
        script: Script,
        lead: Duration,
    ) -> Arc<Task> {
        let Settings {
            queued, running, ..
        } = self.service.settings;
        let queued_at = self.service.clock.now() - script.age;
        let runs_at = queued_at + script.queued.unwrap_or(queued);
        let times = Times {
            created_at: queued_at - lead,
            queued_at,
            runs_at,
            ends_at: runs_at + script.running.unwrap_or(running),
        };
        let task = self.service.tasks.create(request, script, times);
        self.callbacks.start(task.clone());
        task
    }

    /// Checks that a video can be made from a task.
    fn check_draft(&self, id: &str) -> Result<(), ApiError> {
        let now = self.service.clock.now();
        let draft = self.service.find(id, now).filter(|task| {
            let is_draft = task.request.get("draft") == Some(&Value::Bool(true));
            is_draft && task.status(now).0 == status::SUCCEEDED
        });
        let invalid = || ApiError::invalid("content.draft_task", "must be a draft that succeeded");
        draft.map(drop).ok_or_else(invalid)
    }

    fn find(&self, id: &str) -> Result<Arc<Task>, ApiError> {
        self.service
            .find(id, self.service.clock.now())
            .ok_or_else(|| ApiError::task_not_found(id))
    }
}

async fn create_task(State(api): State<Arc<Api>>, body: Bytes) -> Result<Response, ApiError> {
    let faults = &api.service.create_faults;
    let (fault, now) = (faults.take(), api.service.clock.now());
    if let Some(response) = fault.and_then(|fault| fault.before(now)) {
        return Ok(response);
    }
    let (request, script) = CreateRequest::parse(&body)?;
    if let Some(draft) = request.draft_task_id() {
        api.check_draft(draft)?;
    }
    let task = api.create_task(request, script, Duration::ZERO);
    if fault == Some(CreateFault::Held) {
        faults.released().await;
    }
    let response = fault.and_then(CreateFault::after);
    Ok(response.unwrap_or_else(|| json_response(&json!({"id": task.id}))))
}

async fn query_task(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let now = api.service.clock.now();
    let task = api.service.query(&id, now);
    let task = task.ok_or_else(|| ApiError::task_not_found(&id))?;
    if status::is_terminal(task.status(now).0) {
        api.service.tasks.count_final_query();
    }
    let response = query_response(&api.service, &task, recipient(&headers), now);
    Ok(json_body(response))
}

async fn query_or_list_tasks(
    state: State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match paths::task_id(&uri) {
        Some(id) => query_task(state, Path(id), headers).await,
        None => list_tasks(&state.service, uri.query().unwrap_or_default(), &headers),
    }
}

fn list_tasks(service: &Service, query: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let dialects = service.list_dialects.lock().clone();
    let filter = ListFilter::parse(query, &dialects)?;
    let now = dialects.shown_at(service.clock.now());
    let matches = |task: &Task| service.is_listed(task, now) && filter.matches(task, now);
    let Page { tasks, total } = match filter.task_ids() {
        [] => service.tasks.page(filter.positions(), matches),
        ids => service.tasks.page_of(ids, filter.positions(), matches),
    };
    let item = |task: &Arc<Task>| {
        task.set_returned();
        record(service, task, recipient(headers), now)
    };
    let mut items: Vec<Value> = tasks.iter().map(item).collect();
    dialects.apply(&mut items);
    let total = dialects.page_limit().map_or(total, |_| items.len());
    Ok(json_response(&json!({"total": total, "items": items})))
}

async fn delete_task(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let task = api.find(&id)?;
    api.service
        .tasks
        .delete(&task, api.service.clock.now())
        .map_err(|status| ApiError::not_deletable(&id, status))?;
    Ok(StatusCode::OK.into_response())
}

async fn delete_task_in_query(state: State<Arc<Api>>, uri: Uri) -> Result<Response, ApiError> {
    let id = paths::task_id(&uri).ok_or_else(|| ApiError::missing("id"))?;
    delete_task(state, Path(id)).await
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::unknown_path(uri.path())
}

/// Returns the host by which the caller reached this server, so that the caller can fetch the URLs in a record, and the
/// API key that the caller sent.
fn recipient(headers: &HeaderMap) -> Recipient<'_> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let api_key = text(AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
    Recipient {
        host: text(HOST).unwrap_or("localhost"),
        api_key: api_key.unwrap_or_default(),
    }
}

fn json_response(value: &Value) -> Response {
    json_body(value.to_string().into_bytes())
}

fn json_body(body: Vec<u8>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, json)], Body::from(body)).into_response()
}

#[cfg(test)]
mod creating;
#[cfg(test)]
mod tests;
