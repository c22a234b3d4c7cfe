//! When tasks are created, and how long they take.

use std::time::Duration;

use super::options::SIGMA;
use crate::random::Random;

/// Tasks that the first ones are created with a second, at most: more would only measure the start.
const MAX_STARTS_PER_SECOND: f64 = 40.0;
const MIN_RAMP_SECONDS: f64 = 10.0;

/// A task that is about to be created.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// When, since the start of the load.
    pub(super) at: Duration,
    /// How long ago the task was created, according to its record.
    pub(super) age: Duration,
    /// From the creation to the end.
    pub(super) completion: Duration,
}

/// The arrivals of tasks.
pub(super) struct Arrivals {
    random: Random,
    median: f64,
    in_flight: usize,
    /// Tasks in flight at the end of the ramp, by creation.
    first: std::vec::IntoIter<Arrival>,
    /// When the next task after the ramp is created, in seconds.
    next_at: f64,
}

impl Arrivals {
    /// Returns arrivals that keep `in_flight` tasks in flight once the ramp has ended.
    pub(super) fn new(in_flight: usize, median: f64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let ramp = ramp_seconds(in_flight);
        // Those of a steady state: a task in flight is a long one with a probability that is proportional to its length,
        // and of any age.
        let median_in_flight = median * (SIGMA * SIGMA).exp();
        let mut first: Vec<_> = (0..in_flight)
            .map(|number| {
                let completion = log_normal(&mut random, median_in_flight);
                let created_at = ramp - random.uniform() * completion;
                let earliest = ramp * number as f64 / in_flight as f64;
                Arrival {
                    at: Duration::from_secs_f64(created_at.max(earliest)),
                    age: Duration::from_secs_f64((earliest - created_at).max(0.0)),
                    completion: Duration::from_secs_f64(completion),
                }
            })
            // Those that would have ended already are as good as never created.
            .filter(|arrival| arrival.age < arrival.completion)
            .collect();
        first.sort_by_key(|arrival| arrival.at);
        Self {
            random,
            median,
            in_flight,
            first: first.into_iter(),
            next_at: ramp,
        }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        if let Some(arrival) = self.first.next() {
            return Some(arrival);
        }
        let mean = self.median * (SIGMA * SIGMA / 2.0).exp();
        self.next_at += self.random.exponential(mean / self.in_flight as f64);
        Some(Arrival {
            at: Duration::from_secs_f64(self.next_at),
            age: Duration::ZERO,
            completion: Duration::from_secs_f64(log_normal(&mut self.random, self.median)),
        })
    }
}

/// Returns how long it takes until all tasks are in flight.
pub(super) fn ramp(in_flight: usize) -> Duration {
    Duration::from_secs_f64(ramp_seconds(in_flight))
}

fn ramp_seconds(in_flight: usize) -> f64 {
    (in_flight as f64 / MAX_STARTS_PER_SECOND).max(MIN_RAMP_SECONDS)
}

fn log_normal(random: &mut Random, median: f64) -> f64 {
    median * (SIGMA * random.normal()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_tasks_are_in_flight_as_asked_for() {
        let ramp = ramp(1_000);
        let end = ramp + Duration::from_secs(600);
        let arrivals = Arrivals::new(1_000, 90.0, 7);
        let arrivals: Vec<_> = arrivals.take_while(|it| it.at < end).collect();
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        for time in [0, 60, 300, 500] {
            let time = ramp + Duration::from_secs(time);
            let is_in_flight =
                |it: &&Arrival| it.at <= time && it.at + it.completion > time + it.age;
            let in_flight = arrivals.iter().filter(is_in_flight).count();
            assert!(
                (900..1_100).contains(&in_flight),
                "{in_flight} after {time:?}"
            );
        }
    }
}
