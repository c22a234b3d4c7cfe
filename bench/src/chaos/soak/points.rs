//! Series as points over time: of one worker, or of all of them.

use std::{collections::BTreeMap, time::Duration};

use super::{
    samples::{Sample, Samples},
    series::{Scope, Series},
};

/// Time over which the rate of a total is taken.
const RATE_WINDOW: Duration = Duration::from_secs(30);
const MINUTE: f64 = 60.0;

/// A value at a time since the first sample.
pub(super) type Point = (Duration, f64);

/// The points that have a level of their own.
pub(super) struct Line {
    pub(super) whose: String,
    pub(super) points: Vec<Point>,
}

/// Returns the lines of a series whose levels are compared.
pub(super) fn compared(samples: &Samples, series: Series) -> Vec<Line> {
    let workers = samples.workers();
    let of = |worker: &usize| of_worker(samples, series, *worker);
    let together = |merge: fn(f64, f64) -> f64| {
        let mut all = BTreeMap::<Duration, f64>::new();
        for (at, value) in workers.iter().flat_map(of) {
            all.entry(at)
                .and_modify(|it| *it = merge(*it, value))
                .or_insert(value);
        }
        vec![Line {
            whose: "all workers".into(),
            points: all.into_iter().collect(),
        }]
    };
    match series.scope() {
        Scope::EachWorker => {
            let line = |worker: &usize| Line {
                whose: format!("worker {worker}"),
                points: of(worker),
            };
            workers.iter().map(line).collect()
        }
        Scope::Largest => together(f64::max),
        Scope::Sum => together(|a, b| a + b),
    }
}

/// Returns the points of a worker: values, or rates a minute.
pub(super) fn of_worker(samples: &Samples, series: Series, worker: usize) -> Vec<Point> {
    let of_worker = samples.all.iter().filter(|sample| sample.worker == worker);
    let point = |sample: &Sample| Some((sample.at, *sample.values.get(&series)?));
    let points: Vec<_> = of_worker.filter_map(point).collect();
    match series.is_total() {
        true => rates(&points),
        false => points,
    }
}

/// Returns the rates of a total, each over the time before.
fn rates(totals: &[Point]) -> Vec<Point> {
    let mut rates = Vec::new();
    let mut start = 0;
    for (at, total) in totals {
        let is_before = |point: &Point| point.0 + RATE_WINDOW <= *at;
        while totals.get(start + 1).is_some_and(is_before) {
            start += 1;
        }
        if let Some((earlier, before)) = totals.get(start).filter(|point| is_before(point)) {
            let minutes = (*at - *earlier).as_secs_f64() / MINUTE;
            rates.push((*at, (total - before) / minutes));
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::{super::samples::Phases, *};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn samples(values: &[(u64, usize, Series, f64)]) -> Samples {
        let sample = |&(at, worker, series, value): &(u64, usize, Series, f64)| Sample {
            at: seconds(at),
            worker,
            pid: 7,
            values: [(series, value)].into(),
        };
        Samples {
            all: values.iter().map(sample).collect(),
            phases: Phases {
                load_start: seconds(0),
                load_end: seconds(0),
                settled: seconds(0),
            },
        }
    }

    #[test]
    fn workers_are_compared_one_by_one_or_together() {
        let of = |series| {
            let samples = samples(&[(0, 0, series, 3.0), (0, 1, series, 4.0)]);
            let lines = compared(&samples, series).into_iter();
            let values = lines.map(|line| line.points[0].1);
            values.collect::<Vec<_>>()
        };
        assert_eq!(of(Series::Threads), [3.0, 4.0]);
        assert_eq!(of(Series::OpenLifecycles), [4.0]);
        assert_eq!(of(Series::WatchedTasks), [7.0]);
    }

    #[test]
    fn a_total_becomes_a_rate_a_minute() {
        let total = |at| (at, 0, Series::ListRequests, at as f64 / 2.0);
        let totals: Vec<_> = (0..50).map(|number| total(2 * number)).collect();
        let rates = of_worker(&samples(&totals), Series::ListRequests, 0);
        assert_eq!(rates.len(), 50 - 15);
        assert_eq!(rates[0].0, seconds(30));
        assert!(rates.iter().all(|(_, rate)| (rate - 30.0).abs() < 0.01));
    }
}
