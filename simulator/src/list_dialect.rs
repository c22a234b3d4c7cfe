//! Ways in which the lists of services and gateways differ from the documented one.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// How the list of tasks differs from the documented one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ListDialect {
    /// Every page is the first one.
    IgnoresPageNum,
    /// A page has at most this many tasks, whatever `page_size` is, and its `total` is their number.
    LimitsPages(usize),
    /// A request without `filter.model` is rejected with 403, as for a key with custom permissions.
    RequiresModel,
    /// A request with `filter.service_tier` is rejected with 400.
    RefusesTiers,
    /// A request with `filter.service_tier` is answered with 404.
    LacksTiers,
    /// Without `filter.service_tier` the tasks of all tiers are listed.
    ListsAllTiers,
    /// `filter.task_ids` has no effect.
    IgnoresTaskIds,
    /// Items have no `content`.
    NoContent,
    /// Items have neither `seed` nor `usage`.
    ShortItems,
    /// The first item of each page has no `status`.
    UnreadableItem,
    /// The list shows the tasks as they were this long ago. URLs are signed at that time too.
    Lags(Duration),
}

/// The dialects of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListDialects(pub(crate) Vec<ListDialect>);

impl ListDialects {
    pub(crate) fn contains(&self, dialect: ListDialect) -> bool {
        self.0.contains(&dialect)
    }

    /// Returns the maximum number of tasks on a page.
    pub(crate) fn page_limit(&self) -> Option<usize> {
        self.0.iter().find_map(|dialect| match dialect {
            ListDialect::LimitsPages(limit) => Some(*limit),
            _ => None,
        })
    }

    /// Returns the time whose tasks a list shows at the time `now`.
    pub(crate) fn shown_at(&self, now: SystemTime) -> SystemTime {
        let lags = self.0.iter().filter_map(|dialect| match dialect {
            ListDialect::Lags(lag) => Some(*lag),
            _ => None,
        });
        lags.fold(now, |time, lag| time - lag)
    }

    /// Changes the items of a page.
    pub(crate) fn apply(&self, items: &mut [Value]) {
        for dialect in &self.0 {
            match dialect {
                ListDialect::NoContent => remove(items, &["content"]),
                ListDialect::ShortItems => remove(items, &["seed", "usage"]),
                ListDialect::UnreadableItem => {
                    if let Some(first) = items.first_mut() {
                        *first = json!({"id": first["id"]});
                    }
                }
                _ => {}
            }
        }
    }
}

fn remove(items: &mut [Value], names: &[&str]) {
    let fields = items.iter_mut().filter_map(Value::as_object_mut);
    for fields in fields {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}
