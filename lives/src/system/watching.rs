//! The activity `WatchAccount`: `Watcher` of `watch_account`. Its requests are answered at once.

mod health;
mod listing;
mod watcher;

use std::time::Duration;

use seedance_archiver_policy::watch::{self, MIN_WATCHED, News, Request, Waiting};
use seedance_archiver_proto::{status, v1::VideoTask};
use seedance_archiver_seedance::ErrorKind;

use super::{Event, System};
use crate::{
    log::{By, Entry, What},
    mutation::Mutation,
    time::{MINUTE, at},
    world::Kind,
};
pub(super) use watcher::Watcher;
use watcher::{PATIENCE, SYNC_INTERVAL};

/// Interval between two looks at what is due.
const TICK: u64 = 5;
/// The same while no lifecycle is young: the task of an old one is polled once a minute at most.
const LATE_TICK: u64 = 30;
/// How long a lifecycle is young.
const YOUNG: u64 = 10 * MINUTE;
/// Maximum number of requests at each look.
const MAX_REQUESTS: usize = 4;
/// The server ends an attempt after so long without a heartbeat.
const HEARTBEAT_TIMEOUT: u64 = 15;
/// How long after its notice the watcher ends.
const NOTICE: u64 = 25;
/// How long after a heartbeat that names a task its lifecycle is nudged.
const NUDGE_DELAY: u64 = 20;

