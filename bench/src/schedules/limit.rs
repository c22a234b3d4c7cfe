//! The best that any schedule can do that knows the true distributions, by dynamic programming.

use super::{mixes::Mix, truth::Truth};

/// Minimum number of ages at which a poll is possible.
const MIN_AGES: usize = 3_000;
/// Steps between two ages in the mean lag, about.
const STEPS: f64 = 4.0;
/// The ages cover this many standard deviations to both sides.
const DEVIATIONS: f64 = 4.5;
/// Prices of a request in seconds of lag.
const PRICES: u32 = 64;
const MIN_PRICE: f64 = 0.002;
const MAX_PRICE: f64 = 2_000.0;

/// Requests a task, and the mean lag in seconds.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub(super) struct Cost {
    pub(super) requests: f64,
    pub(super) lag: f64,
}

/// Returns the fewest requests for each mean lag, by increasing lag.
pub(super) fn curve(mix: &Mix) -> Vec<Cost> {
    let best = |price| Truths::of(mix, price).best(price);
    prices().map(best).collect()
}

/// Returns the same if the first poll of a task tells its kind.
pub(super) fn curve_of_unknown_kind(mix: &Mix) -> Vec<Cost> {
    let best = |price| Truths::of(mix, price).best_of_unknown_kind(price);
    prices().map(best).collect()
}

fn prices() -> impl Iterator<Item = f64> {
    let step = |index| f64::from(index) / f64::from(PRICES - 1);
    (0..PRICES).map(move |index| MIN_PRICE * (MAX_PRICE / MIN_PRICE).powf(step(index)))
}

/// Returns the requests of the limit at this mean lag. `None` outside of the curve.
pub(super) fn requests_at(curve: &[Cost], lag: f64) -> Option<f64> {
    let after = curve.partition_point(|cost| cost.lag < lag);
    let (from, to) = (curve.get(after.checked_sub(1)?)?, curve.get(after)?);
    let part = (lag / from.lag).ln() / (to.lag / from.lag).ln();
    Some(from.requests * (to.requests / from.requests).powf(part))
}

#[derive(Clone, Copy)]
struct Age {
    age: f64,
    unfinished: f64,
    /// Integral of `unfinished` from here on.
    unfinished_after: f64,
}

/// The distributions on the same ages, with the part of the tasks of each.
struct Truths(Vec<(f64, Vec<Age>)>);

impl Truths {
    /// Takes more ages the lower the price is, because polls are closer then.
    fn of(mix: &Mix, price: f64) -> Self {
        let truths = mix.truths.iter().map(|(_, truth)| truth);
        let ranges = truths.map(|truth| truth.range(DEVIATIONS));
        let (from, to) = ranges
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
            .unwrap_or((1.0, 1.0));
        let share = |count: usize| count as f64 / mix.tasks.len() as f64;
        let mean = |(count, truth): &(usize, Truth)| share(*count) * truth.unfinished_after(0.0);
        let mean: f64 = mix.truths.iter().map(mean).sum();
        // With one log-normal distribution, the mean lag is about this.
        let lag = (price * mean).sqrt() / 2.0;
        let count = (STEPS * (to / from).ln() * mean / lag) as usize;
        let ages = |(count_of, truth): &(usize, _)| {
            let ages = ages(truth, (from, to), count.max(MIN_AGES));
            (share(*count_of), ages)
        };
        Self(mix.truths.iter().map(ages).collect())
    }

    /// Returns the cost of the schedules that are best at this price.
    fn best(&self, price: f64) -> Cost {
        let best = |(share, ages): &(f64, Vec<Age>)| best(ages, price)[0].times(*share);
        self.0.iter().map(best).fold(Cost::default(), Cost::plus)
    }

    fn best_of_unknown_kind(&self, price: f64) -> Cost {
        let costs: Vec<_> = self.0.iter().map(|(_, ages)| best(ages, price)).collect();
        let first = |index: usize| {
            let after_first = self.0.iter().zip(&costs).map(|((share, ages), costs)| {
                let cost = costs[index].plus(ages[0].until(&ages[index]));
                cost.times(*share)
            });
            after_first.fold(Cost::default(), Cost::plus)
        };
        let ages = self.0.first().map_or(0, |(_, ages)| ages.len());
        let costs = (1..ages).map(first);
        costs
            .min_by(|one, other| one.total(price).total_cmp(&other.total(price)))
            .unwrap_or_default()
    }
}

impl Age {
    /// Returns the cost of the next poll at a later age: the poll, and the lag of the tasks that end between the two.
    fn until(&self, later: &Self) -> Cost {
        let ended = self.unfinished_after - later.unfinished_after;
        Cost {
            requests: self.unfinished,
            lag: (later.age - self.age) * self.unfinished - ended,
        }
    }
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            lag: self.lag + other.lag,
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            requests: self.requests * factor,
            lag: self.lag * factor,
        }
    }

    fn total(&self, price: f64) -> f64 {
        self.requests * price + self.lag
    }
}

fn ages(truth: &Truth, (from, to): (f64, f64), count: usize) -> Vec<Age> {
    let age = |index| from * (to / from).powf(index as f64 / (count - 1) as f64);
    let spread = (0..count).map(age);
    let age = |age| Age {
        age,
        unfinished: truth.unfinished(age),
        unfinished_after: truth.unfinished_after(age),
    };
    std::iter::once(0.0).chain(spread).map(age).collect()
}

/// Returns, for each age, the cost of the best schedule after a poll at that age, times the probability that the task is
/// unfinished then.
fn best(ages: &[Age], price: f64) -> Vec<Cost> {
    let mut costs = vec![Cost::default(); ages.len()];
    // The later a poll, the later the next one.
    let mut latest = ages.len() - 1;
    for (index, from) in ages.iter().enumerate().rev().skip(1) {
        let next = (index + 1..=latest).map(|to| (to, costs[to].plus(from.until(&ages[to]))));
        let next = next.min_by(|one, other| one.1.total(price).total_cmp(&other.1.total(price)));
        if let Some((next, cost)) = next {
            (latest, costs[index]) = (next, cost);
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::{super::mixes, *};

    /// The expected numbers are from another program, with other ages.
    #[test]
    fn the_limit_of_one_model_is_what_another_program_computed() {
        let mixes = mixes::all();
        let best = |price| Truths::of(&mixes[0], price).best(price);
        for (price, requests, lag) in [(1.0, 5.374, 5.132), (2.0, 3.929, 7.178)] {
            let cost = best(price);
            assert!((cost.requests - requests).abs() < 0.02, "{cost:?}");
            assert!((cost.lag - lag).abs() < 0.02, "{cost:?}");
        }
    }

    #[test]
    fn more_lag_takes_fewer_requests() {
        for mix in &mixes::all()[..2] {
            let best = |price| Truths::of(mix, price).best_of_unknown_kind(price);
            let costs = [0.5, 2.0, 8.0, 32.0].map(best);
            let is_ordered = |a: &Cost, b: &Cost| a.lag < b.lag && a.requests > b.requests;
            assert!(costs.is_sorted_by(is_ordered), "{costs:?}");
        }
    }
}
