//! `POST /callbacks/{account}/{token}`: Seedance reports that the status of a task changed.
//!
//! A callback is a hint. Only the task id in its body is used: [`CallbackHandler`] queries the task if
//! needed, and completes the query activity of its lifecycle or starts a lifecycle.
//!
//! `POST /callbacks/{account}/{token}/{submission_id}`: the same, and the submission learns that this is its task.

mod handler;
mod result;
mod task_locks;

pub use handler::CallbackHandler;

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use http_body_util::LengthLimitError;
use seedance_archiver_proto::{submission_id, task_id};
use serde_json::json;

use crate::{
    config::{Account, Accounts},
    seedance::{self, RateLimit},
};
use result::{CallbackEffect, CallbackError};

/// Maximum size of a body, in bytes. A record has a few kilobytes.
const MAX_BODY: usize = 256 * 1024;
/// Timeout of reading the body.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout of handling a callback after its body was read. The service waits 5 s for a response.
const HANDLER_TIMEOUT: Duration = Duration::from_millis(2_500);

/// An account that receives callbacks.
struct CallbackAccount {
    account: Arc<Account>,
    rate_limit: RateLimit,
}

struct Callbacks {
    accounts: BTreeMap<String, CallbackAccount>,
    handler: CallbackHandler,
}

/// A response that is not a success: the status, and the value of `error` in the body.
type ErrorResponse = (StatusCode, String);

/// Returns the route of callbacks to these accounts.
pub fn routes(accounts: &Accounts, handler: CallbackHandler) -> Router {
    let accounts = accounts
        .iter()
        .filter(|account| account.callbacks.is_some())
        .map(|account| {
            let callback_account = CallbackAccount {
                account: account.clone(),
                // A callback may query the task, but must not use up the rate limit of the polls.
                rate_limit: account.endpoint.query_limit.for_received(),
            };
            (account.name().to_owned(), callback_account)
        });
    let callbacks = Arc::new(Callbacks {
        accounts: accounts.collect(),
        handler,
    });
    Router::new()
        .route("/callbacks/{account}/{token}", post(receive))
        .route(
            "/callbacks/{account}/{token}/{submission_id}",
            post(receive_of_submission),
        )
        .with_state(callbacks)
}

async fn receive(
    State(callbacks): State<Arc<Callbacks>>,
    Path((account, token)): Path<(String, String)>,
    body: Body,
) -> Response {
    respond(callbacks.process(&account, &token, None, body).await)
}

async fn receive_of_submission(
    State(callbacks): State<Arc<Callbacks>>,
    Path((account, token, submission_id)): Path<(String, String, String)>,
    body: Body,
) -> Response {
    let submission_id = Some(submission_id.as_str());
    respond(
        callbacks
            .process(&account, &token, submission_id, body)
            .await,
    )
}

fn respond(processed: Result<CallbackEffect, ErrorResponse>) -> Response {
    let (status, json) = match processed {
        Ok(effect) => (StatusCode::OK, json!({ "effect": effect.to_string() })),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    let headers = [(CONTENT_TYPE, "application/json")];
    (status, headers, json.to_string()).into_response()
}

impl Callbacks {
    async fn process(
        &self,
        account: &str,
        token: &str,
        submission_id: Option<&str>,
        body: Body,
    ) -> Result<CallbackEffect, ErrorResponse> {
        let account = self.authenticate(account, token)?;
        account.check_rate_limit()?;
        let submission_id = submission_id.map(checked).transpose()?;
        let account = &account.account;
        let task_id = task_id_in(&read(body).await?)?;
        let handled = self.handler.handle(account, &task_id, submission_id);
        let handled = tokio::time::timeout(HANDLER_TIMEOUT, handled)
            .await
            .unwrap_or(Err(CallbackError::Timeout(HANDLER_TIMEOUT)));
        match handled {
            Ok(effect) => {
                tracing::info!(account = account.name(), task_id, %effect, "callback processed");
                Ok(effect)
            }
            Err(error) => {
                tracing::warn!(account = account.name(), task_id, %error, "callback rejected");
                Err((status_of(&error), error.to_string()))
            }
        }
    }

    /// Returns the account if the token is valid. An invalid token gets the same response as an unknown account.
    fn authenticate(&self, account: &str, token: &str) -> Result<&CallbackAccount, ErrorResponse> {
        let not_found = || (StatusCode::NOT_FOUND, "not found".to_owned());
        let callback_account = self.accounts.get(account).ok_or_else(not_found)?;
        let callbacks = callback_account.account.callbacks.as_ref();
        match callbacks.ok_or_else(not_found)?.accept(token) {
            Ok(true) => Ok(callback_account),
            Ok(false) => Err(not_found()),
            Err(problem) => {
                let error = format!("the token {problem}");
                tracing::error!(account, error, "cannot read the callback token");
                let text = "cannot authenticate callbacks; try again later".to_owned();
                Err((StatusCode::SERVICE_UNAVAILABLE, text))
            }
        }
    }
}

impl CallbackAccount {
    fn check_rate_limit(&self) -> Result<(), ErrorResponse> {
        match self.rate_limit.try_take() {
            true => Ok(()),
            false => Err((
                StatusCode::TOO_MANY_REQUESTS,
                "callback rate limit exceeded: `limits.queries_per_second` of the account"
                    .to_owned(),
            )),
        }
    }
}

async fn read(body: Body) -> Result<Bytes, ErrorResponse> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {MAX_BODY} bytes"),
        )),
        Ok(Err(error)) => Err((
            StatusCode::BAD_REQUEST,
            format!("cannot read the body: {error}"),
        )),
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not arrive within {} s",
                BODY_TIMEOUT.as_secs()
            ),
        )),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    error
        .source()
        .is_some_and(|cause| cause.is::<LengthLimitError>())
}

fn task_id_in(body: &[u8]) -> Result<String, ErrorResponse> {
    let bad_request = |error: &str| (StatusCode::BAD_REQUEST, error.to_owned());
    let id = seedance::task_id_in_callback(body)
        .ok_or_else(|| bad_request("the body must be a task record: a JSON object with an `id`"))?;
    task_id::check(&id).map_err(|problem| bad_request(&format!("`id` {problem}")))?;
    Ok(id)
}

/// Checks the submission id of a path.
fn checked(id: &str) -> Result<&str, ErrorResponse> {
    let invalid = |problem| {
        (
            StatusCode::BAD_REQUEST,
            format!("`submission_id` {problem}"),
        )
    };
    submission_id::check(id).map_err(invalid)?;
    Ok(id)
}

/// Returns the HTTP status of an error: 503 if the callback can succeed when the service repeats it.
fn status_of(error: &CallbackError) -> StatusCode {
    match error {
        CallbackError::NoTask(_) | CallbackError::NoLifecycle => StatusCode::NOT_FOUND,
        CallbackError::Query(_) | CallbackError::Temporal(_) | CallbackError::Timeout(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
