//! Which videos can be archived.
//!
//! A video is savable if its record, with a URL, could be had for as long as the longest interval between two polls, and
//! after that the video could be downloaded and stored for as long as the longest interval between two attempts: the
//! documentation promises these intervals. `Retry-After` extends what fails, because the archiver keeps to it.

use std::time::Duration;

use seedance_archiver_policy::watch;
use seedance_archiver_proto::status;

use crate::{
    learned,
    time::{HOUR, MINUTE, NEVER},
    world::{Fault, Kind, Task, World},
};

/// How long a poll may be late: because of the rate limit, or the death of a worker.
const POLL_SLACK: u64 = 2 * MINUTE;
/// How long an attempt to transfer may be late: because of the death of a worker.
const TRANSFER_SLACK: u64 = 90;
/// A 404 that lasts almost as long may be final.
const GRACE: u64 = 8 * MINUTE;

/// A period in which something is possible.
type Opening = (u64, u64);

/// A task, and the world that is known in advance.
pub(crate) struct Oracle<'w> {
    world: &'w World,
    index: usize,
    task: &'w Task,
}

impl<'w> Oracle<'w> {
    pub(crate) fn new(world: &'w World, index: usize) -> Self {
        Self {
            world,
            index,
            task: &world.tasks[index],
        }
    }

    /// Returns whether the video of the task must be archived.
    pub(crate) fn is_savable(&self) -> bool {
        self.received_by().is_some_and(|seen_by| {
            if self.is_savable_before_the_deadline(seen_by) {
                return true;
            }
            let is_renewed = self.is_renewed(seen_by);
            let openings = self.openings(|now| {
                now >= seen_by && self.can_transfer(now, is_renewed && self.has_renewed_url(now))
            });
            openings.into_iter().any(|(from, until)| {
                let needed = self.longest_transfer(from) + 2 * self.task.download;
                until - from >= needed + TRANSFER_SLACK
            })
        })
    }

    /// Returns when the lifecycle must have received the record of its succeeded task. `None`: never.
    pub(crate) fn received_by(&self) -> Option<u64> {
        let is_possible = self.task.end == status::SUCCEEDED && !self.may_be_given_up();
        self.seen_by().filter(|_| is_possible)
    }

    /// Returns whether the video can be archived in the last twentieth of the time until its URL dies. However long
    /// `Retry-After` is, an attempt follows by then.
    fn is_savable_before_the_deadline(&self, seen_by: u64) -> bool {
        let dies = self.url_dies();
        let fails = |fault: &&Fault| {
            let is_of_transfer =
                fault.kind.is_of_host() || [Kind::Store, Kind::Workers].contains(&fault.kind);
            is_of_transfer && fault.from < dies
        };
        let faults = self.world.faults.iter().filter(fails);
        let clean_from = faults.map(|fault| fault.until).max().unwrap_or_default();
        let left = dies.saturating_sub(clean_from.max(seen_by));
        let is_deadline =
            self.knows_when_the_url_dies() && dies >= self.world.last_poll(self.index);
        is_deadline && left / 20 >= 2 * self.task.download + TRANSFER_SLACK
    }

    /// Returns whether the archiver knows when its URL dies.
    fn knows_when_the_url_dies(&self) -> bool {
        let World {
            dialect,
            url_lifetime,
            configured_url_lifetime,
            ..
        } = self.world;
        let says_expiry = dialect.url_has_expiry || configured_url_lifetime <= url_lifetime;
        let is_signed_once = !self.world.signs_again && !self.was_revoked(NEVER);
        dialect.has_times() && dialect.has_zones() && says_expiry && is_signed_once
    }

    /// Returns whether the last query before the window closes returns a URL that was just signed, and works after the
    /// window. The archiver has to know when the task was created, and must not be busy with a download.
    fn is_renewed(&self, seen_by: u64) -> bool {
        let last = self.world.last_poll(self.index);
        let (from, until) = (
            last.saturating_sub(MINUTE),
            self.world.forgotten(self.index),
        );
        let is_missed = |fault: &Fault| {
            fault.from < until
                && from < fault.until
                && (fault.kind.is_of_api() || fault.kind == Kind::Workers)
        };
        self.world.signs_again
            && self.world.dialect.says_created()
            && seen_by <= from
            && self.task.download <= 3 * MINUTE
            && !self.world.faults.iter().any(is_missed)
    }

