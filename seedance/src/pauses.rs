//! The delays that the service requested, for everything in this process that sends the same request.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

/// How long all others wait because of one `Retry-After`, at most. Whoever received it may wait for longer.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// When requests are allowed again, by what they are about: a task or the list. Clones share the pauses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses(Arc<Mutex<HashMap<String, SystemTime>>>);

impl Pauses {
    /// Notes the `Retry-After` of a response.
    pub(crate) fn note(&self, subject: &str, retry_after: Duration, now: SystemTime) {
        let end = now + retry_after.min(MAX_PAUSE);
        let mut pauses = self.0.lock();
        // Seldom, so that a burst of responses does not take quadratic time.
        if pauses.len().is_power_of_two() {
            pauses.retain(|_, end| now < *end);
        }
        let noted = pauses.entry(subject.to_owned()).or_insert(end);
        *noted = end.max(*noted);
    }

    /// Returns how long requests have to wait.
    pub(crate) fn left(&self, subject: &str, now: SystemTime) -> Duration {
        let end = self.0.lock().get(subject).copied();
        let left = end.and_then(|end| end.duration_since(now).ok());
        // A longer one can only be due to a clock that was set back.
        left.filter(|left| *left <= MAX_PAUSE).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_simulator::{Fault, Script};

    use super::*;
    use crate::{ErrorKind, test_service};

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_pause_is_for_one_subject_and_ends() {
        let pauses = Pauses::default();
        let now = SystemTime::UNIX_EPOCH + HOUR;
        pauses.note("cgt-1", 7 * SECOND, now);
        pauses.note("cgt-1", 3 * SECOND, now);
        pauses.note("cgt-2", HOUR, now);
        assert_eq!(pauses.clone().left("cgt-1", now + SECOND), 6 * SECOND);
        assert_eq!(pauses.left("cgt-1", now + 7 * SECOND), Duration::ZERO);
        assert_eq!(pauses.left("cgt-2", now), MAX_PAUSE);
        assert_eq!(pauses.left("cgt-2", now - HOUR), Duration::ZERO);
        assert_eq!(pauses.left("cgt-3", now), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_task_is_not_queried_before_the_time_that_the_service_asked_for() {
        let (simulator, endpoint, client) = test_service::start(|it| it).await;
        let [task, other] = [(); 2].map(|()| simulator.create(Script::default()));
        let retry_after = Some(50);
        simulator.set_fault(Some(Fault::RateLimited { retry_after }));
        let error = client.query(&endpoint, &task).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        simulator.set_fault(None);

        let same_account = endpoint.clone();
        let refused = client.query(&same_account, &task).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Throttled);
        assert!(
            refused.to_string().contains("asked to wait for"),
            "{refused}"
        );
        assert!(client.query(&endpoint, &other).await.is_ok());
        assert_eq!(simulator.stats(&task).queries, 1);

        let (found, ()) = tokio::join!(
            client.query_patiently(&endpoint, &task, HOUR),
            client.clock().advance(50 * SECOND)
        );
        assert!(found.is_ok());
    }

    #[tokio::test]
    async fn the_last_chance_of_a_query_is_taken() {
        let (simulator, endpoint, client) = test_service::start(|it| it).await;
        let task = simulator.create(Script::default());
        endpoint
            .pauses
            .note(&task, 50 * SECOND, client.clock().now());
        let found = client.query_in_window(&endpoint, &task, 99 * SECOND).await;
        assert!(found.is_ok());
        let refused = client.query_in_window(&endpoint, &task, 101 * SECOND).await;
        assert_eq!(refused.err().unwrap().kind(), ErrorKind::Throttled);
    }

    #[test]
    fn pauses_that_have_ended_are_forgotten() {
        let pauses = Pauses::default();
        let mut now = SystemTime::UNIX_EPOCH;
        for task in 0..1_000 {
            pauses.note(&format!("cgt-{task}"), SECOND, now);
            now += SECOND;
        }
        assert!(pauses.0.lock().len() <= 2);
    }
}
