//! Creates a task. The API has no idempotency key, so nothing here repeats a request.

use std::time::Duration;

use reqwest::Method;
use seedance_archiver_proto::task_id;
use serde_json::{Map, Value};

use crate::{
    Client, Endpoint, Error, ErrorKind,
    call::{Call, MAX_RECORD, QUERY_WAIT},
    decode,
    error_body::ErrorBody,
    fields::Fields,
    json,
    repeated_secrets::Body,
};

/// Fields in which gateways wrap the answer.
const WRAPPERS: [&str; 4] = ["data", "result", "response", "output"];
/// Names of the field with the task id.
const TASK_ID: [&str; 3] = ["id", "task_id", "taskId"];

impl Client {
    /// Creates a task with one request, whose body is `body`, and returns its id. Waits for the rate limit of queries for
    /// at most 2 s.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]. **A task may have been created although an error is returned**: [`Error::answer`] says what came
    /// back. Nothing is retried.
    pub async fn create(&self, endpoint: &Endpoint, body: String) -> Result<String, Error> {
        let url = endpoint.list_url().ok_or_else(|| unknown_path(endpoint))?;
        let call = Call {
            kind: "create",
            method: Method::POST,
            url,
            body: Some(body),
            subject: "create",
            rate_limit: &endpoint.query_limit,
            max_wait: QUERY_WAIT,
            longest_pause: Duration::ZERO,
            max_body: MAX_RECORD,
        };
        let decode = |body: &Body| task_id_in_answer(&body.safe);
        self.call(endpoint, call, decode).await
    }
}

fn unknown_path(endpoint: &Endpoint) -> Error {
    let text = format!(
        "cannot create tasks for account `{}`: the path of the tasks does not follow from its task_path",
        endpoint.account
    );
    Error::new(ErrorKind::Unsupported, text).not_sent()
}

/// Reads the id of the created task.
fn task_id_in_answer(body: &[u8]) -> Result<String, Error> {
    let answer = decode::object(&json::text(body))?;
    // Some gateways send an error without a content together with the task.
    let error = answer.get("error").and_then(Value::as_object);
    let has_error = error.is_some_and(|error| ErrorBody::in_answer(error).is_some());
    match innermost_id(&answer) {
        Some(id) if !has_error => Ok(id),
        _ => Err(decode::error_in(&answer, "the response has no task id")),
    }
}

/// Returns the id in the innermost object that has one: a gateway has ids of its own.
fn innermost_id(layer: &Map<String, Value>) -> Option<String> {
    let wrapped = || {
        WRAPPERS
            .iter()
            .filter_map(|name| layer.get(*name)?.as_object())
    };
    let inner = wrapped().find_map(innermost_id);
    let own = || Fields(layer).first_text(&TASK_ID);
    inner.or_else(|| Some(own()).filter(|id| task_id::check(id).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallAnswer, ErrorMeaning};

    fn read(body: &str) -> Result<String, Error> {
        task_id_in_answer(body.as_bytes())
    }

    #[test]
    fn the_id_is_found_in_the_answers_of_gateways_too() {
        for body in [
            r#"{"id": "cgt-1"}"#,
            r#"{"id": "cgt-1", "safety_identifier": "user-7", "error": null}"#,
            r#"{"id": "cgt-1", "error": {}}"#,
            r#"{"id": "cgt-1", "error": {"code": "", "message": ""}}"#,
            r#"{"task_id": "cgt-1"}"#,
            r#"{"code": "success", "data": {"id": "cgt-1"}}"#,
            r#"{"id": "gateway-7", "data": {"data": {"task_id": "cgt-1"}}}"#,
            r#"{"code": 0, "result": {"taskId": "cgt-1"}}"#,
        ] {
            assert_eq!(read(body).unwrap(), "cgt-1", "{body}");
        }
    }

    #[test]
    fn an_answer_without_an_id_is_an_error() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"id": ""}"#,
            r#"{"id": "a/b"}"#,
            r#"{"data": "x"}"#,
        ] {
            let error = read(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{body}");
        }
        let body = r#"{"id": "r-1", "error": {"code": "InvalidParameter", "message": "no"}}"#;
        let error = read(body).unwrap_err().with_status(200);
        let status = 200;
        let meaning = Some(ErrorMeaning::Invalid);
        let expected = CallAnswer::Response {
            status,
            error: meaning,
        };
        assert_eq!(error.answer(), expected);
    }
}
