//! When the watcher sends requests.

use crate::{
    log::{By, Life, What},
    time::MINUTE,
    world::World,
};

/// How long the service can ask the watcher to wait, at most.
const MAX_RETRY_AFTER: u64 = 15 * MINUTE;

/// What the watcher was asked, while its log is read.
#[derive(Default)]
struct Known {
    /// For each task until when it must not be queried.
    task_after: Vec<u64>,
    /// Until when no task must be queried.
    queries_after: u64,
    /// Until when no list must be requested.
    lists_after: u64,
    /// The first task whose query was refused since the last answer.
    refused: Option<usize>,
}

/// Checks that the watcher sends no query and no list before `Retry-After`.
pub(super) fn check(world: &World, life: &Life) -> Option<String> {
    let mut known = Known::new(world);
    for entry in &life.log {
        let problem = match (&entry.what, entry.task) {
            (What::Watcher(_), _) => {
                // The next attempt may run on another worker.
                known = Known::new(world);
                None
            }
            (What::List { retry_after }, _) => known.list(entry.at, *retry_after),
            (
                What::Query {
                    by: By::Watcher,
                    retry_after,
                    ..
                },
                Some(task),
            ) => known.query(task, entry.at, *retry_after),
            _ => None,
        };
        if let Some(text) = problem {
            return Some(format!("{text} by the watcher at {} s", entry.at));
        }
    }
    None
}

impl Known {
    fn new(world: &World) -> Self {
        Self {
            task_after: vec![0; world.tasks.len()],
            ..Self::default()
        }
    }

    fn list(&mut self, now: u64, retry_after: Option<u64>) -> Option<&'static str> {
        if now < self.lists_after {
            return Some("list before Retry-After");
        }
        self.lists_after = until(now, retry_after);
        None
    }

    fn query(&mut self, task: usize, now: u64, retry_after: Option<u64>) -> Option<&'static str> {
        if now < self.task_after[task] {
            return Some("query before Retry-After");
        }
        if now < self.queries_after {
            return Some("query although two tasks were refused");
        }
        self.task_after[task] = until(now, retry_after);
        if retry_after.is_none() {
            self.refused = None;
        } else if *self.refused.get_or_insert(task) != task {
            self.queries_after = until(now, retry_after);
        }
        None
    }
}

fn until(now: u64, retry_after: Option<u64>) -> u64 {
    now + retry_after.unwrap_or_default().min(MAX_RETRY_AFTER)
}
