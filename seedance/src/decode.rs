//! Reads responses of the task API. Services differ in details, so what a field means counts, not where it is.

use seedance_archiver_proto::{status, v1::VideoContent};
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, Record,
    answer::Answer,
    error_body::{ErrorBody, Meaning},
    json,
    received::Received,
    task::{self, Dialect},
};

/// Reads the record of the task `task_id`.
pub(crate) fn record(body: &[u8], task_id: &str, dialect: &Dialect) -> Result<Record, Error> {
    let text = json::text(body);
    let fields = object(&text)?;
    let answer = Answer::new(&fields);
    if answer.status().is_empty() {
        return Err(error_in(&fields, "the response has no `status`"));
    }
    let id = answer.record().text("id");
    // A gateway that wraps records has its own ids.
    if !id.is_empty() && id != task_id && !answer.is_wrapped() {
        let problem = format!("the response is about another task, {id:?}");
        return Err(Error::new(ErrorKind::Unexpected, problem));
    }
    let task = task::read(&answer, task_id, dialect);
    let is_unsuccessful = status::is_terminal(&task.status) && task.status != status::SUCCEEDED;
    if is_unsuccessful && !task::is_described(&answer) {
        return Err(error_in(
            &fields,
            "the response has a status, but nothing else of a task",
        ));
    }
    let received = Received::new(text, answer.wrappers());
    Ok(Record::new(task, received))
}

/// Reads the URLs in a response that [`record`] can read, and nothing else.
pub(crate) fn urls(body: &[u8], dialect: &Dialect) -> Option<VideoContent> {
    let fields = object(&json::text(body)).ok()?;
    task::urls(&Answer::new(&fields), dialect)
}

/// Reads a JSON object.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, Error> {
    let unexpected = |text: String| Error::new(ErrorKind::Unexpected, text);
    let answer = json::parse(text)
        .map_err(|error| unexpected(format!("the response is not JSON: {error}")))?;
    match answer {
        Value::Object(fields) => Ok(fields),
        _ => Err(unexpected("the response is not a JSON object".into())),
    }
}

/// Returns the error in a response with a status of success: its code decides its kind.
pub(crate) fn error_in(answer: &Map<String, Value>, otherwise: &str) -> Error {
    let Some(error) = ErrorBody::in_answer(answer) else {
        return Error::new(ErrorKind::Unexpected, otherwise);
    };
    Error::new(kind_of(&error), error.text()).with_meaning(error.meaning_for_request())
}

/// Returns the kind of an error whose HTTP status does not decide it.
pub(crate) fn kind_of(error: &ErrorBody) -> ErrorKind {
    match error.meaning() {
        Some(Meaning::NotFound) if error.is_about_task() => ErrorKind::NotFound,
        Some(Meaning::RateLimited) => ErrorKind::RateLimited,
        Some(Meaning::Unauthorized) => ErrorKind::Unauthorized,
        _ => ErrorKind::Unexpected,
    }
}

/// Returns the task id in the body of a callback.
pub fn task_id_in_callback(body: &[u8]) -> Option<String> {
    let body = json::read_json(body)?;
    Answer::new(body.as_object()?).task_id()
}

#[cfg(test)]
mod tests;
