//! Reads responses of the task API. Services differ in details, so what a field means counts, not where it is.

use serde_json::{Map, Value};

use seedance_archiver_proto::task_id;

use crate::{
    Error, ErrorKind, Record,
    answer::Answer,
    error_body::{ErrorBody, Meaning},
    fields::Fields,
    json, received,
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
    let received = received::unwrapped(&text, answer.wrappers()).unwrap_or(text);
    let task = task::read(&answer, task_id, dialect);
    Ok(Record::new(task, received::without_secrets(&received)))
}

/// A page of the list.
pub(crate) struct List {
    /// Each task, or why it cannot be read.
    pub(crate) items: Vec<Result<Record, String>>,
    /// The number of tasks on all pages. 0: the service does not say.
    pub(crate) total: i64,
}

/// Reads a page of the list. An item that cannot be read does not affect the others.
pub(crate) fn list(body: &[u8], dialect: &Dialect) -> Result<List, Error> {
    let fields = object(&json::text(body))?;
    let Some((list, items)) = items_in(&fields) else {
        return Err(error_in(&fields, "the response has no `items`"));
    };
    let items = items.iter().map(|item| item_record(item, dialect));
    Ok(List {
        items: items.collect(),
        total: list.integer("total").unwrap_or_default(),
    })
}

/// Returns the list, which gateways may wrap, and its items. Some services return `null` for no items.
fn items_in(answer: &Map<String, Value>) -> Option<(Fields<'_>, &[Value])> {
    const ITEMS: [&str; 5] = ["items", "data", "tasks", "list", "records"];
    let mut list = answer;
    loop {
        let fields = ITEMS.iter().filter_map(|name| list.get(*name));
        let items = fields.clone().find_map(Value::as_array);
        if let Some(items) = items {
            return Some((Fields(list), items));
        }
        if list.get("items").is_some_and(Value::is_null) {
            return Some((Fields(list), &[]));
        }
        list = fields.clone().find_map(Value::as_object)?;
    }
}

fn item_record(item: &Value, dialect: &Dialect) -> Result<Record, String> {
    let item = item.as_object().ok_or("not an object")?;
    let answer = Answer::new(item);
    if answer.status().is_empty() {
        return Err("no `status`".into());
    }
    let id = answer.task_id().unwrap_or_default();
    task_id::check(&id).map_err(|problem| format!("`id` {problem}"))?;
    let task = task::read(&answer, &id, dialect);
    // Serialized only when it is archived, which happens to no record of a list.
    Ok(Record::new(task, String::new()))
}

fn object(text: &str) -> Result<Map<String, Value>, Error> {
    let unexpected = |text: String| Error::new(ErrorKind::Unexpected, text);
    let answer = json::parse(text)
        .map_err(|error| unexpected(format!("the response is not JSON: {error}")))?;
    match answer {
        Value::Object(fields) => Ok(fields),
        _ => Err(unexpected("the response is not a JSON object".into())),
    }
}

/// Returns the error in a response with a status of success: its code decides its kind.
fn error_in(answer: &Map<String, Value>, otherwise: &str) -> Error {
    let Some(error) = ErrorBody::in_answer(answer) else {
        return Error::new(ErrorKind::Unexpected, otherwise);
    };
    Error::new(kind_of(&error), error.text())
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
