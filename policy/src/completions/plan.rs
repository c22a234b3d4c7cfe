//! The poll schedule that minimises the expected cost of requests and lag.

use super::{
    density::{BINS, Density, WIDTH},
    distribution::{Distribution, Point},
};

/// Number of ages that the schedule can choose from.
const AGES: usize = 300;
/// The part of the ages that is spread evenly in log time. The others are where tasks are likely to end.
const EVENLY: f64 = 0.3;
/// The ages end where fewer tasks than this are unfinished.
const MIN_UNFINISHED: f64 = 1e-4;
/// Beyond the ages, the interval is this fraction of the age.
pub(super) const TAIL: f64 = 0.1;

/// For some ages, the age of the next poll of a task that was unfinished.
#[derive(Debug)]
pub(super) struct Plan(Vec<Step>);

#[derive(Clone, Copy, Debug)]
struct Step {
    age: f64,
    next: f64,
    cost: f64,
}

impl Plan {
    /// Computes the schedule if a request costs as much as this many seconds of lag.
    ///
    /// Let `cost(a)` be the expected cost after a poll at age `a`, times the probability that the task is unfinished
    /// then. The next poll at age `b` costs a request and the lag of what ends between the two:
    /// `cost(a) = min over b of request * unfinished(a) + lag(a, b) + cost(b)`.
    pub(super) fn new(density: &Density, distribution: &Distribution, request: f64) -> Self {
        let points: Vec<_> = ages(density)
            .into_iter()
            .map(|age| distribution.at(age))
            .collect();
        let mut steps = Vec::with_capacity(points.len());
        let mut costs = vec![0.0; points.len()];
        for (index, from) in points.iter().enumerate().rev() {
            let later = index + 1..points.len();
            let cost = |to: usize| (points[to].age, from.lag_until(points[to]) + costs[to]);
            let best = later.min_by(|one, other| cost(*one).1.total_cmp(&cost(*other).1));
            let (next, cost) = match best {
                // Between the ages, for a precise interval.
                Some(best) if index + 1 < best && best + 1 < points.len() => {
                    lowest([cost(best - 1), cost(best), cost(best + 1)])
                }
                Some(best) => cost(best),
                None => (from.age * (1.0 + TAIL), tail_cost(from, request)),
            };
            let cost = cost + request * from.unfinished();
            costs[index] = cost;
            steps.push(Step {
                age: from.age,
                next,
                cost,
            });
        }
        steps.reverse();
        Self(steps)
    }

    /// Returns the age of the next poll of a task that was unfinished at this age. `None` beyond the ages.
    pub(super) fn next(&self, age: f64) -> Option<f64> {
        self.interpolate(age, |step| step.next)
    }

    /// Returns the expected cost after a poll at this age, times the probability that the task is unfinished then.
    pub(super) fn cost(&self, age: f64) -> f64 {
        self.interpolate(age, |step| step.cost).unwrap_or_default()
    }

    /// Returns the ages of possible polls.
    pub(super) fn ages(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|step| step.age)
    }

    fn interpolate(&self, age: f64, value: impl Fn(&Step) -> f64) -> Option<f64> {
        let after = self.0.partition_point(|step| step.age <= age);
        let (from, to) = (self.0.get(after.checked_sub(1)?)?, self.0.get(after)?);
        let part = (age - from.age) / (to.age - from.age);
        Some(value(from) + (value(to) - value(from)) * part)
    }
}

/// Returns the lowest point of the parabola through three points, of which the second one is the lowest.
fn lowest([left, middle, right]: [(f64, f64); 3]) -> (f64, f64) {
    let to_left = (middle.1 - left.1) / (middle.0 - left.0);
    let to_right = (right.1 - middle.1) / (right.0 - middle.0);
    let curvature = (to_right - to_left) / (right.0 - left.0);
    // A small, but not tiny, difference of costs.
    if curvature.is_nan() || curvature <= f64::EPSILON {
        return middle;
    }
    let age = (left.0 + middle.0 - to_left / curvature) / 2.0;
    let age = age.clamp(left.0, right.0);
    let cost = left.1 + (age - left.0) * (to_left + curvature * (age - middle.0));
    (age, cost.min(middle.1))
}

/// Returns the expected cost beyond the ages, where a tenth of the tasks is assumed to end between two polls.
fn tail_cost(from: &Point, request: f64) -> f64 {
    from.unfinished() * (request / TAIL + from.age * TAIL)
}

