//! The tasks that a watcher polls, and what it knows of them. It sends no request and reads no clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::{status, time::unix_seconds, v1::VideoTask};

use super::{Candidate, list_order::ListOrder, watched_task::WatchedTask};
use crate::{
    completions::{CompletionTimes, TaskKind, completed_after},
    pages,
    poll::{PollSchedule, is_later_status},
    windows::Windows,
};

/// How many tasks before the oldest watched one a list may show later than its creation time says.
const ORDER_MARGIN_S: i64 = 60 * 60;

/// A lifecycle that may wait for its task.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Id of the task.
    pub task_id: String,
    /// The creation time in the id.
    pub id_created_at: Option<SystemTime>,
    /// Status that the lifecycle knows. Empty: none.
    pub known_status: String,
    /// When the lifecycle started.
    pub started_at: SystemTime,
}

/// What a watcher knows in advance.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The lists of the account.
    pub lists: pages::Lists,
    /// How often the tasks of the account are polled.
    pub schedule: PollSchedule,
    /// How long they can be queried.
    pub windows: Windows,
    /// Whether the visibility store shows what lifecycles know.
    pub shows_statuses: bool,
    /// When it took over from an earlier watcher, which may have seen tasks. `None` if there was none.
    pub took_over_at: Option<SystemTime>,
}

/// The tasks of one account.
#[derive(Clone, Debug)]
pub struct WatchedTasks {
    watch: Watch,
    tasks: BTreeMap<String, WatchedTask>,
    /// When the lifecycles started that need nothing more, by task. The visibility store may still show them as waiting.
    settled: BTreeMap<String, SystemTime>,
    order: Vec<ListOrder>,
    completion_times: CompletionTimes,
}

/// What follows from a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum News {
    /// Nothing: no lifecycle waits for it.
    None,
    /// Its lifecycle does not know the status yet.
    Status,
    /// The same, but the record of the succeeded task has no URL.
    LacksUrl,
}

impl WatchedTasks {
    /// Returns no tasks yet.
    pub fn new(watch: Watch, completion_times: CompletionTimes) -> Self {
        let order = watch.lists.all().into_iter().map(|_| ListOrder::default());
        Self {
            order: order.collect(),
            watch,
            tasks: BTreeMap::new(),
            settled: BTreeMap::new(),
            completion_times,
        }
    }

