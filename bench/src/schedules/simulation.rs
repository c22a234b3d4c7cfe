//! Polls the tasks of a mix in virtual time.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{mixes::Mix, pollers::Poller};

/// Virtual time in nanoseconds.
type Time = u64;

#[derive(Default)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    /// For each task that was seen finished, the seconds from its end to that poll. In no order.
    pub(super) lags: Vec<f64>,
    /// Number of tasks whose polling ended before they did.
    pub(super) given_up: usize,
}

/// Polls every task by itself.
pub(super) fn run(mix: &Mix, poller: &mut dyn Poller) -> Outcome {
    let mut outcome = Outcome::default();
    let mut events: BinaryHeap<_> = (0..mix.tasks.len())
        .map(|task| Reverse((time(mix.tasks[task].created_at), task, Event::Created)))
        .collect();
    while let Some(Reverse((_, index, event))) = events.pop() {
        let task = &mix.tasks[index];
        let kind = &mix.kinds[task.kind];
        let (next, polls) = match event {
            Event::Created => (Some(poller.first(kind)), 0),
            Event::Poll { age, polls } => {
                let age = seconds(age);
                outcome.requests += 1;
                if age >= task.ends_after {
                    outcome.lags.push(age - task.ends_after);
                    poller.ended(kind, task.ends_after);
                    continue;
                }
                (poller.next(kind, age, polls), polls)
            }
        };
        match next {
            Some(age) => {
                let (at, age) = (time(task.created_at + age), time(age));
                let polls = polls + 1;
                events.push(Reverse((at, index, Event::Poll { age, polls })));
            }
            None => outcome.given_up += 1,
        }
    }
    outcome
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Created,
    Poll {
        age: Time,
        /// Number of polls, with this one.
        polls: u32,
    },
}

/// Polls all tasks in passes: a pause, and a pause after each task.
pub(super) fn run_passes(mix: &Mix, between_passes: f64, after_task: f64) -> Outcome {
    let mut outcome = Outcome::default();
    let mut created = mix.tasks.iter().peekable();
    let mut open = Vec::new();
    let mut now = 0.0;
    while created.peek().is_some() || !open.is_empty() {
        now += between_passes;
        while let Some(task) = created.next_if(|task| task.created_at <= now) {
            open.push(task);
        }
        open.retain(|task| {
            outcome.requests += 1;
            let lag = now - task.created_at - task.ends_after;
            now += after_task;
            if lag >= 0.0 {
                outcome.lags.push(lag);
            }
            lag < 0.0
        });
    }
    outcome
}

fn time(seconds: f64) -> Time {
    (seconds * 1e9) as Time
}

fn seconds(time: Time) -> f64 {
    time as f64 / 1e9
}
