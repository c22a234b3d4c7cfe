//! What workers have learned of completion times.

use std::{sync::LazyLock, time::Duration};

use seedance_archiver_policy::completions::{CompletionTimes, Expectation, TaskKind};

/// For each of the learned times the seconds that earlier tasks took: the first one and the step to the next one.
const OBSERVED: [(u64, u64); 12] = [
    (5, 1),
    (20, 2),
    (60, 5),
    (90, 10),
    (100, 100),
    (300, 10),
    (600, 60),
    (1_200, 30),
    (1_800, 300),
    (3_600, 60),
    (3_600, 600),
    (10, 900),
];
/// Number of observations.
const COUNT: u64 = 16;

static LEARNED: LazyLock<Vec<(CompletionTimes, Expectation)>> =
    LazyLock::new(|| OBSERVED.into_iter().map(learn).collect());

fn learn((first, step): (u64, u64)) -> (CompletionTimes, Expectation) {
    let mut times = CompletionTimes::default();
    let kind = TaskKind {
        model: "seedance-1-0-pro".to_owned(),
        resolution: String::new(),
        duration: 0,
        service_tier: String::new(),
    };
    for index in 0..COUNT {
        times.observe(&kind, Duration::from_secs(first + index * step));
    }
    let expectation = times.expectation(Some(&kind));
    (times, expectation)
}

/// Returns the learned times. `None`: nothing.
pub(crate) fn times(learned: Option<usize>) -> (CompletionTimes, Expectation) {
    let learned = learned.and_then(|index| LEARNED.get(index));
    learned.cloned().unwrap_or_default()
}

/// Returns how long the longest of the learned times is.
pub(crate) fn longest(learned: Option<usize>) -> u64 {
    let observed = learned.and_then(|index| OBSERVED.get(index));
    observed.map_or(0, |(first, step)| first + (COUNT - 1) * step)
}
