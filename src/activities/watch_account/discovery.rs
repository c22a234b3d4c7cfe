//! Finds the tasks of an account with `auto_archive` that have no lifecycle.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use seedance_archiver_policy::pages::Lists;
use seedance_archiver_proto::v1::SweepPage;

use crate::seedance::{Page, Record};

/// Interval between two looks at the newest tasks. Tasks take longer to end.
const INTERVAL: Duration = Duration::from_secs(20);
/// Maximum number of tasks that are remembered.
const MAX_KNOWN: usize = 100_000;

/// The looks at the newest tasks of each list.
pub(super) struct Discovery {
    lists: Lists,
    /// The next page of the look that is running.
    next: Option<SweepPage>,
    started_at: Option<Instant>,
    is_first_look: bool,
    /// Ids of tasks that have a lifecycle or need none, or whose lifecycle is being started.
    known: BTreeSet<String>,
}

impl Discovery {
    pub(super) fn new(lists: &Lists) -> Self {
        Self {
            lists: lists.clone(),
            next: None,
            started_at: None,
            is_first_look: true,
            known: BTreeSet::new(),
        }
    }

    /// Returns the page to list now.
    pub(super) fn next(&mut self) -> Option<SweepPage> {
        let is_due = self.started_at.is_none_or(|at| at.elapsed() >= INTERVAL);
        if self.next.is_none() && is_due {
            self.started_at = Some(Instant::now());
            self.next = Some(self.lists.first());
        }
        self.next.take()
    }

    /// Continues after a page: with the next one if all its tasks were new, else with the next list.
    pub(super) fn listed(&mut self, page: &SweepPage, listed: &Page) {
        let has_known = listed.records.iter().any(|it| self.known.contains(it.id()));
        // A sweep has looked at what is older than the watcher.
        let is_last = listed.is_last || has_known || self.is_first_look;
        self.next = self.lists.after(page, is_last).map(|next| SweepPage {
            previous: listed.digest.clone(),
            ..next
        });
        self.is_first_look &= self.next.is_some();
    }

    /// Continues with the next list after a page that could not be listed. `is_missing`: the service has no such page. While
    /// the last list fails in another way, the first look is made again: the look after it reads each list up to the first task
    /// that is known, and nothing is known yet.
    pub(super) fn failed(&mut self, page: &SweepPage, is_missing: bool) {
        self.next = self.lists.after(page, true);
        self.is_first_look &= self.next.is_some() || !is_missing;
    }

    /// Returns whether a task needs to be looked at: once, until it is forgotten.
    pub(super) fn is_new(&mut self, record: &Record) -> bool {
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(record.id().to_owned())
    }

    /// Forgets a task whose lifecycle could not be started.
    pub(super) fn forget(&mut self, task_id: &str) {
        self.known.remove(task_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise every later look would read only the first page of each list. After an outage, it would read all pages.
    #[test]
    fn the_first_look_ends_if_the_last_list_is_refused() {
        for is_missing in [true, false] {
            let mut discovery = Discovery::new(&Lists::default());
            let mut page = discovery.next();
            while let Some(failed) = page {
                assert!(discovery.is_first_look, "{failed:?}");
                discovery.failed(&failed, is_missing);
                page = discovery.next.take();
            }
            assert_eq!(discovery.is_first_look, !is_missing);
        }
    }
}
