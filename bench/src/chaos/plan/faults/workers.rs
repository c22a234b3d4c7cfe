//! Faults of workers: how often they happen, and how long they last.

use std::time::Duration;

use crate::{
    chaos::plan::fault::{Change, Kind},
    random::Random,
};

/// The time in which there are as many faults of workers as [`kinds`] says. A shorter run has fewer.
const ROUND: Duration = Duration::from_secs(12 * 60);
/// Changes in the shortest run. A worker that starts beside others sends no request for 15 s: with more changes, none of the
/// workers would send any for most of a minute. One of two may be another version, which not every run has.
const MIN_CHANGES: usize = 2;
/// How long a stopped worker is stopped, if the run is long enough.
const MAX_STOPPED: Duration = Duration::from_secs(90);
/// Part of the run that a stopped worker is stopped.
const STOPPED_PART: u32 = 6;
/// In the shortest run too, Temporal takes it for dead: no heartbeat timeout is longer than 20 s while something is to be done.
const MIN_STOPPED: Duration = Duration::from_secs(30);
/// How long a worker runs with a change, in seconds, in a round. Less is little more than its start: it sends no request before
/// the others have counted it.
const SHORTEST_CHANGE: f64 = 60.0;
const LONGEST_CHANGE: f64 = 120.0;

/// Returns the kinds of faults of workers, at the first worker, and how many there are of these. The order is that in which
/// they are planned: those for which there is least room come first.
pub(super) fn kinds(length: Duration) -> [(Vec<Kind>, usize); 4] {
    let count = |in_round: usize, at_least: usize| {
        let rounds = length.div_duration_f64(ROUND);
        ((in_round as f64 * rounds) as usize).max(at_least)
    };
    let changes = Change::ALL.map(|change| Kind::RestartWorker(0, change));
    [
        (vec![Kind::StopWorker(0)], count(3, 1)),
        (vec![Kind::KillEverything], count(2, 1)),
        (changes.into(), count(Change::ALL.len(), MIN_CHANGES)),
        (vec![Kind::KillWorker(0)], count(5, 1)),
    ]
}

/// Returns how long a worker is stopped.
pub(super) fn stopped(length: Duration) -> Duration {
    (length / STOPPED_PART).clamp(MIN_STOPPED, MAX_STOPPED)
}

/// Returns how long a worker runs with a change.
pub(super) fn changed(random: &mut Random, length: Duration) -> Duration {
    let part = length.as_secs_f64() / ROUND.as_secs_f64();
    let part = part.min(1.0);
    random.between(part * SHORTEST_CHANGE, part * LONGEST_CHANGE)
}