    /// Returns whether the URL that the last query returned works.
    fn has_renewed_url(&self, now: u64) -> bool {
        let last = self.world.last_poll(self.index);
        let is_revoked =
            |fault: &Fault| fault.kind == Kind::Revoked && fault.from <= now && last < fault.until;
        (last..self.renewed_url_dies()).contains(&now) && !self.world.faults.iter().any(is_revoked)
    }

    /// Returns when the URL that the last query returned no longer works, or is believed not to work.
    fn renewed_url_dies(&self) -> u64 {
        self.world.last_poll(self.index) + self.url_lifetime()
    }

    /// Returns by when the archiver has seen a record with a URL.
    fn seen_by(&self) -> Option<u64> {
        let by_polls = self.seen_by_polls().into_iter();
        by_polls.chain(self.seen_by_last_poll()).min()
    }

    /// Returns when the last poll sees a record with a URL: `Retry-After` and the backstop do not delay it. The archiver
    /// has to know when the task was created.
    fn seen_by_last_poll(&self) -> Option<u64> {
        let last = self.world.last_poll(self.index);
        let (from, until) = (last.checked_sub(MINUTE)?, last + MINUTE);
        let is_missed = |fault: &&Fault| {
            fault.from < until
                && from < fault.until
                && (fault.kind.is_of_api() || fault.kind == Kind::Workers)
        };
        let openings = self.openings(|now| now < from && self.can_poll(now));
        let is_seen = |(from, until): &Opening| until - from >= self.longest_poll(*from);
        let is_known = self.world.dialect.says_created() && openings.iter().any(is_seen);
        let has_url = self.task.ended + self.task.without_url <= last;
        let is_missed = self.world.faults.iter().any(|fault| is_missed(&fault));
        (is_known && has_url && !is_missed).then_some(until)
    }

    fn seen_by_polls(&self) -> Option<u64> {
        let url_from = self.task.ended + self.task.without_url;
        let openings = self.openings(|now| now >= url_from && self.can_poll(now));
        let long = openings
            .into_iter()
            .map(|(from, until)| (from + self.longest_poll(from), until));
        long.filter(|(by, until)| by <= until)
            .map(|(by, _)| by)
            .min()
    }

    /// Returns whether a lifecycle may have ended with a verdict before: a 404 is final if it lasts, for a task of which no
    /// record was seen, or that was queued.
    fn may_be_given_up(&self) -> bool {
        let started = self.task.started;
        let of_service = (started, self.task.visible);
        let faults = self.world.faults.iter();
        let faults = faults.filter(|fault| fault.kind == Kind::NotFound);
        let periods = faults.map(|fault| (fault.from.max(started), fault.until));
        let periods = periods.chain([of_service]);
        let periods: Vec<_> = periods.filter(|(from, until)| from < until).collect();
        let Some(first) = periods.iter().map(|(from, _)| *from).min() else {
            return false;
        };
        let last = periods.iter().map(|(_, until)| *until).max();
        if last.unwrap_or(first) - first < GRACE {
            return false;
        }
        let running = self.task.running;
        let seen = self.openings(|now| now >= running && now < first && self.can_poll(now));
        let is_seen = |(from, until): &Opening| until - from >= self.longest_poll(*from);
        !seen.iter().any(is_seen)
    }

    /// Returns whether a poll returns the record.
    fn can_poll(&self, now: u64) -> bool {
        now >= self.task.started.max(self.task.visible)
            && now < self.world.last_poll(self.index)
            && !self.is_felt(now, |kind| kind.is_of_api() || *kind == Kind::Workers)
    }

    /// Returns whether the video can be downloaded and stored.
    fn can_transfer(&self, now: u64, has_renewed_url: bool) -> bool {
        let fails = |kind: &Kind| kind.is_of_host() || [Kind::Store, Kind::Workers].contains(kind);
        let has_url = now < self.url_dies();
        let has_fresh_url = self.can_poll(now) && self.world.signs_again;
        let has_url = has_url && !self.was_revoked(now) || has_fresh_url || has_renewed_url;
        has_url && !self.is_felt(now, fails)
    }

    /// Returns when the URL that the archiver saw first no longer works, or is believed not to work.
    fn url_dies(&self) -> u64 {
        self.task.ended + self.url_lifetime()
    }

    /// Returns how long a URL works, or is believed to work.
    fn url_lifetime(&self) -> u64 {
        let World {
            url_lifetime,
            configured_url_lifetime,
            ..
        } = self.world;
        *url_lifetime.min(configured_url_lifetime)
    }

