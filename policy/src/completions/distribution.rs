//! A distribution of completion times with its integral, for lookups at any age.

use super::density::{BINS, Density, WIDTH};

/// The probability that a task has ended by an age, and its integral, at the end of each bin. Ages are in seconds.
#[derive(Debug)]
pub(super) struct Distribution {
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) age: f64,
    /// Probability that the task has ended.
    pub(super) ended: f64,
    /// Integral of `ended`: the expected lag at this age of a task that was never polled.
    pub(super) lag: f64,
}

impl Distribution {
    pub(super) fn new(density: &Density) -> Self {
        let mut last = Point {
            age: 0.0,
            ended: 0.0,
            lag: 0.0,
        };
        let mut points = Vec::with_capacity(BINS + 1);
        points.push(last);
        for (bin, probability) in density.probabilities().iter().enumerate() {
            let age = ((bin + 1) as f64 * WIDTH).exp();
            let ended = (last.ended + probability).min(1.0);
            let lag = last.lag + (last.ended + ended) / 2.0 * (age - last.age);
            last = Point { age, ended, lag };
            points.push(last);
        }
        Self { points }
    }

    /// Returns the point at this age. Within a bin, all ages are equally likely.
    pub(super) fn at(&self, age: f64) -> Point {
        let bin = bin(age);
        let (Some(from), Some(to)) = (self.points.get(bin), self.points.get(bin + 1)) else {
            return self.beyond(age);
        };
        let since = age - from.age;
        let ended = from.ended + (to.ended - from.ended) * since / (to.age - from.age);
        Point {
            age,
            ended,
            lag: from.lag + (from.ended + ended) / 2.0 * since,
        }
    }

    fn beyond(&self, age: f64) -> Point {
        let last = self.points[BINS];
        Point {
            age,
            ended: last.ended,
            lag: last.lag + last.ended * (age - last.age),
        }
    }
}

impl Point {
    /// Returns the probability that the task is unfinished.
    pub(super) fn unfinished(self) -> f64 {
        1.0 - self.ended
    }

    /// Returns the expected lag at `later`, if the task was unfinished at this age, times the probability of that.
    pub(super) fn lag_until(self, later: Self) -> f64 {
        later.lag - self.lag - self.ended * (later.age - self.age)
    }
}

/// Returns the bin of an age.
pub(super) fn bin(age: f64) -> usize {
    // Negative if the age is below one second: the first bin.
    (age.ln() / WIDTH).max(0.0) as usize
}