impl System<'_> {
    /// Returns whether a lifecycle may rely on the watcher: `WatcherState::covers`.
    pub(super) fn covers(&self, task: usize) -> bool {
        let id = self.world.tasks[task].id.as_str();
        self.watcher.as_ref().is_some_and(|watcher| {
            let has_heartbeats = watcher.is_alive || self.now < watcher.died_at + HEARTBEAT_TIMEOUT;
            watcher.is_running
                && has_heartbeats
                && watcher.is_reliable
                && !watcher.tasks.handed_back().any(|it| it == id)
        })
    }

    /// Looks at what is due, and again later.
    pub(super) fn watch(&mut self) {
        // A query may have to wait.
        let now = self.now;
        self.look_once();
        if let Some(next) = self.next_look(now) {
            self.at(next, Event::Watch);
        }
    }

    /// Returns when to look next. While there is nothing to watch, nothing changes before the next lifecycle starts.
    fn next_look(&self, now: u64) -> Option<u64> {
        let starts = || self.world.tasks.iter().map(|task| task.started);
        let is_running = self.watcher.as_ref().is_some_and(|it| it.is_running);
        if !is_running && !self.is_worth_watching() {
            return starts().filter(|start| *start > now).min();
        }
        let is_young = starts().any(|start| (start..start + YOUNG).contains(&now));
        Some(match is_young {
            true => now + TICK,
            false => now + LATE_TICK,
        })
    }

    fn look_once(&mut self) {
        let Some(mut watcher) = self.watcher.take() else {
            return;
        };
        let is_dead = |kind: &Kind| [Kind::Workers, Kind::Watcher].contains(kind);
        if self.world.fails(self.now, is_dead) {
            if watcher.is_alive {
                watcher.is_alive = false;
                watcher.died_at = self.now;
            }
        } else if watcher.is_running && watcher.is_alive {
            self.look_around(&mut watcher);
        } else if watcher.is_running || self.is_worth_watching() {
            self.note_watcher("begins");
            watcher.begin(self.world, self.now);
        }
        self.watcher = Some(watcher);
    }

    fn note_watcher(&mut self, what: &'static str) {
        self.log.push(Entry {
            at: self.now,
            task: None,
            what: What::Watcher(what),
        });
    }

    fn look_around(&mut self, watcher: &mut Watcher) {
        self.sync(watcher);
        let is_small = watcher.tasks.len() < MIN_WATCHED;
        watcher.small_since = is_small.then(|| watcher.small_since.unwrap_or(self.now));
        let ends = |since: u64| self.now - since >= PATIENCE + NOTICE;
        if watcher.small_since.is_some_and(ends) {
            return self.end_watching(watcher);
        }
        for _ in 0..MAX_REQUESTS {
            if !self.request(watcher) {
                break;
            }
        }
        watcher.times = watcher.tasks.completion_times().clone();
        watcher.heartbeat(self.now);
    }

    /// Makes the lifecycles that are left poll their tasks themselves.
    fn end_watching(&mut self, watcher: &mut Watcher) {
        self.note_watcher("ends");
        let seen: Vec<_> = watcher.tasks.seen().map(|id| self.index_of(id)).collect();
        for task in seen.into_iter().flatten() {
            self.at(self.now, Event::Nudge { task });
        }
        watcher.is_running = false;
        watcher.is_alive = false;
    }

    /// Finds the lifecycles that wait.
    fn sync(&mut self, watcher: &mut Watcher) {
        if self.world.fails(self.now, |kind| *kind == Kind::Visibility) {
            return;
        }
        let is_complete = watcher
            .synced_at
            .is_none_or(|at| self.now - at >= SYNC_INTERVAL - TICK);
        let tasks = self.world.tasks.iter().zip(&self.id_created_at);
        let open = self.lifecycles.iter().zip(tasks);
        let open = open.filter(|(lifecycle, _)| lifecycle.is_open());
        let waiting = open.map(|(lifecycle, (task, id_created_at))| Waiting {
            task_id: task.id.clone(),
            id_created_at: *id_created_at,
            known_status: lifecycle
                .seen
                .as_ref()
                .map(|it| it.status.clone())
                .unwrap_or_default(),
            started_at: at(lifecycle.started_at),
        });
        watcher
            .tasks
            .sync(waiting.collect(), is_complete, at(self.now));
        if is_complete {
            watcher.synced_at = Some(self.now);
        }
    }

    /// Sends the request that is worth most. Returns whether one was sent.
    fn request(&mut self, watcher: &mut Watcher) -> bool {
        let (can_list, can_query) = (
            watcher.lists.is_available(self.now),
            watcher.queries.is_available(self.now),
        );
        let can_filter = watcher.max_ids > 0;
        let (ids, candidates) = watcher.tasks.candidates(at(self.now), can_filter, false);
        let lists = watch::Lists {
            are_available: can_list,
            page_size: 500,
            max_ids: watcher.max_ids,
        };
        match watch::choose(&candidates, lists, can_query) {
            Some(Request::Query(index)) => self.query_watched(watcher, &ids[index]),
            Some(Request::Tasks { candidates, .. }) if can_list => {
                let ids: Vec<_> = candidates.into_iter().map(|it| ids[it].clone()).collect();
                self.list_tasks(watcher, &ids);
            }
            Some(Request::Page { .. }) if can_list => self.list_page(watcher, &ids),
            _ => return false,
        }
        true
    }

    fn query_watched(&mut self, watcher: &mut Watcher, id: &str) {
        if let Some(record) = self.query_for_watcher(watcher, id) {
            self.look(watcher, record, false);
        }
    }

    /// Queries a task whose window is open, and for which no `Retry-After` is running. Returns its record.
    fn query_for_watcher(&mut self, watcher: &mut Watcher, id: &str) -> Option<VideoTask> {
        let task = self.index_of(id)?;
        let created_at = watcher.tasks.created_at(id).unwrap_or(at(self.now));
        let left = self.windows.until_closed(created_at, at(self.now));
        if left.is_zero() || !watcher.tasks.can_be_queried(id, at(self.now)) {
            return None;
        }
        let Some(answer) = self.query(task, By::Watcher, left) else {
            match self.client.pause_left(task, self.now) {
                0 => watcher.queries.throttled(self.now),
                left => {
                    let left = Duration::from_secs(left);
                    watcher.tasks.failed(id, at(self.now), Some(left));
                }
            }
            return None;
        };
        match answer {
            Ok(record) => {
                watcher.queries.answered();
                watcher.failing_since = None;
                Some(record)
            }
            Err(error) if [ErrorKind::NotFound, ErrorKind::Rejected].contains(&error.kind) => {
                watcher.queries.answered();
                watcher.failing_since = None;
                if watcher.tasks.not_found(id, at(self.now)) {
                    self.at(self.now + NUDGE_DELAY, Event::Nudge { task });
                }
                None
            }
            Err(error) => {
                let error = match self.has(Mutation::WatcherIgnoresRetryAfter) {
                    true => error.without_retry_after(),
                    false => error,
                };
                if !self.has(Mutation::ForgetsFailedQueries) {
                    watcher.tasks.failed(id, at(self.now), error.retry_after);
                }
                watcher.failing_since.get_or_insert(self.now);
                if error.kind != ErrorKind::Unexpected {
                    watcher.queries.query_failed(id, &error, self.now);
                }
                None
            }
        }
    }

    /// Takes the record of a task. `is_item`: it is an item of a list.
    fn look(&mut self, watcher: &mut Watcher, record: VideoTask, is_item: bool) {
        let has_url = record.content.is_some();
        let news = watcher.tasks.look(&record, has_url, at(self.now));
        let is_succeeded = record.status == status::SUCCEEDED;
        match news {
            News::None => {}
            // The answer to a query is complete, and may have the URL.
            News::Status | News::LacksUrl if is_item && is_succeeded => {
                let id = record.id.clone();
                let can_query = watcher.queries.is_available(self.now);
                let complete = can_query.then(|| self.query_for_watcher(watcher, &id));
                match complete.flatten() {
                    Some(complete) => self.look(watcher, complete, false),
                    None if has_url => self.deliver_watched(watcher, record),
                    None => {}
                }
            }
            News::LacksUrl => {}
            News::Status => self.deliver_watched(watcher, record),
        }
    }

    fn deliver_watched(&mut self, watcher: &mut Watcher, record: VideoTask) {
        let Some(task) = self.index_of(&record.id) else {
            return;
        };
        let (id, status) = (record.id.clone(), record.status.clone());
        // A lifecycle that does not poll knows that its task has ended.
        if !self.has(Mutation::DeliversNothing) {
            self.deliver(task, record);
        }
        watcher.tasks.delivered(&id, &status);
    }

    fn index_of(&self, id: &str) -> Option<usize> {
        self.world.tasks.iter().position(|task| task.id == id)
    }
}
