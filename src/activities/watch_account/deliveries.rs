//! Records that are delivered to lifecycles.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use seedance_archiver_proto::{status, v1::QueryVideoTaskResult};

/// Maximum number of deliveries that run concurrently.
const MAX_RUNNING: usize = 32;
/// Delay of the delivery of a task that has not ended, which is not urgent. A lifecycle that has just received the same
/// status itself would take a delivery at this moment for the answer to its next poll.
const UNFINISHED_DELAY: Duration = Duration::from_secs(3);
/// Delay before a delivery is repeated: the lifecycle may be between two activities.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// After so many attempts, a record is delivered again at the next look at its task.
const MAX_ATTEMPTS: u32 = 5;

/// A record for the lifecycle of its task.
pub(super) struct PendingDelivery {
    pub(super) result: QueryVideoTaskResult,
    attempts: u32,
    due_at: Instant,
}

/// The deliveries that wait or run.
#[derive(Default)]
pub(super) struct Deliveries {
    waiting: VecDeque<PendingDelivery>,
    /// Statuses of the tasks of those that wait or run, by id.
    ids: BTreeMap<String, String>,
    running: usize,
}

impl Deliveries {
    /// Returns whether a record of a task with this status is being delivered.
    pub(super) fn includes(&self, task_id: &str, status: &str) -> bool {
        self.ids.get(task_id).is_some_and(|it| it == status)
    }

    /// Adds a record, in place of an earlier one of the same task that was not sent yet.
    pub(super) fn add(&mut self, result: QueryVideoTaskResult) {
        let delay = match status::is_terminal(&result.status) {
            true => Duration::ZERO,
            false => UNFINISHED_DELAY,
        };
        self.waiting.retain(|it| it.result.id != result.id);
        self.ids.insert(result.id.clone(), result.status.clone());
        self.waiting.push_back(PendingDelivery {
            result,
            attempts: 0,
            due_at: Instant::now() + delay,
        });
    }

    /// Returns the next delivery to start. It runs until [`Deliveries::done`] or [`Deliveries::retry`].
    pub(super) fn next(&mut self) -> Option<PendingDelivery> {
        if self.running >= MAX_RUNNING {
            return None;
        }
        let now = Instant::now();
        let due = self.waiting.iter().position(|it| it.due_at <= now)?;
        let mut delivery = self.waiting.remove(due)?;
        delivery.attempts += 1;
        self.running += 1;
        Some(delivery)
    }

    pub(super) fn done(&mut self, delivery: &PendingDelivery) {
        self.running -= 1;
        let PendingDelivery { result, .. } = delivery;
        if self.includes(&result.id, &result.status) {
            self.ids.remove(&result.id);
        }
    }

    /// Repeats a delivery. Returns whether it is repeated: not after too many attempts.
    pub(super) fn retry(&mut self, mut delivery: PendingDelivery) -> bool {
        let is_replaced = !self.includes(&delivery.result.id, &delivery.result.status);
        if delivery.attempts >= MAX_ATTEMPTS || is_replaced {
            self.done(&delivery);
            return false;
        }
        self.running -= 1;
        delivery.due_at = Instant::now() + RETRY_DELAY;
        self.waiting.push_back(delivery);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str) -> QueryVideoTaskResult {
        QueryVideoTaskResult {
            id: id.to_owned(),
            status: "succeeded".to_owned(),
            ..QueryVideoTaskResult::default()
        }
    }

    #[test]
    fn a_record_is_delivered_once_at_a_time_and_retried_a_few_times() {
        let mut deliveries = Deliveries::default();
        deliveries.add(result("a"));
        deliveries.add(result("a"));
        for attempt in 1..=MAX_ATTEMPTS {
            for waiting in &mut deliveries.waiting {
                waiting.due_at = Instant::now();
            }
            let delivery = deliveries.next().unwrap();
            assert!(deliveries.next().is_none() && deliveries.includes("a", "succeeded"));
            assert_eq!(deliveries.retry(delivery), attempt < MAX_ATTEMPTS);
        }
        assert!(!deliveries.includes("a", "succeeded") && deliveries.next().is_none());
        deliveries.add(result("a"));
        assert!(deliveries.next().is_some());
    }

    #[test]
    fn the_end_of_a_task_replaces_a_delivery_that_is_not_urgent() {
        let mut deliveries = Deliveries::default();
        let running = QueryVideoTaskResult {
            status: "running".to_owned(),
            ..result("a")
        };
        deliveries.add(running);
        assert!(deliveries.next().is_none() && deliveries.includes("a", "running"));
        deliveries.add(result("a"));
        let delivery = deliveries.next().unwrap();
        assert_eq!(delivery.result.status, "succeeded");
        assert!(deliveries.next().is_none());
    }

    #[test]
    fn few_deliveries_run_concurrently() {
        let mut deliveries = Deliveries::default();
        for number in 0..=MAX_RUNNING {
            deliveries.add(result(&number.to_string()));
        }
        let running: Vec<_> = std::iter::from_fn(|| deliveries.next()).collect();
        assert_eq!(running.len(), MAX_RUNNING);
        deliveries.done(&running[0]);
        assert!(deliveries.next().is_some());
    }
}
