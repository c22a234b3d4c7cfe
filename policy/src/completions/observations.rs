//! The last completion times of one kind of task, and the distribution that they suggest.

use std::{collections::VecDeque, time::Duration};

use super::density::Density;

/// Number of completion times that are kept of a kind.
pub(super) const MAX_OBSERVATIONS: usize = 96;
/// Maximum completion time: a week, in seconds.
const MAX_SECONDS: u32 = 7 * 24 * 60 * 60;
/// The weight of an observation, relative to the next one. A service whose speed changed is relearned sooner.
const DECAY: f64 = 0.98;
/// Bandwidths that are tried.
const BANDWIDTHS: [f64; 6] = [0.08, 0.12, 0.16, 0.22, 0.3, 0.4];
/// The bandwidth for few observations: about the spread of the completion times of one kind.
const INITIAL_BANDWIDTH: f64 = 0.28;
/// Number of observations from which on the bandwidth is fitted.
const MIN_FITTED: usize = 6;
/// The density, in log time, of what the other observations do not explain.
const OUTLIERS: f64 = 0.02;

/// Completion times in seconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Observations(VecDeque<u32>);

impl Observations {
    pub(super) fn push(&mut self, after: Duration) {
        let seconds = u32::try_from(after.as_secs()).unwrap_or(MAX_SECONDS);
        self.push_seconds(seconds);
    }

    pub(super) fn push_seconds(&mut self, seconds: u32) {
        if self.0.len() == MAX_OBSERVATIONS {
            self.0.pop_front();
        }
        self.0.push_back(seconds.clamp(1, MAX_SECONDS));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn seconds(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    /// Returns the distribution, with a Gaussian kernel in log time around each observation.
    pub(super) fn density(&self) -> Density {
        let samples = self.samples();
        let bandwidth = bandwidth(&samples);
        let mut density = Density::zero();
        for sample in &samples {
            // The times are whole seconds, which matters for short ones.
            let rounding = (-sample.log_age).exp() / 2.0;
            density.add_kernel(sample.log_age, bandwidth.max(rounding), sample.weight);
        }
        density.normalize();
        density
    }

    fn samples(&self) -> Vec<Sample> {
        let mut weight = 1.0;
        let newest_first = self.0.iter().rev().map(|seconds| {
            weight *= DECAY;
            Sample {
                log_age: f64::from(*seconds).ln(),
                weight,
            }
        });
        newest_first.collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    log_age: f64,
    weight: f64,
}

/// Returns the bandwidth with which the observations predict each other best.
fn bandwidth(samples: &[Sample]) -> f64 {
    if samples.len() < MIN_FITTED {
        return INITIAL_BANDWIDTH;
    }
    let likelihoods = BANDWIDTHS.map(|bandwidth| (bandwidth, likelihood(samples, bandwidth)));
    let best = likelihoods.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(INITIAL_BANDWIDTH, |(bandwidth, _)| bandwidth)
}

/// Returns the logarithm of the likelihood of each observation, given the others.
fn likelihood(samples: &[Sample], bandwidth: f64) -> f64 {
    let total: f64 = samples.iter().map(|sample| sample.weight).sum();
    let density = |of: &Sample| {
        let kernel = |other: &Sample| {
            let deviation = (other.log_age - of.log_age) / bandwidth;
            other.weight * (-0.5 * deviation * deviation).exp()
        };
        // A sample's own kernel is its weight.
        let others = samples.iter().map(kernel).sum::<f64>() - of.weight;
        others.max(0.0) / (total - of.weight) / bandwidth + OUTLIERS
    };
    samples
        .iter()
        .map(|sample| sample.weight * density(sample).ln())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bandwidth apart from each other, each of the two predicts the other by the same density.
    #[test]
    fn observations_are_likely_if_the_others_are_near() {
        let sample = |log_age, weight| Sample { log_age, weight };
        let samples = [sample(5.0, 1.0), sample(5.1, 0.5)];
        let density = f64::exp(-0.5) / 0.1 + OUTLIERS;
        let deviation = likelihood(&samples, 0.1) - 1.5 * density.ln();
        assert!(deviation.abs() < 1e-9, "{deviation}");
    }
}
