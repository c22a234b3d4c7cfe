//! The workflow `VideoTaskLifecycle`: `until_terminal` and `run`.

use std::mem;

use seedance_archiver_policy::{outcomes, poll::is_later_status};
use seedance_archiver_proto::{
    status,
    v1::{Manifest, QueryProgress, QueryVideoTaskRequest, VideoTask, VideoTaskLifecycleResult},
};

use super::{
    Event, System,
    state::{Polling, Stage},
};
use crate::{
    log::{End, What},
    mutation::Mutation,
    time::unix,
};

impl System<'_> {
    /// Starts the lifecycle of a task.
    pub(super) fn start(&mut self, task: usize) {
        let lifecycle = &mut self.lifecycles[task];
        lifecycle.started_at = self.now;
        // A lifecycle assumes it.
        lifecycle.known_status = status::QUEUED.to_owned();
        self.start_poll(task, false);
    }

    fn start_poll(&mut self, task: usize, is_nudged: bool) {
        let forgets = self.has(Mutation::ForgetsThatItWasSeen);
        let (now, id) = (self.now, self.world.tasks[task].id.clone());
        let lifecycle = &mut self.lifecycles[task];
        let seen = lifecycle.seen.as_ref().filter(|_| !forgets);
        let request = QueryVideoTaskRequest {
            task_id: id,
            known_status: lifecycle.known_status.clone(),
            known_created_at: seen.map_or(0, |task| task.created_at),
            was_seen: seen.is_some() || lifecycle.may_have_been_seen && !forgets,
            first_asked_at: unix(lifecycle.started_at),
            last_polled_at: lifecycle.last_polled_at,
            poll_now: is_nudged,
            ..QueryVideoTaskRequest::default()
        };
        lifecycle.stage = Stage::Polling(Box::new(Polling {
            request,
            progress: QueryProgress::default(),
            attempt: 1,
            scheduled_at: now,
        }));
        self.note(task, What::PollStarted { is_nudged });
        self.next_poll(task, now);
    }

    /// Plans the next attempt of the activity.
    pub(super) fn next_poll(&mut self, task: usize, time: u64) {
        self.lifecycles[task].epoch += 1;
        let epoch = self.lifecycles[task].epoch;
        self.at(time, Event::Poll { task, epoch });
    }

    /// A nudge cancels the activity, and its heartbeat is lost with it.
    pub(super) fn nudge(&mut self, task: usize) {
        if self.lifecycles[task].is_polling() {
            self.lifecycles[task].may_have_been_seen = true;
            self.start_poll(task, true);
        }
    }

    /// Takes the result of `QueryVideoTask`, whoever completed it.
    pub(super) fn received(&mut self, task: usize, record: VideoTask) {
        self.note(task, What::Received(record.status.clone()));
        let now = self.now;
        let lifecycle = &mut self.lifecycles[task];
        lifecycle.last_polled_at = unix(now);
        if !is_later_status(&record.status, &lifecycle.known_status) {
            lifecycle.seen.get_or_insert(record);
            return self.start_poll(task, false);
        }
        lifecycle.seen = Some(record.clone());
        if !status::is_terminal(&record.status) {
            lifecycle.known_status = record.status;
            return self.start_poll(task, false);
        }
        match record.status.as_str() {
            status::SUCCEEDED => self.start_transfer(task, record),
            _ => self.end(task, now, &outcomes::unsuccessful(record)),
        }
    }

    /// Ends a lifecycle whose activity failed with a verdict.
    pub(super) fn give_up(
        &mut self,
        task: usize,
        time: u64,
        reason: &str,
        last: Option<VideoTask>,
    ) {
        let seen = last.or_else(|| self.lifecycles[task].seen.clone());
        let result = outcomes::after_verdict(reason.to_owned(), String::new(), seen);
        self.end(task, time, &result);
    }

    /// Ends a lifecycle whose video is archived.
    pub(super) fn archived(&mut self, task: usize, time: u64) {
        let seen = self.lifecycles[task].seen.clone();
        self.end(task, time, &outcomes::archived(seen, Manifest::default()));
    }

    fn end(&mut self, task: usize, time: u64, result: &VideoTaskLifecycleResult) {
        let end = End {
            at: time,
            outcome: result.outcome.clone(),
            reason: result.reason.clone(),
        };
        self.note_at(time, task, What::Ended(end.clone()));
        self.lifecycles[task].stage = Stage::Ended(end);
        self.lifecycles[task].epoch += 1;
    }

    /// Takes the activity of a lifecycle for an attempt, which puts it back.
    pub(super) fn take_stage(&mut self, task: usize) -> Stage {
        mem::take(&mut self.lifecycles[task].stage)
    }
}
