//! Distributions of completion times, compared with what is known of log-normal ones.

use super::*;
use crate::completions::{
    density::{BINS, WIDTH},
    observations::{MAX_OBSERVATIONS, Observations},
};

/// The standard normal distribution: some deviations, the probability below them, and below half a deviation less.
const NORMAL: [(f64, f64, f64); 5] = [
    (-0.5, 0.308_538, 0.158_655),
    (0.0, 0.5, 0.308_538),
    (0.5, 0.691_462, 0.5),
    (1.0, 0.841_345, 0.691_462),
    (1.5, 0.933_193, 0.841_345),
];

/// Returns the mean and the standard deviation of the logarithm of the age.
fn moments(density: &Density) -> (f64, f64) {
    let log_age = |bin: usize| (bin as f64 + 0.5) * WIDTH;
    let bins = || density.probabilities().iter().enumerate();
    let mean: f64 = bins().map(|(bin, part)| part * log_age(bin)).sum();
    let variance: f64 = bins()
        .map(|(bin, part)| part * (log_age(bin) - mean).powi(2))
        .sum();
    (mean, variance.sqrt())
}

fn assert_same(found: &Density, expected: impl Fn(usize) -> f64) {
    for (bin, found) in found.probabilities().iter().enumerate() {
        assert_close(*found, expected(bin), 1e-12);
    }
}

#[test]
fn a_log_normal_distribution_has_its_median_and_its_deviation() {
    for (median, sigma) in [(MEDIAN, SIGMA), (2_000.0, 0.1)] {
        let density = Density::log_normal(f64::ln(median), sigma);
        assert_close(density.probabilities().iter().sum(), 1.0, 1e-9);
        let (mean, deviation) = moments(&density);
        assert_close(mean, median.ln(), 1e-4);
        assert_close(deviation, sigma, sigma / 200.0);
        assert_close(density.log_median(), median.ln(), 1e-3);
    }
    let middle_of_a_bin = 100.5 * WIDTH;
    let density = Density::log_normal(middle_of_a_bin, SIGMA);
    assert_close(density.log_median(), middle_of_a_bin, 1e-9);
}

#[test]
fn a_kernel_ends_four_deviations_from_its_centre() {
    let density = Density::log_normal(MEDIAN.ln(), SIGMA);
    let centre = MEDIAN.ln() / WIDTH - 0.5;
    let reach = 4.0 * SIGMA / WIDTH;
    for (bin, probability) in density.probabilities().iter().enumerate() {
        let distance = (bin as f64 - centre).abs();
        assert!(distance > reach || *probability > 0.0, "bin {bin}");
        assert!(distance < reach + 1.0 || *probability == 0.0, "bin {bin}");
    }
}

#[test]
fn a_kernel_at_the_first_or_the_last_age_is_cut_off() {
    for log_age in [0.0, BINS as f64 * WIDTH] {
        let density = Density::log_normal(log_age, SIGMA);
        assert_close(density.probabilities().iter().sum(), 1.0, 1e-9);
    }
}

#[test]
fn distributions_are_mixed_by_their_weights() {
    let [fast, slow] = [3.0, 5.0].map(|log_median| Density::log_normal(log_median, 0.2));
    let expected = |bin: usize| 0.25 * fast.probabilities()[bin] + 0.75 * slow.probabilities()[bin];
    let mut sum = Density::zero();
    sum.add(&fast, 0.25);
    sum.add(&slow, 0.75);
    assert_same(&sum, expected);
    let mut blend = fast.clone();
    blend.blend(&slow, 0.75);
    assert_same(&blend, expected);
}

#[test]
fn the_more_is_observed_the_less_a_distribution_is_widened() {
    let narrow = Density::log_normal(MEDIAN.ln(), 0.1);
    let wide = Density::log_normal(narrow.log_median(), 1.2);
    for (observed, weight) in [(0, 3.0 / 7.0), (4, 0.2), (26, 1.5 / 29.5)] {
        assert_same(&narrow.clone().widened(observed), |bin| {
            let [narrow, wide] = [&narrow, &wide].map(|it| it.probabilities()[bin]);
            (1.0 - weight) * narrow + weight * wide
        });
    }
}

/// The expected lag at an age is the integral of the probability of having ended.
#[test]
fn lags_are_those_of_log_normal_completion_times() {
    let (median, sigma) = (100.0, 0.5);
    let distribution = Distribution::new(&Density::log_normal(f64::ln(median), sigma));
    let mean = median * f64::exp(sigma * sigma / 2.0);
    let lag = |age: f64, ended: f64, ended_by_time: f64| age * ended - mean * ended_by_time;
    let age = |deviations: f64| median * f64::exp(sigma * deviations);
    for (deviations, ended, ended_by_time) in NORMAL {
        let age = age(deviations);
        let point = distribution.at(age);
        assert_close(point.ended, ended, 1e-3);
        assert_close(point.unfinished(), 1.0 - ended, 1e-3);
        assert_close(point.lag, lag(age, ended, ended_by_time), 0.05);
    }

    let [
        (from, ended, ended_by_time),
        ..,
        (to, ended_later, ended_later_by_time),
    ] = NORMAL;
    let (from, to) = (age(from), age(to));
    let between = lag(to, ended_later, ended_later_by_time)
        - lag(from, ended, ended_by_time)
        - ended * (to - from);
    let found = distribution.at(from).lag_until(distribution.at(to));
    assert_close(found, between, 0.05);

    assert_eq!(distribution.at(0.5).ended, 0.0);
    let late = distribution.at(1_000_000.0);
    assert_close(late.ended, 1.0, 1e-9);
    assert_close(late.lag, 1_000_000.0 - mean, 0.05);
}

fn observed(seconds: impl IntoIterator<Item = u32>) -> Density {
    let mut observations = Observations::default();
    seconds
        .into_iter()
        .for_each(|seconds| observations.push_seconds(seconds));
    observations.density()
}

#[test]
fn the_bandwidth_is_fitted_to_six_or_more_observations() {
    for (count, bandwidth) in [(5, 0.28), (6, 0.08), (MAX_OBSERVATIONS, 0.08)] {
        let density = observed(vec![100; count]);
        assert_close(density.probabilities().iter().sum(), 1.0, 1e-9);
        assert_close(moments(&density).1, bandwidth, bandwidth / 100.0);
    }
}

#[test]
fn short_completion_times_are_as_imprecise_as_whole_seconds() {
    let density = observed([4; 20]);
    assert_close(moments(&density).1, 0.125, 0.001);
}

#[test]
fn newer_observations_weigh_more() {
    let density = observed([[100_u32; 40], [200; 40]].concat());
    let median = density.log_median().exp();
    assert!((180.0..200.0).contains(&median), "{median} s");
}
