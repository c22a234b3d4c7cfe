use std::{sync::Arc, time::Duration};

use super::{
    density::{BINS, Density, WIDTH},
    distribution::{Distribution, bin},
    plan::{Plan, TAIL},
};

/// The part of the tasks that end at likely ages.
const LIKELY: f64 = 0.9;
/// Minimum interval between two polls of a task, in seconds. The bounds of the schedule apply besides.
const MIN_INTERVAL: f64 = 1.0;
/// The price of a request, in seconds of lag, if half of the tasks end within [`PRICED_AGE`]. With the completion times
/// of Seedance's online tier, the mean lag is then about 5 seconds.
const PRICE: f64 = 1.0;
/// In seconds.
const PRICED_AGE: f64 = 90.0;
/// Bounds of the price.
const MIN_PRICE: f64 = 0.5;
const MAX_PRICE: f64 = 30.0;

/// When a task is expected to end, and the poll schedule that follows from it.
///
/// It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Expectation(Option<Arc<Tables>>);

#[derive(Debug)]
struct Tables {
    distribution: Distribution,
    plan: Plan,
    /// Age of the first poll.
    first: f64,
    /// For each bin, the first likely one from there on. `BINS` if there is none.
    likely: Vec<usize>,
}

impl Expectation {
    pub(super) fn new(density: &Density) -> Self {
        Self(Some(Arc::new(Tables::new(density))))
    }

    /// Returns the expectation for a task whose kind the first poll will tell. `kinds` are the expectations of the kinds
    /// with their weights.
    pub(super) fn of_unknown_kind(density: &Density, kinds: &[(f64, Self)]) -> Self {
        let mut tables = Tables::new(density);
        let cost = |age: f64| {
            let cost = |(weight, kind): &(f64, Self)| match &kind.0 {
                Some(kind) => weight * (kind.distribution.at(age).lag + kind.plan.cost(age)),
                None => 0.0,
            };
            kinds.iter().map(cost).sum::<f64>()
        };
        let costs = tables.plan.ages().skip(1).map(|age| (age, cost(age)));
        if let Some((first, _)) = costs.min_by(|one, other| one.1.total_cmp(&other.1)) {
            tables.first = first;
        }
        Self(Some(Arc::new(tables)))
    }

    /// Returns whether enough tasks were observed to rely on it. If not, the schedule is that of
    /// [`PollSchedule::interval_at`](crate::poll::PollSchedule::interval_at): a poll at once, then intervals of a tenth
    /// of the age.
    pub fn is_informed(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the age at which to poll a task next that was unfinished at the age `polled_at`. `None`: it was never
    /// polled.
    pub fn next_poll(&self, polled_at: Option<Duration>) -> Duration {
        match (polled_at, &self.0) {
            (None, None) => Duration::ZERO,
            (None, Some(tables)) => Duration::from_secs_f64(tables.first),
            (Some(polled_at), _) => polled_at.saturating_add(self.interval(polled_at)),
        }
    }

    /// Returns the interval between the poll at this age and the next one.
    fn interval(&self, age: Duration) -> Duration {
        let age = age.as_secs_f64();
        let planned = self.0.as_ref().and_then(|tables| tables.plan.next(age));
        let interval = planned.map_or(age * TAIL, |next| next - age);
        Duration::from_secs_f64(interval.max(MIN_INTERVAL))
    }

    /// Returns how much a poll is worth at the age `now`, if the task was unfinished at the age `looked_at`: the
    /// expected lag, relative to the one at which the task is polled alone. So it is 1 at [`Self::next_poll`].
    ///
    /// A request that looks at many tasks is due when the sum over them is 1.
    pub fn worth(&self, looked_at: Duration, now: Duration) -> f64 {
        let next = self.next_poll(Some(looked_at)).as_secs_f64();
        let (looked_at, now) = (looked_at.as_secs_f64(), now.as_secs_f64());
        if now <= looked_at {
            return 0.0;
        }
        let tables = self.0.as_ref();
        let from_lags = tables.and_then(|tables| tables.worth(looked_at, now, next));
        from_lags.unwrap_or_else(|| ((now - looked_at) / (next - looked_at)).powi(2))
    }

    /// Returns the age from which on a task is likely to end, if it was unfinished at this age: this age or a later one.
    /// `None`: it is already older than is likely, or not enough tasks were observed.
    ///
    /// Nine in ten tasks end at likely ages.
    pub fn likely_from(&self, age: Duration) -> Option<Duration> {
        let age = age.as_secs_f64();
        let likely = *self.0.as_ref()?.likely.get(bin(age))?;
        (likely < BINS).then(|| {
            let begin = (likely as f64 * WIDTH).exp();
            Duration::from_secs_f64(begin.max(age))
        })
    }
}

impl Tables {
    fn new(density: &Density) -> Self {
        let distribution = Distribution::new(density);
        let plan = Plan::new(density, &distribution, price(density.log_median().exp()));
        Self {
            first: plan.next(0.0).unwrap_or_default(),
            likely: likely(density.probabilities()),
            distribution,
            plan,
        }
    }

    /// Returns the lag at `now` relative to that at `next`. `None` where almost no task is unfinished, so that the
    /// lags are not precise.
    fn worth(&self, looked_at: f64, now: f64, next: f64) -> Option<f64> {
        self.plan.next(looked_at)?;
        let from = self.distribution.at(looked_at);
        let lag = |age| from.lag_until(self.distribution.at(age));
        let (lag, lag_alone) = (lag(now), lag(next));
        (lag_alone > 0.0).then(|| lag.max(0.0) / lag_alone)
    }
}

fn price(median: f64) -> f64 {
    (PRICE * (median / PRICED_AGE).powf(1.0 / 3.0)).clamp(MIN_PRICE, MAX_PRICE)
}

/// Returns, for each bin, the first likely one from there on. The likely bins are those with the most probability.
fn likely(probabilities: &[f64]) -> Vec<usize> {
    let mut by_probability: Vec<_> = (0..BINS).collect();
    by_probability.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let mut next = vec![BINS; BINS];
    let mut total = 0.0;
    for bin in by_probability {
        if total >= LIKELY {
            break;
        }
        total += probabilities[bin];
        next[bin] = bin;
    }
    for bin in (0..BINS - 1).rev() {
        next[bin] = next[bin].min(next[bin + 1]);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_may_cost_more_lag_if_tasks_take_long() {
        for (median, expected) in [(90.0, 1.0), (720.0, 2.0), (1.0, 0.5), (10_000_000.0, 30.0)] {
            let price = price(median);
            assert!((price - expected).abs() < 1e-9, "{price} at {median} s");
        }
    }
}
