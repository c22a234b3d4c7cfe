//! The rule by which a level has risen.

use std::{ops::Range, time::Duration};

use super::points::Point;

/// How much higher a level may be, besides the slack of its unit.
const FACTOR: f64 = 1.1;
/// Fewer values have no level.
const MIN_VALUES: usize = 5;

/// Returns the level in a time: the median, which short faults do not move. `None` if there are too few values.
pub(super) fn level(points: &[Point], time: &Range<Duration>) -> Option<f64> {
    lowest_part(points, time, 2)
}

/// Returns the level of the lowest values in a time: a tenth of them is not above it, so that what is held for a while
/// does not move it. `None` if there are too few values.
pub(super) fn low(points: &[Point], time: &Range<Duration>) -> Option<f64> {
    lowest_part(points, time, 10)
}

/// Returns the end of the lowest values in a time: one of so many equal parts.
fn lowest_part(points: &[Point], time: &Range<Duration>, parts: usize) -> Option<f64> {
    let values = points.iter().filter(|(at, _)| time.contains(at));
    let mut values: Vec<_> = values.map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let end = values.get(values.len() / parts).copied();
    end.filter(|_| values.len() >= MIN_VALUES)
}

/// Returns the highest level that is no rise above another one.
pub(super) fn limit(level: f64, slack: f64) -> f64 {
    level * FACTOR + slack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const SLACK: f64 = 8.0;
    const MINUTES: u64 = 30;

    /// Returns a value each two seconds of half an hour, from its minute.
    fn series(mut value: impl FnMut(f64) -> f64) -> Vec<Point> {
        let times = (0..MINUTES * 30).map(|number| Duration::from_secs(2 * number));
        times
            .map(|at| (at, value(at.as_secs_f64() / 60.0)))
            .collect()
    }

    fn minutes(range: Range<u64>) -> Range<Duration> {
        Duration::from_secs(60 * range.start)..Duration::from_secs(60 * range.end)
    }

    fn rises(points: &[Point]) -> bool {
        let middle = level(points, &minutes(10..20)).unwrap();
        let last = level(points, &minutes(20..30)).unwrap();
        last > limit(middle, SLACK)
    }

    #[test]
    fn a_flat_series_does_not_rise() {
        assert!(!rises(&series(|_| 60.0)));
        assert!(!rises(&series(|_| 0.0)));
    }

    #[test]
    fn a_warm_up_is_no_rise() {
        assert!(!rises(&series(|minute| 60.0 * (1.0 - (-minute).exp()))));
    }

    #[test]
    fn noise_and_short_peaks_do_not_rise() {
        for seed in 0..100 {
            let mut random = Random::new(seed);
            let noisy = series(|minute| {
                let peak = if (24.0..26.0).contains(&minute) {
                    200.0
                } else {
                    0.0
                };
                60.0 + 15.0 * random.normal() + peak
            });
            assert!(!rises(&noisy), "seed {seed}");
        }
    }

    #[test]
    fn a_slow_leak_rises_despite_noise() {
        for seed in 0..100 {
            let mut random = Random::new(seed);
            // The middles of the thirds are 10 minutes apart: 20 more, where 7.5 + 8 are allowed.
            let leaking = series(|minute| 45.0 + 2.0 * minute + 10.0 * random.normal());
            assert!(rises(&leaking), "seed {seed}");
        }
    }

    #[test]
    fn too_few_values_have_no_level() {
        let points = series(|_| 1.0);
        assert_eq!(level(&points[..4], &minutes(0..30)), None);
        assert_eq!(level(&points[..5], &minutes(0..30)), Some(1.0));
        assert_eq!(level(&points, &minutes(40..50)), None);
    }

    #[test]
    fn what_is_held_most_of_the_time_does_not_move_the_lowest_values() {
        let held = |part: f64| series(|minute| if minute % 1.0 < part { 200.0 } else { 60.0 });
        assert_eq!(low(&held(0.8), &minutes(0..30)), Some(60.0));
        assert_eq!(low(&held(1.0), &minutes(0..30)), Some(200.0));
        // A value that is missing in one sum.
        let mut points = held(1.0);
        points[7].1 = 10.0;
        assert_eq!(low(&points, &minutes(0..30)), Some(200.0));
    }
}
