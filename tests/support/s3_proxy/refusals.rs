//! Responses that a dialect gives instead of the server.

use std::time::Duration;

use axum::{
    http::{Method, StatusCode, header},
    response::Response,
};
use parking_lot::Mutex;

use super::{
    dialect::Dialect,
    errors::{error, long_error},
    request::S3Request,
};

/// How long a slow store waits.
const SLOW: Duration = Duration::from_secs(600);

/// The keys of requests that had their conflict.
#[derive(Default)]
pub(super) struct Conflicts(Mutex<Vec<String>>);

impl Conflicts {
    /// Returns whether the key of a request had no conflict yet.
    fn is_first(&self, request: &S3Request) -> bool {
        let key = request.key().to_owned();
        let mut conflicts = self.0.lock();
        let is_first = !conflicts.contains(&key);
        conflicts.push(key);
        is_first
    }
}

/// Returns the response to every request during an outage.
pub(super) fn outage(dialect: Dialect) -> Option<Response> {
    match dialect {
        Dialect::DeniesEverything => Some(error(StatusCode::FORBIDDEN, "AccessDenied")),
        Dialect::IsGone => Some(error(StatusCode::NOT_FOUND, "NoSuchBucket")),
        Dialect::IsUnavailable => {
            Some(error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"))
        }
        _ => None,
    }
}

/// Returns the response that a dialect gives instead of the server.
pub(super) async fn refusal(
    dialect: Dialect,
    request: &S3Request,
    conflicts: &Conflicts,
) -> Option<Response> {
    let (method, headers) = (&request.method, &request.headers);
    let has = |name: &str| request.has_parameter(name);
    let (is_get, is_put) = (method == Method::GET, method == Method::PUT);
    let is_list = is_get && (has("list-type") || has("uploads"));
    let is_condition = headers.contains_key(header::IF_NONE_MATCH);
    let is_complete = request.is_completion();
    let is_record = is_put && !has("partNumber") && !request.is_copy();
    let is_delete = method == Method::DELETE && !has("uploadId") || has("delete");
    let is_overwrite = is_record && !is_condition;
    let denied = Some(error(StatusCode::FORBIDDEN, "AccessDenied"));
    match dialect {
        Dialect::DeniesPut if is_record => denied,
        Dialect::DeniesGet if is_get && !is_list => {
            let is_existing = request.target.contains("created");
            denied.filter(|_| is_existing)
        }
        Dialect::DeniesTags if headers.contains_key("x-amz-tagging") => denied,
        Dialect::DeniesUpload if method == Method::POST && has("uploads") => denied,
        Dialect::DeniesPart if has("partNumber") => denied,
        Dialect::DeniesAbort if method == Method::DELETE && has("uploadId") => denied,
        Dialect::DeniesList if has("list-type") => denied,
        Dialect::DeniesListUploads if is_get && has("uploads") => denied,
        Dialect::DeniesDelete if is_delete => denied,
        Dialect::DeniesReplacing if is_overwrite => denied,
        Dialect::RejectsStorageClass if headers.contains_key("x-amz-storage-class") => {
            Some(error(StatusCode::BAD_REQUEST, "InvalidStorageClass"))
        }
        Dialect::RejectsConditions if is_condition => {
            Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
        }
        Dialect::RejectsConditionalComplete | Dialect::CopiesLikeR2
            if is_complete && is_condition =>
        {
            Some(error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"))
        }
        Dialect::RefusesConditionalComplete if is_complete && is_condition => {
            Some(error(StatusCode::BAD_REQUEST, "NotImplemented"))
        }
        Dialect::ConflictsOnce if is_condition && conflicts.is_first(request) => {
            Some(error(StatusCode::CONFLICT, "ConditionalRequestConflict"))
        }
        Dialect::ConflictsAlways if is_complete && is_condition => {
            Some(error(StatusCode::CONFLICT, "ConditionalRequestConflict"))
        }
        Dialect::IsArchived if is_get && !is_list => {
            Some(error(StatusCode::FORBIDDEN, "InvalidObjectState"))
        }
        Dialect::FailsReads if is_get && !is_list => {
            Some(error(StatusCode::BAD_REQUEST, "RequestTimeTooSkewed"))
        }
        Dialect::FailsAtLength => Some(long_error()),
        Dialect::IsSlow if is_complete => {
            tokio::time::sleep(SLOW).await;
            None
        }
        _ => None,
    }
}
