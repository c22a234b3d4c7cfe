//! How long a lifecycle takes, and how many attempts it makes.

use crate::{
    log::{By, Life, What},
    time::{HOUR, MINUTE},
    world::World,
};

/// Checks that a lifecycle ends within its deadlines, and that the number of its attempts is bounded.
pub(super) fn check(world: &World, life: &Life, task: usize) -> Option<String> {
    let planned = &world.tasks[task];
    let lifetime = world.query_window.max(world.configured_url_lifetime);
    // Without times in the record, the windows of a transfer count from its start.
    let counts_from = match world.dialect.says_created() && world.dialect.has_times() {
        true => planned
            .started
            .max(planned.ended.min(world.forgotten(task))),
        false => planned.started.max(planned.ended + planned.without_url) + lifetime,
    };
    let may_be_read_as_utc = match world.dialect.has_zones() {
        true => 0,
        false => 8 * HOUR,
    };
    let slack = 2 * planned.download + HOUR + may_be_read_as_utc;
    // The last query may return a URL that was just signed.
    let renewed_until = match world.signs_again {
        true => world.forgotten(task) + world.configured_url_lifetime,
        false => 0,
    };
    let deadline = (counts_from + lifetime).max(renewed_until) + slack;
    let deadline = world.workers_at(deadline) + MINUTE;
    let ended_at = life.ends[task].as_ref().map_or(0, |end| end.at);
    if ended_at > deadline {
        return Some(format!(
            "ended at {ended_at} s, after its deadline {deadline} s"
        ));
    }
    let count = |is_counted: &dyn Fn(&What) -> bool| {
        let entries = life.log.iter().filter(|entry| entry.task == Some(task));
        entries.filter(|entry| is_counted(&entry.what)).count() as u64
    };
    // The watcher repeats a failed query every minute, whatever the schedule.
    let intervals = [
        (By::Lifecycle, world.max_interval),
        (By::Watcher, world.max_interval.min(MINUTE)),
    ];
    for (poller, interval) in intervals {
        let max_polls = 200 + 2 * (lifetime + may_be_read_as_utc) / interval;
        let polls = count(&|what| matches!(what, What::Query { by, .. } if *by == poller));
        if polls > max_polls {
            return Some(format!(
                "{polls} polls by {poller:?}, but at most {max_polls} are expected"
            ));
        }
    }
    let failures = count(&|what| matches!(what, What::TransferFailed(_)));
    // They become frequent before the end of the window, and again before that of a URL which the last query returned.
    let deadlines = if world.signs_again { 2 } else { 1 };
    let max_failures = deadlines * (250 + 2 * lifetime / (10 * MINUTE));
    (failures > max_failures)
        .then(|| format!("{failures} failed transfers, but at most {max_failures} are expected"))
}