    /// Returns when tasks are likely to end.
    pub fn completion_times(&self) -> &CompletionTimes {
        &self.completion_times
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns whether nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Returns the ids of the watched tasks that may exist.
    pub fn seen(&self) -> impl Iterator<Item = &str> {
        let seen = self.tasks.iter().filter(|(_, task)| task.was_seen());
        seen.map(|(id, _)| id.as_str())
    }

    /// Returns the ids of the tasks that their lifecycles poll themselves.
    pub fn handed_back(&self) -> impl Iterator<Item = &str> {
        let tasks = self.tasks.iter().filter(|(_, task)| task.is_handed_back);
        tasks.map(|(id, _)| id.as_str())
    }

    /// Adds the lifecycles that wait now. `is_complete`: these are all of them, and others no longer wait.
    pub fn sync(&mut self, waiting: Vec<Waiting>, is_complete: bool, now: SystemTime) {
        if is_complete {
            let ids: BTreeSet<_> = waiting.iter().map(|it| it.task_id.as_str()).collect();
            self.tasks.retain(|id, _| ids.contains(id.as_str()));
            self.settled.retain(|id, _| ids.contains(id.as_str()));
        }
        for lifecycle in waiting {
            let Waiting {
                task_id,
                id_created_at,
                known_status,
                started_at,
            } = lifecycle;
            // The visibility store may be late: a lifecycle that the watcher settled stays so, and a status is never earlier.
            if status::is_terminal(&known_status) || self.is_settled(&task_id, started_at) {
                self.settle(&task_id, started_at);
                continue;
            }
            let watch = &self.watch;
            let task = self.tasks.entry(task_id);
            let task = task.or_insert_with(|| {
                WatchedTask::new(
                    id_created_at,
                    started_at,
                    &watch.windows,
                    now,
                    watch.took_over_at,
                )
            });
            task.started_at = task.started_at.max(started_at);
            task.learn_status(&known_status);
            if !self.watch.shows_statuses && task.may_have_been_seen {
                // An earlier watcher may have delivered `running`, and a second delivery would lengthen the history.
                task.learn_status(status::RUNNING);
            }
        }
        self.forget_old_order();
    }

    /// Returns the tasks that may be asked for now, with their ids. `is_listing`: only those that no list shows, because a
    /// list request is on its way.
    pub fn candidates(
        &mut self,
        now: SystemTime,
        can_filter_ids: bool,
        is_listing: bool,
    ) -> (Vec<String>, Vec<Candidate>) {
        let mut ids = Vec::new();
        let mut candidates = Vec::new();
        for (id, task) in &self.tasks {
            let list = task.list(self.order.len(), can_filter_ids);
            let is_on_its_way = is_listing && list.is_some();
            if is_on_its_way || !task.can_be_asked_for(&self.watch.windows, now) {
                continue;
            }
            let order = list.filter(|_| task.has_position);
            let order = order.and_then(|list| self.order.get_mut(list));
            ids.push(id.clone());
            candidates.push(Candidate {
                list,
                position: order.map(|order| order.position(unix_seconds(task.created_at))),
                worth: task.worth(&self.watch.schedule, &mut self.completion_times, now),
                can_be_queried: task.can_be_queried(now),
            });
        }
        (ids, candidates)
    }

    /// Marks tasks for which a request is on its way, or was answered.
    pub fn set_requested(&mut self, ids: &[String], is_requested: bool) {
        for id in ids {
            if let Some(task) = self.tasks.get_mut(id) {
                task.is_requested = is_requested;
            }
        }
    }

    /// Takes the record of a task. `has_url`: it says where the video is.
    pub fn look(&mut self, record: &VideoTask, has_url: bool, requested_at: SystemTime) -> News {
        let list = self.note(record);
        let Some(task) = self.tasks.get_mut(&record.id) else {
            return News::None;
        };
        let is_first_end = status::is_terminal(&record.status) && !task.has_ended;
        let kind = task.look(record, list, requested_at);
        let after = completed_after(record.created_at, record.updated_at);
        if let Some(after) = after.filter(|_| is_first_end) {
            self.completion_times.observe(&kind, after);
        }
        let lacks_url = record.status == status::SUCCEEDED && !has_url;
        match is_later_status(&record.status, &task.known_status) {
            true if lacks_url => News::LacksUrl,
            true => News::Status,
            false => News::None,
        }
    }

    /// Learns from the tasks in a list that ended before they were watched.
    pub fn learn(&mut self, records: &[VideoTask]) {
        let is_watched = |id: &str| self.includes(id) || self.settled.contains_key(id);
        let is_ended = |it: &&VideoTask| status::is_terminal(&it.status) && !is_watched(&it.id);
        let mut ended: Vec<_> = records.iter().filter(is_ended).collect();
        // The last observations count.
        ended.sort_by_key(|record| record.updated_at);
        for record in ended {
            if let Some(after) = completed_after(record.created_at, record.updated_at) {
                self.completion_times.observe(&TaskKind::of(record), after);
            }
        }
    }

    /// Notes where a list shows a task. Returns the list.
    pub fn note(&mut self, task: &VideoTask) -> Option<usize> {
        let list = self.watch.lists.index_of(&task.service_tier, &task.model);
        if let Some(order) = list.and_then(|list| self.order.get_mut(list)) {
            order.insert(&task.id, task.created_at);
        }
        list
    }

    /// Returns whether a task is watched.
    pub fn includes(&self, id: &str) -> bool {
        self.tasks.contains_key(id)
    }

    /// Returns whether no `Retry-After` keeps a task from being queried.
    pub fn can_be_queried(&self, id: &str, now: SystemTime) -> bool {
        let task = self.tasks.get(id);
        task.is_none_or(|task| task.can_be_queried(now))
    }

    /// Returns when a watched task was created, possibly an estimate.
    pub fn created_at(&self, id: &str) -> Option<SystemTime> {
        self.tasks.get(id).map(|task| task.created_at)
    }

    /// Notes that a page was listed on which these tasks should have been.
    pub fn missed_on_page(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(task) = self.tasks.get_mut(id) {
                task.has_position = false;
            }
        }
    }

    /// Notes that a list does not show these tasks, although it was asked for them by id.
    pub fn missed_in_list(&mut self, ids: &[String], list: usize) {
        for id in ids {
            if let Some(task) = self.tasks.get_mut(id) {
                task.missed_in(list);
            }
        }
    }

    /// Notes that the API does not know a task. Returns whether its lifecycle has to be told that the task existed.
    pub fn not_found(&mut self, id: &str, requested_at: SystemTime) -> bool {
        let task = self.tasks.get_mut(id);
        task.is_some_and(|task| task.not_found(requested_at))
    }

    /// Notes that the query of a task failed, and how long the service asked to wait.
    pub fn failed(&mut self, id: &str, now: SystemTime, retry_after: Option<Duration>) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.failed(now, retry_after);
        }
    }

    /// Notes that the lifecycle of a task knows a status.
    pub fn delivered(&mut self, id: &str, status: &str) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        if status::is_terminal(status) {
            let started_at = task.started_at;
            self.settle(id, started_at);
        } else {
            task.learn_status(status);
        }
    }

    fn is_settled(&self, id: &str, started_at: SystemTime) -> bool {
        self.settled.get(id).is_some_and(|last| started_at <= *last)
    }

    /// Settles the lifecycle of a task that started at a time. A later lifecycle of the same task may wait.
    fn settle(&mut self, id: &str, started_at: SystemTime) {
        if self
            .tasks
            .get(id)
            .is_some_and(|it| it.started_at > started_at)
        {
            return;
        }
        self.tasks.remove(id);
        let last = self.settled.entry(id.to_owned()).or_insert(started_at);
        *last = (*last).max(started_at);
    }

    /// Forgets the order of tasks that are older than all that are watched.
    fn forget_old_order(&mut self) {
        let oldest = self.tasks.values().map(|task| task.created_at).min();
        let Some(oldest) = oldest else { return };
        for order in &mut self.order {
            order.forget_before(unix_seconds(oldest) - ORDER_MARGIN_S);
        }
    }
}

#[cfg(test)]
mod tests;
