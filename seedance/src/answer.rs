//! The layers of a response: the record, and the objects in which a gateway wraps it.

use seedance_archiver_proto::status;
use serde_json::{Map, Value};

use crate::fields::Fields;

/// Names of the field with the task id, apart from `id`.
const TASK_ID: [&str; 2] = ["task_id", "taskId"];

/// A response with a record.
pub(crate) struct Answer<'a> {
    record: &'a Map<String, Value>,
    /// The objects around the record, from the innermost outward.
    around: Vec<&'a Map<String, Value>>,
    /// The fields that lead to the record, from the outermost inward.
    wrappers: Vec<&'static str>,
}

impl<'a> Answer<'a> {
    /// Splits a response into its layers. The record is the innermost object that has a status.
    pub(crate) fn new(answer: &'a Map<String, Value>) -> Self {
        let mut found = Self {
            record: answer,
            around: Vec::new(),
            wrappers: Vec::new(),
        };
        let mut layers = vec![answer];
        let mut wrappers = Vec::new();
        let mut layer = answer;
        while let Some((wrapper, inner)) = unwrap(layer) {
            wrappers.push(wrapper);
            if !status_in(inner).is_empty() {
                found.record = inner;
                found.around = layers.iter().rev().copied().collect();
                found.wrappers.clone_from(&wrappers);
            }
            layers.push(inner);
            layer = inner;
        }
        found
    }

    /// Returns the record.
    pub(crate) fn record(&self) -> Fields<'a> {
        Fields(self.record)
    }

    /// Returns the layers from the record outward.
    pub(crate) fn outward(&self) -> Vec<&'a Map<String, Value>> {
        let mut layers = vec![self.record];
        layers.extend(&self.around);
        layers
    }

    pub(crate) fn is_wrapped(&self) -> bool {
        !self.wrappers.is_empty()
    }

    /// Returns the fields that lead to the record.
    pub(crate) fn wrappers(&self) -> &[&'static str] {
        &self.wrappers
    }

    /// Returns the status in the words of the service. Empty if there is none.
    pub(crate) fn status(&self) -> String {
        status_in(self.record)
    }

    /// Returns the task id: a gateway may put it beside, around or in the record, whose `id` is then its own.
    pub(crate) fn task_id(&self) -> Option<String> {
        let named = |fields: Fields<'_>| fields.first_text(&TASK_ID);
        let record = self.record();
        let beside = record.object("data").map(named);
        let around = self.around.iter().map(|layer| named(Fields(layer)));
        let in_wrapped = self.is_wrapped().then(|| named(record));
        let own = [record.text("id"), named(record)];
        let ids = beside.into_iter().chain(around).chain(in_wrapped);
        ids.chain(own).find(|id| !id.is_empty())
    }
}

fn unwrap(layer: &Map<String, Value>) -> Option<(&'static str, &Map<String, Value>)> {
    let inner = |name: &&'static str| Some((*name, layer.get(*name)?.as_object()?));
    status::WRAPPERS.iter().find_map(inner)
}

fn status_in(layer: &Map<String, Value>) -> String {
    Fields(layer).first_text(&status::FIELDS)
}
