//! The lists of the account, as the watcher uses them.

use std::collections::BTreeSet;

use seedance_archiver_proto::v1::VideoTask;

use super::{Entry, System, Watcher, What};
use crate::{
    mutation::Mutation,
    service::ApiError,
    world::{Kind, List},
};

impl System<'_> {
    /// Lists tasks by their ids: `listed_tasks`.
    pub(super) fn list_tasks(&mut self, watcher: &mut Watcher, ids: &[String]) {
        let Some(list) = self.world.list.clone() else {
            return;
        };
        let filter = list.filters.then_some(ids);
        let Some(records) = self.list(watcher, &list, filter) else {
            return;
        };
        let is_requested = |record: &VideoTask| ids.contains(&record.id);
        let is_filtered = records.iter().all(is_requested) && (!records.is_empty() || list.filters);
        match is_filtered {
            true => watcher.tasks.missed_in_list(&missing(ids, &records), 0),
            false => watcher.max_ids = 0,
        }
        self.look_at_items(watcher, records);
    }

    /// Lists the first page, on which these tasks are expected: `listed_page`.
    pub(super) fn list_page(&mut self, watcher: &mut Watcher, expected: &[String]) {
        let Some(list) = self.world.list.clone() else {
            return;
        };
        if let Some(records) = self.list(watcher, &list, None) {
            watcher.tasks.missed_on_page(&missing(expected, &records));
            self.look_at_items(watcher, records);
        }
    }

    fn look_at_items(&mut self, watcher: &mut Watcher, records: Vec<VideoTask>) {
        for record in records {
            match watcher.tasks.includes(&record.id) {
                true => self.look(watcher, record, true),
                false => {
                    watcher.tasks.note(&record);
                }
            }
        }
    }

    /// Sends a list request, for all tasks or only for those with these ids. Returns the items, `None` if it failed.
    fn list(
        &mut self,
        watcher: &mut Watcher,
        list: &List,
        ids: Option<&[String]>,
    ) -> Option<Vec<VideoTask>> {
        self.wait_for_list();
        let error = self.list_error();
        let retry_after = error.as_ref().and_then(|error| error.retry_after);
        self.log.push(Entry {
            at: self.now,
            task: None,
            what: What::List {
                retry_after: retry_after.map(|delay| delay.as_secs()),
            },
        });
        if let Some(error) = error {
            let error = match self.has(Mutation::ListsBeforeRetryAfter) {
                true => error.without_retry_after(),
                false => error,
            };
            watcher.lists.failed(&error, self.now);
            watcher.failing_since.get_or_insert(self.now);
            return None;
        }
        watcher.lists.answered();
        watcher.failing_since = None;
        let then = self.now.saturating_sub(list.lag);
        let tasks = (0..self.world.tasks.len()).filter(|task| !list.omits.contains(task));
        let tasks = tasks.filter(|task| self.world.tasks[*task].created <= then);
        let is_requested = |id: &String| ids.is_none_or(|ids| ids.contains(id));
        let tasks = tasks.filter(|task| is_requested(&self.world.tasks[*task].id));
        let mut tasks: Vec<_> = tasks.collect();
        if list.repeats {
            tasks.extend(tasks.first().copied());
        }
        let records = tasks
            .into_iter()
            .filter_map(|task| self.service.record(task, then).ok());
        Some(records.collect())
    }

    fn list_error(&mut self) -> Option<ApiError> {
        let is_error =
            |kind: &Kind| matches!(kind, Kind::List | Kind::Api { .. } | Kind::Unreadable);
        match &self.world.fault(self.now, is_error)?.kind {
            Kind::List => Some(self.service.unavailable()),
            // Each request fails alike.
            _ => self.service.query(0, self.now).err(),
        }
    }
}

fn missing(ids: &[String], records: &[VideoTask]) -> Vec<String> {
    let listed: BTreeSet<_> = records.iter().map(|record| record.id.as_str()).collect();
    let missing = ids.iter().filter(|id| !listed.contains(id.as_str()));
    missing.cloned().collect()
}
