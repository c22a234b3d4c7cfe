//! All tasks, and their request counts.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use parking_lot::Mutex;
use seedance_archiver_proto::status;

use crate::{
    create_request::CreateRequest,
    script::Script,
    task::{Task, Times},
};

/// Request counts of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Queries of its record, failed ones included.
    pub queries: u64,
    /// Those after its query window had closed, although it was returned before.
    pub queries_outside_window: u64,
    /// Downloads of its video that returned bytes.
    pub downloads: u64,
    /// Downloads of its video that are in progress.
    pub open_downloads: u64,
    /// Bytes of its video that were sent.
    pub bytes_sent: u64,
    /// Requests for its video that were answered with the status of a busy host.
    pub busy: u64,
    /// Requests for its video that were answered with an error page.
    pub error_pages: u64,
    /// Attempts to send a callback about it.
    pub callbacks: u64,
}

/// The tasks, and the counts of every task id that was requested.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Mutex<Index>,
    stats: Mutex<BTreeMap<String, Stats>>,
    created: AtomicU64,
    lists: AtomicU64,
    queries: AtomicU64,
    final_queries: AtomicU64,
}

/// The tasks, by id and by age.
#[derive(Default)]
struct Index {
    by_id: BTreeMap<String, Arc<Task>>,
    /// By creation time and number, so that a page is read without sorting the tasks.
    by_age: BTreeMap<(SystemTime, u64), Arc<Task>>,
}

impl Index {
    fn newest_first(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.by_age.values().rev()
    }
}

/// A page of a list.
pub(crate) struct Page {
    /// The tasks on the page, newest first.
    pub(crate) tasks: Vec<Arc<Task>>,
    /// The number of tasks on all pages.
    pub(crate) total: usize,
}

impl Page {
    /// Returns the tasks at these positions among those that match.
    fn new<'a>(
        tasks: impl Iterator<Item = &'a Arc<Task>>,
        positions: Range<usize>,
        matches: impl Fn(&Task) -> bool,
    ) -> Self {
        let mut page = Self {
            tasks: Vec::new(),
            total: 0,
        };
        for task in tasks.filter(|task| matches(task)) {
            if positions.contains(&page.total) {
                page.tasks.push(task.clone());
            }
            page.total += 1;
        }
        page
    }
}

impl Tasks {
    pub(crate) fn create(&self, request: CreateRequest, script: Script, times: Times) -> Arc<Task> {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let task = Arc::new(Task::new(number, request, script, times));
        let mut tasks = self.tasks.lock();
        tasks.by_id.insert(task.id.clone(), task.clone());
        tasks.by_age.insert(task.age_key(), task.clone());
        task
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Task>> {
        self.tasks.lock().by_id.get(id).cloned()
    }

    /// Returns all tasks, newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Task>> {
        self.tasks.lock().newest_first().cloned().collect()
    }

    /// Returns a page of all tasks that match.
    pub(crate) fn page(&self, positions: Range<usize>, matches: impl Fn(&Task) -> bool) -> Page {
        Page::new(self.tasks.lock().newest_first(), positions, matches)
    }

    /// Returns a page of the tasks with these ids that match.
    pub(crate) fn page_of(
        &self,
        ids: &[String],
        positions: Range<usize>,
        matches: impl Fn(&Task) -> bool,
    ) -> Page {
        let tasks = self.tasks.lock();
        let named = ids.iter().filter_map(|id| tasks.by_id.get(id));
        let by_age: BTreeMap<_, _> = named.map(|task| (task.age_key(), task)).collect();
        Page::new(by_age.into_values().rev(), positions, matches)
    }

    /// Cancels a queued task, or deletes the record of a task that has ended.
    ///
    /// # Errors
    ///
    /// Returns the status as the error if the task is running or cancelled.
    pub(crate) fn delete(&self, task: &Task, now: SystemTime) -> Result<(), &'static str> {
        match task.status(now).0 {
            status @ (status::RUNNING | status::CANCELLED) => return Err(status),
            status::QUEUED => task.cancel(now),
            _ => {
                let mut tasks = self.tasks.lock();
                tasks.by_id.remove(&task.id);
                tasks.by_age.remove(&task.age_key());
            }
        }
        Ok(())
    }

    pub(crate) fn stats(&self, id: &str) -> Stats {
        self.stats.lock().get(id).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self, id: &str, change: impl FnOnce(&mut Stats)) {
        change(self.stats.lock().entry(id.to_owned()).or_default());
    }

    /// Counts a query.
    pub(crate) fn count_query(&self, id: &str) {
        self.queries.fetch_add(1, Ordering::Relaxed);
        self.count(id, |stats| stats.queries += 1);
    }

    /// Counts a query that returned the record of an ended task.
    pub(crate) fn count_final_query(&self) {
        self.final_queries.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of queries that returned the record of an ended task.
    pub(crate) fn final_queries(&self) -> u64 {
        self.final_queries.load(Ordering::Relaxed)
    }

    /// Returns the number of queries of all tasks, failed ones included.
    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Returns the number of list requests, failed ones included.
    pub(crate) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    pub(crate) fn count_list(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
    }
}