    fn was_revoked(&self, now: u64) -> bool {
        let faults = self.world.faults.iter();
        let mut faults = faults.filter(|fault| fault.kind == Kind::Revoked);
        faults.any(|fault| fault.from <= now)
    }

    fn is_felt(&self, now: u64, is_kind: impl Fn(&Kind) -> bool) -> bool {
        let is_at = |fault: &Fault| (fault.from..fault.felt_until()).contains(&now);
        let mut faults = self.world.faults.iter();
        faults.any(|fault| is_at(fault) && is_kind(&fault.kind))
    }

    /// Returns the longest interval between two polls. If nothing was learned, that is the maximum interval. Otherwise, add one
    /// and a half times the longest learned time, and two maximum intervals for each ten minutes of the task's age. The watcher
    /// may be blind: then the backstop counts.
    fn longest_poll(&self, now: u64) -> u64 {
        let age = now.saturating_sub(self.task.created);
        let max_interval = self.world.max_interval;
        let interval = |longest_learned: u64| {
            let learned = match self.world.learned {
                Some(_) => longest_learned * 3 / 2 + 2 * age * max_interval / (10 * MINUTE),
                None => 0,
            };
            max_interval + learned + POLL_SLACK
        };
        let learned = learned::longest(self.world.learned);
        let alone = interval(learned);
        let Some(list) = &self.world.list else {
            return alone;
        };
        let backstop = alone + watch::backstop(Duration::from_secs(age)).as_secs();
        if !self.watcher_sees() {
            return backstop;
        }
        // The watcher also learns from the tasks that it sees.
        let watched = 2 * interval(learned.max(self.longest_task())) + list.lag;
        watched.min(backstop)
    }

    /// Returns how long the longest task of the account takes.
    fn longest_task(&self) -> u64 {
        let tasks = self.world.tasks.iter();
        let longest = tasks.map(|task| task.ended - task.created).max();
        longest.unwrap_or_default()
    }

    /// Returns whether nothing can keep the watcher from seeing the task.
    fn watcher_sees(&self) -> bool {
        let blinds = |fault: &Fault| {
            [Kind::List, Kind::Watcher, Kind::Visibility, Kind::Workers].contains(&fault.kind)
        };
        !self.world.faults.iter().any(blinds)
    }

    /// Returns the longest interval between two attempts to transfer: a quarter of an hour, an hour if no URL works, and a
    /// twentieth of the time left.
    fn longest_transfer(&self, now: u64) -> u64 {
        let longest =
            match self.world.fails_ever(|kind| *kind == Kind::Revoked) || now >= self.url_dies() {
                true => HOUR,
                false => 15 * MINUTE,
            };
        let left = self.last_deadline().saturating_sub(now);
        (left / 19).clamp(10, longest)
    }

    /// Returns the latest possible archive deadline.
    fn last_deadline(&self) -> u64 {
        let World {
            query_window,
            configured_url_lifetime,
            ..
        } = self.world;
        self.task.ended.max(self.task.started)
            + query_window.max(configured_url_lifetime)
            + query_window
    }

    /// Returns the longest periods in which something is possible.
    fn openings(&self, is_possible: impl Fn(u64) -> bool) -> Vec<Opening> {
        let mut openings: Vec<Opening> = Vec::new();
        for pair in self.changes().windows(2) {
            let [from, until] = [pair[0], pair[1]];
            match openings.last_mut() {
                _ if !is_possible(from) => {}
                Some(last) if last.1 == from => last.1 = until,
                _ => openings.push((from, until)),
            }
        }
        openings
    }

    /// Returns all times at which something may change.
    fn changes(&self) -> Vec<u64> {
        let faults = self.world.faults.iter();
        let faults = faults.flat_map(|it| [it.from, it.until, it.felt_until()]);
        let Task {
            visible,
            running,
            ended,
            without_url,
            started,
            ..
        } = *self.task;
        let of_task = [
            0,
            visible,
            running,
            ended,
            ended + without_url,
            started,
            self.url_dies(),
            self.renewed_url_dies(),
            self.world.last_poll(self.index),
            self.last_deadline(),
        ];
        // By when a record was seen follows from the start of an opening.
        let seen = self.world.faults.iter().map(Fault::felt_until);
        let seen = seen.chain([started, visible, ended + without_url]);
        let seen = seen.map(|from| from + self.longest_poll(from));
        let last_poll = self.world.last_poll(self.index);
        let seen = seen.chain([last_poll.saturating_sub(MINUTE), last_poll + MINUTE]);
        let mut changes: Vec<_> = faults.chain(of_task).chain(seen).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
