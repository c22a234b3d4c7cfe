//! Which requests may be sent.

use std::collections::BTreeMap;

use crate::{
    log::{By, Life, What},
    time::MINUTE,
    world::World,
};

/// Time after which a task without any record may be polled in spite of `Retry-After`.
const GRACE: u64 = 10 * MINUTE;

/// What is known of a lifecycle while its log is read.
#[derive(Default)]
struct Known {
    /// Whether the lifecycle knows when the task was created.
    says_created: bool,
    /// Until when it must not query the task.
    not_before: u64,
}

/// Checks that no query is sent after the query window, or before `Retry-After`.
pub(super) fn check(world: &World, life: &Life, task: usize) -> Option<String> {
    let mut known = Known::default();
    let entries = life.log.iter().filter(|entry| entry.task == Some(task));
    for entry in entries {
        match &entry.what {
            What::PollStarted { is_nudged } => {
                // A nudge is a reason to poll at once, and the heartbeat is lost with it.
                known.says_created &= !is_nudged;
                known.not_before = 0;
            }
            What::Received(_) => known.not_before = 0,
            What::Query {
                by: by @ (By::Lifecycle | By::Transfer),
                retry_after,
                says_created,
                ..
            } => {
                let may_be_last = *by == By::Transfer && is_last(life, task, entry.at);
                if may_be_last {
                    known.not_before = 0;
                }
                if let Some(text) = known.check(world, task, entry.at) {
                    return Some(format!("{text} by {by:?} at {} s", entry.at));
                }
                known.says_created |= says_created;
                let delay = retry_after.map(|delay| known.longest(world, *by, delay));
                known.not_before = delay.map_or(0, |delay| entry.at + delay);
            }
            _ => {}
        }
    }
    None
}

/// Returns whether the lifecycle ends so soon that an attempt at this time had to come before `Retry-After`.
fn is_last(life: &Life, task: usize, now: u64) -> bool {
    let end = life.ends[task].as_ref();
    end.is_some_and(|end| end.at <= now + MINUTE)
}

impl Known {
    /// Returns how long the archiver waits at least if the service asks it to wait so long.
    fn longest(&self, world: &World, by: By, delay: u64) -> u64 {
        // A URL that the task has then works for as long again.
        let unless_url_dies = delay.min(world.configured_url_lifetime / 2);
        match by {
            By::Lifecycle if !self.says_created => unless_url_dies.min(GRACE),
            By::Lifecycle => unless_url_dies,
            // An attempt has to remain before the deadline.
            _ => delay.min(MINUTE),
        }
    }

    fn check(&self, world: &World, task: usize, now: u64) -> Option<&'static str> {
        let is_sure = self.says_created && world.dialect.has_zones();
        if is_sure && now >= world.forgotten(task) {
            return Some("query after the window");
        }
        // The last poll is sent in any case.
        let is_too_early = now < self.not_before && now < world.last_poll(task);
        is_too_early.then_some("query before Retry-After")
    }
}

/// Checks that no second has more queries than the rate limit.
pub(super) fn check_rate(world: &World, life: &Life) -> Option<String> {
    let mut queries: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in &life.log {
        if matches!(entry.what, What::Query { .. }) {
            *queries.entry(entry.at).or_default() += 1;
        }
    }
    let (at, count) = queries.into_iter().max_by_key(|(_, count)| *count)?;
    let limit = world.queries_per_second;
    (count > limit).then(|| format!("{count} queries at {at} s, but the limit is {limit}"))
}
