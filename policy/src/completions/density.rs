//! Probability distributions over the age of a task, on bins of equal width in log time.

use std::ops::RangeInclusive;

/// Number of bins.
pub(super) const BINS: usize = 512;
/// Width of a bin in log time: 2.6 %. The bins cover one second to a week.
pub(super) const WIDTH: f64 = 0.026;
/// A kernel is cut off at this many bandwidths.
const MAX_DEVIATION: f64 = 4.0;
/// Standard deviation of the wide distribution, in log time.
const WIDE_SIGMA: f64 = 1.2;
/// The weight of the wide distribution, in observations.
const WIDE_EVIDENCE: f64 = 1.5;
/// The weight of what is known of other kinds, in observations.
const OTHER_EVIDENCE: f64 = 2.0;

/// The probability that a task ends at an age in each bin. Bin `i` begins at age `exp(i * WIDTH)` seconds. The first bin
/// also has all earlier ages, and the last one all later ones.
#[derive(Clone, Debug)]
pub(super) struct Density(Vec<f64>);

impl Density {
    pub(super) fn zero() -> Self {
        Self(vec![0.0; BINS])
    }

    /// Returns a log-normal distribution.
    pub(super) fn log_normal(log_median: f64, sigma: f64) -> Self {
        let mut density = Self::zero();
        density.add_kernel(log_median, sigma, 1.0);
        density
    }

    /// Adds a Gaussian in log time, with this total probability.
    pub(super) fn add_kernel(&mut self, log_age: f64, bandwidth: f64, probability: f64) {
        let centre = log_age / WIDTH - 0.5;
        let deviation = bandwidth / WIDTH;
        let range = bins(centre, deviation);
        let weight = |bin: usize| (-0.5 * ((bin as f64 - centre) / deviation).powi(2)).exp();
        let total: f64 = range.clone().map(weight).sum();
        for bin in range {
            self.0[bin] += probability * weight(bin) / total;
        }
    }

    pub(super) fn add(&mut self, other: &Self, weight: f64) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own += weight * other;
        }
    }

    /// Replaces this part of the probability by another distribution.
    pub(super) fn blend(&mut self, other: &Self, weight: f64) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own += weight * (other - *own);
        }
    }

    /// Returns the distribution mixed with a wide one around its median, for what so many observations do not tell: a
    /// service that became faster or slower, and a task that takes longer than any before.
    pub(super) fn widened(mut self, observed: usize) -> Self {
        let wide = Self::log_normal(self.log_median(), WIDE_SIGMA);
        let weight = WIDE_EVIDENCE / (WIDE_EVIDENCE + OTHER_EVIDENCE + observed as f64);
        self.blend(&wide, weight);
        self
    }

    /// Scales the probabilities so that their sum is 1.
    pub(super) fn normalize(&mut self) {
        let total: f64 = self.0.iter().sum();
        if total > 0.0 {
            self.0.iter_mut().for_each(|bin| *bin /= total);
        }
    }

    /// Returns the logarithm of the age that half of the tasks reach.
    pub(super) fn log_median(&self) -> f64 {
        let mut left = 0.5;
        let mut bins = 0.0;
        for probability in &self.0 {
            if left <= *probability {
                bins += left / probability;
                break;
            }
            left -= probability;
            bins += 1.0;
        }
        bins * WIDTH
    }

    pub(super) fn probabilities(&self) -> &[f64] {
        &self.0
    }
}

/// Returns the bins that a kernel reaches. At least one, so that no probability is lost.
fn bins(centre: f64, deviation: f64) -> RangeInclusive<usize> {
    let last = (BINS - 1) as f64;
    let first = (centre - MAX_DEVIATION * deviation)
        .clamp(0.0, last)
        .floor();
    let end = (centre + MAX_DEVIATION * deviation).clamp(0.0, last).ceil();
    // Both are within the bins.
    first as usize..=end as usize
}
