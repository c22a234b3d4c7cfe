//! What goes wrong with create requests.

use std::{collections::VecDeque, io, time::SystemTime};

use axum::{
    body::Body,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{error::ApiError, fault::Fault};

/// What goes wrong with a create request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CreateFault {
    /// The connection breaks before the request is processed: no task is created.
    LostRequest,
    /// The connection breaks after the task was created.
    LostAnswer,
    /// 500 before the request is processed.
    ErrorBefore,
    /// 500 after the task was created.
    ErrorAfter,
    /// The task is created, and the response is 200 with an HTML page, as from a proxy.
    Garbage,
    /// The task is created, and the response is 400 with the error of a proxy, in the form of the API's errors.
    ProxyErrorAfter,
    /// The task is created, and the response arrives when the fault is removed.
    Held,
    /// 429: no task is created.
    RateLimited {
        /// The `Retry-After` header, in seconds.
        retry_after: Option<u64>,
    },
    /// 403: the account is overdue. No task is created.
    Overdue,
    /// 404 from an ingress that has no backend. No task is created.
    NoBackend,
}

impl CreateFault {
    /// Returns the response at a time to a request that is not processed, or `None` if a task is created.
    pub(crate) fn before(self, now: SystemTime) -> Option<Response> {
        Some(match self {
            Self::LostRequest => broken(),
            Self::ErrorBefore => ApiError::unavailable().into_response(),
            Self::RateLimited { retry_after } => {
                Fault::RateLimited { retry_after }.response(now)?
            }
            Self::Overdue => ApiError::overdue().into_response(),
            Self::NoBackend => Fault::NoBackend.response(now)?,
            Self::LostAnswer
            | Self::ErrorAfter
            | Self::Garbage
            | Self::ProxyErrorAfter
            | Self::Held => return None,
        })
    }

    /// Returns the response after a task was created, or `None` if it is that of the API.
    pub(crate) fn after(self) -> Option<Response> {
        match self {
            Self::LostAnswer => Some(broken()),
            Self::ErrorAfter => Some(ApiError::unavailable().into_response()),
            Self::Garbage => Some(Html("<html><body>welcome</body></html>").into_response()),
            Self::ProxyErrorAfter => {
                let body =
                    r#"{"error": {"message": "upstream request failed", "type": "proxy_error"}}"#;
                Some((StatusCode::BAD_REQUEST, body).into_response())
            }
            _ => None,
        }
    }
}

/// Returns a response whose connection breaks before its body.
fn broken() -> Response {
    let error = io::Error::from(io::ErrorKind::ConnectionAborted);
    let body = Body::from_stream(stream::iter([Err::<Bytes, _>(error)]));
    (StatusCode::OK, body).into_response()
}

/// The faults of the requests to come.
#[derive(Default)]
pub(crate) struct CreateFaults {
    /// That of every request, unless it has its own.
    of_all: watch::Sender<Option<CreateFault>>,
    /// Those of the next requests, one each. `None`: nothing goes wrong.
    of_next: Mutex<VecDeque<Option<CreateFault>>>,
}

impl CreateFaults {
    pub(crate) fn set(&self, fault: Option<CreateFault>) {
        self.of_all.send_replace(fault);
    }

    pub(crate) fn add(&self, faults: impl IntoIterator<Item = Option<CreateFault>>) {
        self.of_next.lock().extend(faults);
    }

    /// Returns the fault of a request.
    pub(crate) fn take(&self) -> Option<CreateFault> {
        let next = self.of_next.lock().pop_front();
        next.unwrap_or_else(|| *self.of_all.borrow())
    }

    /// Waits while responses are held.
    pub(crate) async fn released(&self) {
        let is_over = |fault: &Option<CreateFault>| *fault != Some(CreateFault::Held);
        // Never fails, because `self` owns the sender.
        let _ = self.of_all.subscribe().wait_for(is_over).await;
    }
}
