//! The schedules that are compared.

use std::time::{Duration, SystemTime};

use seedance_archiver_policy::{
    completions::{CompletionTimes, Expectation, TaskKind},
    poll::{self, LastSeen, NextPoll, PollSchedule, Response, TaskState},
    windows::Windows,
};

/// Decides when one task is polled. All times are ages of the task, in seconds.
pub(super) trait Poller {
    /// Returns the age of the first poll.
    fn first(&mut self, kind: &TaskKind) -> f64;

    /// Returns the age of the next poll of a task that was unfinished at `age`. `None`: it gives up.
    fn next(&mut self, kind: &TaskKind, age: f64, polls: u32) -> Option<f64>;

    /// Learns from a task that was seen finished.
    fn ended(&mut self, _kind: &TaskKind, _after: f64) {}
}

/// A loop that sleeps, polls and repeats, until a timeout.
pub(super) struct Loop<F> {
    /// The interval before a poll, by the age and the number of polls before.
    pub(super) interval: F,
    pub(super) timeout: f64,
}

impl<F: Fn(f64, u32) -> f64> Poller for Loop<F> {
    fn first(&mut self, _: &TaskKind) -> f64 {
        (self.interval)(0.0, 0)
    }

    fn next(&mut self, _: &TaskKind, age: f64, polls: u32) -> Option<f64> {
        (age < self.timeout).then(|| age + (self.interval)(age, polls))
    }
}

/// The schedule of this project.
#[derive(Default)]
pub(super) struct Archiver {
    schedule: PollSchedule,
    /// `None`: an interval of a tenth of the age.
    pub(super) completions: Option<CompletionTimes>,
    /// Whether the kind of a task is known before its first poll.
    pub(super) knows_kind: bool,
}

impl Archiver {
    pub(super) fn learning(completions: CompletionTimes) -> Self {
        Self {
            schedule: PollSchedule::default(),
            completions: Some(completions),
            knows_kind: true,
        }
    }

    fn expectation(&mut self, kind: Option<&TaskKind>) -> Option<Expectation> {
        Some(self.completions.as_mut()?.expectation(kind))
    }
}

impl Poller for Archiver {
    fn first(&mut self, kind: &TaskKind) -> f64 {
        let kind = self.knows_kind.then_some(kind);
        let expectation = self.expectation(kind);
        let delay = self
            .schedule
            .first_poll_after(expectation.as_ref(), Duration::ZERO);
        delay.as_secs_f64()
    }

    fn next(&mut self, kind: &TaskKind, age: f64, _: u32) -> Option<f64> {
        let expectation = self.expectation(Some(kind));
        let created_at = SystemTime::UNIX_EPOCH;
        let now = created_at + Duration::from_secs_f64(age);
        let state = TaskState {
            last_seen: Some(LastSeen {
                created_at: Some(created_at),
                expires_at: None,
                status: "running",
                at: now,
            }),
            id_created_at: None,
            first_polled_at: created_at,
            now,
            expectation: expectation.as_ref(),
        };
        match poll::next(
            &self.schedule,
            &Windows::default(),
            &state,
            Response::Unchanged,
        ) {
            NextPoll::After(delay) => Some(age + delay.as_secs_f64()),
            NextPoll::Never(_) => None,
        }
    }

    fn ended(&mut self, kind: &TaskKind, after: f64) {
        if let Some(completions) = &mut self.completions {
            // Records have whole seconds.
            completions.observe(kind, Duration::from_secs_f64(after.round()));
        }
    }
}
