use std::time::Duration;

use crate::completions::Expectation;

/// From this age on, the maximum interval grows with the age if the completion time is known. With the default schedule,
/// it is a tenth of the age then.
const LONG_TASK: Duration = Duration::from_secs(10 * 60);

/// How often the tasks of one account are polled.
#[derive(Clone, Debug, PartialEq)]
pub struct PollSchedule {
    /// Minimum interval between two polls of a task.
    pub min_interval: Duration,
    /// Maximum interval between two polls of a task while it is likely to end.
    pub max_interval: Duration,
    /// How long a 404 must last before a task without any record counts as non-existent. The API may return
    /// 404 for a task that was just created.
    pub not_found_grace: Duration,
}

impl Default for PollSchedule {
    fn default() -> Self {
        Self {
            min_interval: Duration::from_secs(2),
            max_interval: Duration::from_secs(60),
            not_found_grace: Duration::from_secs(10 * 60),
        }
    }
}

impl PollSchedule {
    /// Returns the interval for a task of this age: a tenth of the age, within the bounds.
    pub fn interval_at(&self, age: Duration) -> Duration {
        let max_interval = self.max_interval.max(self.min_interval);
        (age / 10).clamp(self.min_interval, max_interval)
    }

    /// Returns how long the first poll of a task of this age is delayed: until the task may have ended, if that is known.
    pub fn first_poll_after(&self, expectation: Option<&Expectation>, age: Duration) -> Duration {
        let next = self.next_poll(expectation, None, age);
        next.unwrap_or_default().saturating_sub(age)
    }

    /// Returns how much a poll at the age `now` is worth, if the task was unfinished at the age `looked_at`: 1 from when the
    /// task would be polled alone. `None`: it was never looked at.
    pub fn worth(
        &self,
        expectation: &Expectation,
        looked_at: Option<Duration>,
        now: Duration,
    ) -> f64 {
        let Some(looked_at) = looked_at else {
            return match self.first_poll_after(Some(expectation), now) {
                Duration::ZERO => 1.0,
                _ => expectation.worth(Duration::ZERO, now),
            };
        };
        let since = now.saturating_sub(looked_at);
        if since < self.min_interval {
            return 0.0;
        }
        match self.next_poll(Some(expectation), Some(looked_at), looked_at) {
            Some(next) if now >= next => 1.0_f64.max(expectation.worth(looked_at, now)),
            Some(_) => expectation.worth(looked_at, now),
            None => since.div_duration_f64(self.interval_at(looked_at)),
        }
    }

    /// Returns the age at which to poll a task next that has this age. `None` if it is not known when the task is likely
    /// to end.
    ///
    /// The maximum interval counts from when the task is likely to end: a task that is expected in three hours is not
    /// polled every minute.
    pub(super) fn next_poll(
        &self,
        expectation: Option<&Expectation>,
        polled_at: Option<Duration>,
        age: Duration,
    ) -> Option<Duration> {
        let expectation = expectation.filter(|it| it.is_informed())?;
        let likely_from = expectation.likely_from(age).unwrap_or(age);
        let latest = likely_from.saturating_add(self.max_interval_at(likely_from));
        Some(expectation.next_poll(polled_at).min(latest))
    }

    /// Returns the maximum interval for a task whose completion time is known. It grows with the age of a task that takes
    /// long: a lag of minutes matters less then, and requests are limited.
    fn max_interval_at(&self, age: Duration) -> Duration {
        let factor = age.div_duration_f64(LONG_TASK).max(1.0);
        let max_interval = self.max_interval.max(self.min_interval);
        let seconds = max_interval.as_secs_f64() * factor;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