/// Returns the ages of possible polls, which increase from 0.
fn ages(density: &Density) -> Vec<f64> {
    let probabilities = density.probabilities();
    let weights: Vec<_> = probabilities.iter().map(|it| it.sqrt()).collect();
    let total: f64 = weights.iter().sum();
    let end = end(probabilities);
    let evenly = EVENLY / end as f64;
    let mut ages = vec![0.0];
    let mut reached = 0.0;
    for (bin, weight) in weights.iter().take(end).enumerate() {
        let share = (evenly + (1.0 - EVENLY) * weight / total) * AGES as f64;
        let after = reached + share;
        // The ages at which the sum of the shares passes a whole number.
        for whole in ages.len()..=AGES.min(after as usize) {
            let part = (whole as f64 - reached) / share;
            ages.push(((bin as f64 + part) * WIDTH).exp());
        }
        reached = after;
    }
    ages
}

/// Returns the bin at which almost all tasks have ended.
fn end(probabilities: &[f64]) -> usize {
    let mut unfinished = 0.0;
    let last = probabilities.iter().rposition(|probability| {
        unfinished += probability;
        unfinished > MIN_UNFINISHED
    });
    last.map_or(BINS, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIAN: f64 = 90.0;
    const SIGMA: f64 = 0.35;

    fn density() -> Density {
        Density::log_normal(MEDIAN.ln(), SIGMA)
    }

    #[test]
    fn some_ages_are_spread_evenly_and_most_are_where_tasks_are_likely_to_end() {
        let density = density();
        let ages = ages(&density);
        assert_eq!(ages[0], 0.0);
        assert!(ages.is_sorted_by(|earlier, later| earlier < later));
        assert!(
            (AGES - 1..=AGES + 1).contains(&ages.len()),
            "{}",
            ages.len()
        );
        let end = end(density.probabilities()) as f64 * WIDTH;
        let last = ages[ages.len() - 1].ln();
        assert!((end - 2.0 * WIDTH..=end).contains(&last), "{last}");
        // No task ends as early as the first forty ages.
        let step = end / (EVENLY * AGES as f64);
        for index in [1, 2, 3, 40] {
            let deviation = ages[index].ln() - index as f64 * step;
            assert!(deviation.abs() < 1e-9, "{deviation} at {index}");
        }
        let is_likely = |age: &&f64| (**age / MEDIAN).ln().abs() < SIGMA;
        let likely = ages.iter().filter(is_likely).count();
        assert!((116..=124).contains(&likely), "{likely}");
    }

    #[test]
    fn the_ages_end_where_almost_all_tasks_have_ended() {
        assert_eq!(end(&[0.5, 0.5 - MIN_UNFINISHED, MIN_UNFINISHED]), 2);
        assert_eq!(end(&[0.0; BINS]), BINS);
    }

    #[test]
    fn between_two_ages_the_schedule_is_interpolated() {
        let density = density();
        let plan = Plan::new(&density, &Distribution::new(&density), 1.0);
        let ages: Vec<_> = plan.ages().collect();
        let (last, others) = ages.split_last().unwrap();
        let next = |age| plan.next(age).unwrap();
        for pair in others.windows(2) {
            let [from, to] = [pair[0], pair[1]];
            let middle = (from + to) / 2.0;
            let expected = (next(from) + next(to)) / 2.0;
            assert!((next(middle) - expected).abs() < 1e-6, "at {middle} s");
            let expected = (plan.cost(from) + plan.cost(to)) / 2.0;
            assert!((plan.cost(middle) - expected).abs() < 1e-9, "at {middle} s");
        }
        assert_eq!((plan.next(*last), plan.cost(*last)), (None, 0.0));
    }

    #[test]
    fn the_lowest_point_of_a_parabola_may_be_between_its_points() {
        let parabola = |age: f64| (age, 2.0 * (age - 4.0).powi(2) + 3.0);
        assert_eq!(lowest([1.0, 3.0, 6.0].map(parabola)), (4.0, 3.0));
        let line = [1.0, 2.0, 3.0].map(|age| (age, 5.0));
        assert_eq!(lowest(line), (2.0, 5.0));
        assert_eq!(lowest([(1.0, 5.0), (1.0, 5.0), (2.0, 6.0)]), (1.0, 5.0));
    }

    #[test]
    fn beyond_the_ages_each_unfinished_task_costs_ten_requests_and_a_tenth_of_its_age() {
        let half = Point {
            age: 100.0,
            ended: 0.5,
            lag: 0.0,
        };
        assert_eq!(tail_cost(&half, 2.0), 15.0);
    }
}
