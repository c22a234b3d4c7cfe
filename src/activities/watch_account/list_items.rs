//! Whether the items of the list are complete records. If they are, a succeeded task needs no further query: its item
//! becomes `task.json`. If not, the task is queried once for its record.

use std::collections::{BTreeMap, VecDeque};

use crate::seedance::{Record, is_as_complete};

/// Succeeded tasks whose complete records are queried, and what is known of items.
#[derive(Default)]
pub(super) struct ListItems {
    /// `None` until an item was compared with the answer to a query.
    are_complete: Option<bool>,
    /// Items of tasks whose records are queried, by id.
    queried: BTreeMap<String, Record>,
    /// Ids of those whose query was not sent yet.
    waiting: VecDeque<String>,
}

impl ListItems {
    /// Returns the item of a succeeded task if it is a complete record, or keeps it until the record is queried.
    pub(super) fn complete(&mut self, item: Record) -> Option<Record> {
        if self.are_complete == Some(true) {
            return Some(item);
        }
        self.query(item);
        None
    }

    /// Keeps an item until the record of its task is queried.
    pub(super) fn query(&mut self, item: Record) {
        let id = item.id().to_owned();
        if self.queried.insert(id.clone(), item).is_none() {
            self.waiting.push_back(id);
        }
    }

    /// Returns a task to query next.
    pub(super) fn next(&mut self) -> Option<String> {
        self.waiting.pop_front()
    }

    /// Takes the answer to the query of a task, and returns the record to deliver: the answer or, if there is none, the
    /// item. `None` if the task was not queried for its record.
    pub(super) fn queried(&mut self, id: &str, answer: Option<&Record>) -> Option<Record> {
        let item = self.queried.remove(id)?;
        if let Some(answer) = answer {
            self.are_complete = Some(is_as_complete(&item, answer));
        }
        Some(item)
    }
}
