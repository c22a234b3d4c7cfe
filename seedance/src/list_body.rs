//! Reads a page of the list from a response.

use std::iter;

use seedance_archiver_proto::{task_id, v1::VideoContent};
use serde_json::{Map, Value};

use crate::{
    Error, Record,
    answer::Answer,
    decode,
    fields::Fields,
    json,
    received::{self, Received},
    task::{self, Dialect},
};

/// Names of the field with the items, and of the objects in which gateways wrap it.
const ITEMS: [&str; 5] = ["items", "data", "tasks", "list", "records"];

/// A page of the list.
pub(crate) struct List {
    /// Each task, or why it cannot be read.
    pub(crate) items: Vec<Result<Record, String>>,
    /// The number of tasks on all pages. `None`: the service does not say.
    pub(crate) total: Option<i64>,
}

/// Reads a page of the list. An item that cannot be read does not affect the others.
pub(crate) fn list(body: &[u8], dialect: &Dialect) -> Result<List, Error> {
    let text = json::text(body);
    let fields = decode::object(&text)?;
    let Some(Items { list, values, path }) = items_in(&fields) else {
        return Err(decode::error_in(&fields, "the response has no `items`"));
    };
    let texts = received::items(&text, &path).unwrap_or_default();
    let texts = texts.into_iter().chain(iter::repeat_with(String::new));
    let items = values.iter().zip(texts);
    let items = items.map(|(item, text)| record(item, text, dialect));
    Ok(List {
        items: items.collect(),
        total: list.integer("total"),
    })
}

/// Reads the URLs of each item of a page that [`list`] can read, and nothing else.
pub(crate) fn urls(body: &[u8], dialect: &Dialect) -> Vec<Option<VideoContent>> {
    let Ok(fields) = decode::object(&json::text(body)) else {
        return Vec::new();
    };
    let items = items_in(&fields).map(|items| items.values);
    let urls = |item: &Value| task::urls(&Answer::new(item.as_object()?), dialect);
    items.unwrap_or_default().iter().map(urls).collect()
}

impl List {
    /// Replaces the URLs of each item, as [`Record::set_urls`] does.
    pub(crate) fn set_urls(&mut self, received: Vec<Option<VideoContent>>) {
        if received.len() != self.items.len() {
            return;
        }
        for (item, urls) in self.items.iter_mut().zip(received) {
            if let (Ok(record), Some(urls)) = (item, urls) {
                record.set_urls(urls);
            }
        }
    }
}

/// The items of a list.
struct Items<'a> {
    /// The object that contains the items.
    list: Fields<'a>,
    values: &'a [Value],
    /// The fields that lead to the items, from the outermost inward.
    path: Vec<&'static str>,
}

/// Finds the items of a list, which gateways may wrap. Some services return `null` for no items.
fn items_in(answer: &Map<String, Value>) -> Option<Items<'_>> {
    let mut list = answer;
    let mut path = Vec::new();
    loop {
        let values = ITEMS
            .into_iter()
            .find_map(|name| Some((name, list.get(name)?.as_array()?.as_slice())));
        let is_empty = || list.get("items").is_some_and(Value::is_null);
        if let Some((name, values)) = values.or_else(|| is_empty().then_some(("items", &[]))) {
            path.push(name);
            let list = Fields(list);
            return Some(Items { list, values, path });
        }
        let (name, inner) = ITEMS
            .into_iter()
            .find_map(|name| Some((name, list.get(name)?.as_object()?)))?;
        path.push(name);
        list = inner;
    }
}

fn record(item: &Value, text: String, dialect: &Dialect) -> Result<Record, String> {
    let item = item.as_object().ok_or("not an object")?;
    let answer = Answer::new(item);
    if answer.status().is_empty() {
        return Err("no `status`".into());
    }
    let id = answer.task_id().unwrap_or_default();
    task_id::check(&id).map_err(|problem| format!("`id` {problem}"))?;
    let task = task::read(&answer, &id, dialect);
    Ok(Record::new(task, Received::new(text, answer.wrappers())))
}

#[cfg(test)]
mod tests;
