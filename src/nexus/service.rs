//! Answers requests: finds the operation, runs it, and counts the request.

use std::time::Duration;

use seedance_archiver_proto::names::{NEXUS_SERVICE, nexus_operation};
use temporalio_common::protos::temporal::api::nexus::v1::{
    CancelOperationResponse, Request, Response, StartOperationRequest, StartOperationResponse,
    request, response, start_operation_response,
};

use super::{await_video_task, context::Context, error::HandlerError, get_video_task};
use crate::telemetry::record;

/// Maximum duration of a request. A server gives up on it after 10 s.
const TIMEOUT: Duration = Duration::from_secs(9);

/// The service. Clones share everything.
#[derive(Clone)]
pub(crate) struct Service(Context);

/// A request, as the metrics count it.
#[derive(Clone, Copy, strum::IntoStaticStr)]
enum Kind {
    AwaitVideoTask,
    GetVideoTask,
    /// A cancellation of `AwaitVideoTask`.
    #[strum(serialize = "cancel")]
    Cancel,
    /// A request for another service or operation.
    #[strum(serialize = "unknown")]
    Unknown,
}

impl Service {
    pub(crate) fn new(context: Context) -> Self {
        Self(context)
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// Returns what the caller's server is told.
    pub(crate) async fn handle(&self, request: Request) -> Result<Response, HandlerError> {
        let kind = Kind::of(&request);
        let answer = tokio::time::timeout(TIMEOUT, self.answer(kind, request)).await;
        let answer = answer.unwrap_or_else(|_| {
            let limit = TIMEOUT.as_secs();
            let message = format!("Temporal did not respond within {limit} s");
            Err(HandlerError::Unavailable(message))
        });
        let operation = kind.into();
        match &answer {
            Ok(_) => record::nexus_request(operation, "ok"),
            Err(error) => {
                record::nexus_request(operation, error.error_type());
                let error_type = error.error_type();
                let error = error.message();
                tracing::warn!(operation, error_type, error, "Nexus request failed");
            }
        }
        answer
    }

    async fn answer(&self, kind: Kind, request: Request) -> Result<Response, HandlerError> {
        match (kind, request.variant) {
            (Kind::AwaitVideoTask, Some(request::Variant::StartOperation(start))) => {
                let started = await_video_task::start(&self.0, start).await?;
                Ok(started_with(
                    start_operation_response::Variant::AsyncSuccess(started),
                ))
            }
            (Kind::GetVideoTask, Some(request::Variant::StartOperation(start))) => {
                let reply = get_video_task::run(&self.0, start).await?;
                Ok(started_with(
                    start_operation_response::Variant::SyncSuccess(reply),
                ))
            }
            // The caller stops waiting. The lifecycle may have other callers, and its video must be archived.
            (Kind::Cancel, _) => Ok(Response {
                variant: Some(response::Variant::CancelOperation(
                    CancelOperationResponse {},
                )),
            }),
            (_, variant) => Err(unknown(variant)),
        }
    }
}

impl Kind {
    fn of(request: &Request) -> Self {
        use request::Variant::{CancelOperation, StartOperation};
        let (service, operation) = match &request.variant {
            Some(StartOperation(start)) => (&start.service, &start.operation),
            Some(CancelOperation(cancel)) => (&cancel.service, &cancel.operation),
            None => return Self::Unknown,
        };
        let is_cancellation = matches!(request.variant, Some(CancelOperation(_)));
        match operation.as_str() {
            _ if service != NEXUS_SERVICE => Self::Unknown,
            nexus_operation::AWAIT_VIDEO_TASK if is_cancellation => Self::Cancel,
            nexus_operation::AWAIT_VIDEO_TASK => Self::AwaitVideoTask,
            nexus_operation::GET_VIDEO_TASK if !is_cancellation => Self::GetVideoTask,
            _ => Self::Unknown,
        }
    }
}

fn started_with(variant: start_operation_response::Variant) -> Response {
    Response {
        variant: Some(response::Variant::StartOperation(StartOperationResponse {
            variant: Some(variant),
        })),
    }
}

fn unknown(variant: Option<request::Variant>) -> HandlerError {
    let (service, operation) = match variant {
        Some(request::Variant::StartOperation(StartOperationRequest {
            service,
            operation,
            ..
        })) => (service, operation),
        Some(request::Variant::CancelOperation(cancel)) => (cancel.service, cancel.operation),
        None => return HandlerError::BadRequest("the request is empty".to_owned()),
    };
    HandlerError::NotFound(format!(
        "no operation `{operation}` of a service `{service}`; the service `{NEXUS_SERVICE}` has the operations `{}` \
         and `{}`",
        nexus_operation::AWAIT_VIDEO_TASK,
        nexus_operation::GET_VIDEO_TASK
    ))
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::nexus::v1::CancelOperationRequest;

    use super::*;

    fn start(service: &str, operation: &str) -> request::Variant {
        request::Variant::StartOperation(StartOperationRequest {
            service: service.to_owned(),
            operation: operation.to_owned(),
            ..StartOperationRequest::default()
        })
    }

    fn cancel(service: &str, operation: &str) -> request::Variant {
        request::Variant::CancelOperation(CancelOperationRequest {
            service: service.to_owned(),
            operation: operation.to_owned(),
            ..CancelOperationRequest::default()
        })
    }

    #[test]
    fn only_the_two_operations_of_the_service_are_known() {
        for (variant, kind) in [
            (start(NEXUS_SERVICE, "AwaitVideoTask"), "AwaitVideoTask"),
            (start(NEXUS_SERVICE, "GetVideoTask"), "GetVideoTask"),
            (cancel(NEXUS_SERVICE, "AwaitVideoTask"), "cancel"),
            (cancel(NEXUS_SERVICE, "GetVideoTask"), "unknown"),
            (start(NEXUS_SERVICE, "ArchiveVideo"), "unknown"),
            (start("Other", "AwaitVideoTask"), "unknown"),
        ] {
            let request = Request {
                variant: Some(variant),
                ..Request::default()
            };
            assert_eq!(<&str>::from(Kind::of(&request)), kind, "{request:?}");
        }
    }

    #[test]
    fn an_unknown_operation_is_told_the_known_ones() {
        let error = unknown(Some(start("Other", "Archive")));
        assert_eq!(
            error,
            HandlerError::NotFound(
                "no operation `Archive` of a service `Other`; the service `SeedanceArchiver` has the operations \
                 `AwaitVideoTask` and `GetVideoTask`"
                    .to_owned()
            )
        );
    }
}
