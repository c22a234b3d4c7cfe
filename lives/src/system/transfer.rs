//! The activity `ArchiveVideo`: `run` of `archive_video`.

use std::time::Duration;

use seedance_archiver_policy::{
    deadlines::TransferTimes,
    transfers::{self, History, Reached, Side, TimeLeft},
};
use seedance_archiver_proto::{names::failure, time::from_unix_seconds, v1::VideoTask};
use seedance_archiver_seedance::SignedUrl;

use super::{
    Event, System,
    state::{Stage, Transfer},
    urls::{TransferError, Urls, url_in},
};
use crate::{
    log::What,
    mutation::Mutation,
    service::HostAnswer,
    time::{MINUTE, at, whole},
    world::Kind,
};

/// After the death of a worker, the server notices that heartbeats are missing, and waits before the next attempt.
const AFTER_DEATH: u64 = 20 + MINUTE;

/// How an attempt ended.
enum Ending {
    Archived,
    /// The worker died.
    Died,
    Failed(TransferError),
}

impl System<'_> {
    /// Starts the transfer of a succeeded task.
    pub(super) fn start_transfer(&mut self, task: usize, record: VideoTask) {
        let url = url_in(&record).map(SignedUrl::new);
        let times = TransferTimes {
            scheduled_at: at(self.now),
            created_at: from_unix_seconds(record.created_at),
            updated_at: from_unix_seconds(record.updated_at),
            url_expires_at: url.and_then(|url| url.expires_at()),
            fresh_url: None,
            last_queried_at: None,
        };
        self.lifecycles[task].stage = Stage::Archiving(Box::new(Transfer {
            task: record,
            times,
            fresh_url: None,
            history: History::default(),
            stored: 0,
            reached: 0,
        }));
        self.next_attempt(task, self.now);
    }

    fn next_attempt(&mut self, task: usize, time: u64) {
        self.lifecycles[task].epoch += 1;
        let epoch = self.lifecycles[task].epoch;
        self.at(time, Event::Transfer { task, epoch });
    }

    /// Makes an attempt, as soon as a worker runs.
    pub(super) fn transfer(&mut self, task: usize) {
        let workers = self.world.workers_at(self.now);
        if workers > self.now {
            return self.next_attempt(task, workers);
        }
        let Stage::Archiving(mut transfer) = self.take_stage(task) else {
            return;
        };
        let (ended_at, ending) = self.try_transfer(task, &mut transfer);
        match ending {
            Ending::Archived => return self.archived(task, ended_at),
            Ending::Died => self.next_attempt(task, ended_at + AFTER_DEATH),
            Ending::Failed(error) => {
                let left = self.time_left(&transfer.times, ended_at);
                match self.after_failure(&mut transfer, &error, left) {
                    Some(delay) => {
                        self.note_at(ended_at, task, What::TransferFailed(error.reason));
                        self.note_at(ended_at, task, What::Waits(delay));
                        self.next_attempt(task, ended_at + delay);
                    }
                    None => {
                        let verdict = transfer.history.verdict();
                        let blames_last = self.has(Mutation::BlamesTheLastFailure);
                        let verdict = verdict.filter(|_| !blames_last);
                        let reason = verdict.map_or(error.reason, |verdict| verdict.reason);
                        return self.give_up(task, ended_at, &reason, Some(transfer.task));
                    }
                }
            }
        }
        self.lifecycles[task].stage = Stage::Archiving(transfer);
    }

    /// Returns the times left for a transfer: `ArchiveJob::left`.
    fn time_left(&self, times: &TransferTimes, now: u64) -> TimeLeft {
        let (windows, now) = (&self.windows, at(now));
        TimeLeft {
            until_deadline: times.left(windows, now),
            until_expiry: times.url_left(windows, now),
            until_last_query: times.until_last_query(windows, now),
        }
    }

    /// Counts a failure. Returns the delay of the next attempt, `None` if there is none: `add_to` and `for_transfer`.
    fn after_failure(
        &self,
        transfer: &mut Transfer,
        error: &TransferError,
        left: TimeLeft,
    ) -> Option<u64> {
        let history = &mut transfer.history;
        history.add(error.failure_type, &error.reason, "", at(self.now));
        let reached = Reached {
            downloaded: transfer.reached,
            stored: transfer.reached,
        };
        if !self.has(Mutation::CountsNoFailures) {
            history.count(error.side, reached);
        }
        let gives_up = match error.failure_type {
            failure::CORRUPT_VIDEO => self.has(Mutation::GivesUpWhenCorrupt),
            failure::STORE_UNAVAILABLE => self.has(Mutation::GivesUpWithoutTheStore),
            _ => false,
        };
        if left.until_deadline.is_zero() || gives_up {
            return None;
        }
        let failures = history.streaks().of(error.side).failures;
        let requested = match self.has(Mutation::IgnoresRetryAfter) {
            true => Duration::ZERO,
            false => Duration::from_secs(error.retry_after),
        };
        let delay = transfers::retry_delay(error.side, failures, left, requested);
        let delay = match self.has(Mutation::WaitsUntilTheDeadline) {
            true => delay.max(requested).min(left.until_deadline),
            false => delay,
        };
        Some(whole(delay))
    }

    /// Makes an attempt: `TaskArchival::run`. Returns when and how it ended.
    fn try_transfer(&mut self, task: usize, transfer: &mut Transfer) -> (u64, Ending) {
        // An attempt that runs when the last query becomes due sends it too. Here, that is left to the next one.
        self.renew_url(task, transfer);
        let now = self.now;
        let store_failed =
            || Ending::Failed(TransferError::new(Side::Store, failure::STORE_UNAVAILABLE));
        if self.world.fails(now, |kind| *kind == Kind::Store) {
            return (now, store_failed());
        }
        if let Err(error) = self.connect(task, transfer) {
            return (self.now, Ending::Failed(error));
        }
        let now = self.now;
        let done = now + self.world.tasks[task].download - transfer.stored;
        let died = self.world.next_fault(now, |kind| *kind == Kind::Workers);
        let without_store = self.world.next_fault(now, |kind| *kind == Kind::Store);
        let broken = self
            .world
            .next_fault(now, |kind| matches!(kind, Kind::Host { .. }));
        let ended_at = done.min(died).min(without_store).min(broken);
        transfer.reached = transfer.reached.max(transfer.stored + ended_at - now);
        if ended_at == done {
            let is_corrupt = self.world.next_fault(now, |kind| *kind == Kind::Corrupt) < done;
            let ending = match is_corrupt {
                true => {
                    transfer.stored = 0;
                    Ending::Failed(TransferError::new(Side::Host, failure::CORRUPT_VIDEO))
                }
                false => Ending::Archived,
            };
            return (done, ending);
        }
        if self.world.resumes {
            transfer.stored += ended_at - now;
        }
        let ending = match ended_at {
            _ if ended_at == died => Ending::Died,
            _ if ended_at == without_store => store_failed(),
            _ => Ending::Failed(TransferError::new(
                Side::Host,
                failure::UPSTREAM_UNAVAILABLE,
            )),
        };
        (ended_at, ending)
    }

    /// Finds a URL that works: `ResumableDownload::connect`.
    fn connect(&mut self, task: usize, transfer: &mut Transfer) -> Result<(), TransferError> {
        let mut urls = Urls::default();
        let mut url = self.first_url(task, transfer, &mut urls)?;
        loop {
            match self.world.fetch(&url, self.now) {
                HostAnswer::Bytes => return Ok(()),
                HostAnswer::Rejected => url = self.fresh_url(task, transfer, &mut urls)?,
                HostAnswer::Failed { retry_after } => {
                    return Err(TransferError {
                        retry_after: retry_after.unwrap_or_default().max(urls.api_delay),
                        ..TransferError::new(Side::Host, failure::UPSTREAM_UNAVAILABLE)
                    });
                }
            }
        }
    }
}
