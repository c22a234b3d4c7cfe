//! `POST /callbacks/{account}/{token}`: a hint that a task has changed. Nothing in it is believed but
//! the id that it is about.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use http_body_util::LengthLimitError;
use seedance_archiver_proto::task_id;
use serde_json::json;

use super::delivery::{Deliveries, Refused};
use crate::{
    config::{Account, Accounts},
    seedance::{self, RateLimit},
};

/// Largest body. A record has a few kilobytes.
const MAX_BODY: usize = 256 * 1024;
/// Longest time for the body, and for everything that follows: the service waits 5 s for the answer.
const BODY_TIME: Duration = Duration::from_secs(2);
const DELIVERY_TIME: Duration = Duration::from_millis(2_500);

/// An account that takes callbacks.
struct Taking {
    account: Arc<Account>,
    rate: RateLimit,
}

struct Shared {
    accounts: BTreeMap<String, Taking>,
    deliveries: Deliveries,
}

/// `POST /callbacks/{account}/{token}` of these accounts.
pub fn routes(accounts: &Accounts, deliveries: Deliveries) -> Router {
    let taking = accounts
        .iter()
        .filter(|account| account.callbacks.is_some())
        .map(|account| {
            let taking = Taking {
                account: account.clone(),
                // Each may cost a question.
                rate: account.endpoint.query_limit.separate(),
            };
            (account.name().to_owned(), taking)
        });
    let shared = Arc::new(Shared {
        accounts: taking.collect(),
        deliveries,
    });
    Router::new()
        .route("/callbacks/{account}/{token}", post(callback))
        .with_state(shared)
}

/// What is answered: a status, and a word of what happened or is wrong.
type Answer = (StatusCode, String);

async fn callback(
    State(shared): State<Arc<Shared>>,
    Path((account, token)): Path<(String, String)>,
    body: Body,
) -> Response {
    let (status, text) = match take(&shared, &account, &token, body).await {
        Ok(effect) => (StatusCode::OK, json!({ "effect": effect })),
        Err((status, fault)) => (status, json!({ "error": fault })),
    };
    (
        status,
        [(CONTENT_TYPE, "application/json")],
        text.to_string(),
    )
        .into_response()
}

async fn take(
    shared: &Shared,
    account: &str,
    token: &str,
    body: Body,
) -> Result<&'static str, Answer> {
    let taking = admit(shared, account, token)?;
    let task_id = task_id_in(&read(body).await?)?;
    let account = &taking.account;
    let delivery = shared.deliveries.deliver(account, &task_id);
    let delivered = tokio::time::timeout(DELIVERY_TIME, delivery).await;
    let delivered = delivered.unwrap_or(Err(Refused::TooSlow));
    match delivered {
        Ok(effect) => {
            tracing::info!(
                account = account.name(),
                task_id,
                effect = effect.word(),
                "called back"
            );
            Ok(effect.word())
        }
        Err(refused) => {
            tracing::warn!(account = account.name(), task_id, error = %refused, "called back in vain");
            Err((status_of(&refused), refused.to_string()))
        }
    }
}

/// A wrong token looks like an account that is not there.
fn admit<'a>(shared: &'a Shared, account: &str, token: &str) -> Result<&'a Taking, Answer> {
    let not_found = || (StatusCode::NOT_FOUND, "there is nothing here".to_owned());
    let taking = shared.accounts.get(account).ok_or_else(not_found)?;
    let callbacks = taking.account.callbacks.as_ref().ok_or_else(not_found)?;
    match callbacks.accept(token) {
        Ok(true) => {}
        Ok(false) => return Err(not_found()),
        Err(error) => {
            tracing::error!(account, %error, "the callback token cannot be read");
            let fault = "callbacks cannot be taken now".to_owned();
            return Err((StatusCode::SERVICE_UNAVAILABLE, fault));
        }
    }
    if !taking.rate.try_take() {
        let fault = "more callbacks than questions may be asked".to_owned();
        return Err((StatusCode::TOO_MANY_REQUESTS, fault));
    }
    Ok(taking)
}

async fn read(body: Body) -> Result<Bytes, Answer> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {MAX_BODY} bytes"),
        )),
        Ok(Err(error)) => Err((
            StatusCode::BAD_REQUEST,
            format!("the body cannot be read: {error}"),
        )),
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long".to_owned(),
        )),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error);
    cause.is_some_and(|cause| cause.is::<LengthLimitError>())
}

fn task_id_in(body: &[u8]) -> Result<String, Answer> {
    let bad = |fault: &str| (StatusCode::BAD_REQUEST, fault.to_owned());
    let id = seedance::task_id_in_callback(body)
        .ok_or_else(|| bad("the body is not a task record: a JSON object with an `id`"))?;
    match task_id::check(&id) {
        Ok(()) => Ok(id),
        Err(problem) => Err(bad(&format!("`id` {problem}"))),
    }
}

/// What the service may send again in vain is refused for good.
fn status_of(refused: &Refused) -> StatusCode {
    match refused {
        Refused::NoTask(_) | Refused::NoLifecycle => StatusCode::NOT_FOUND,
        Refused::Seedance(_) | Refused::Temporal(_) | Refused::TooSlow => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
