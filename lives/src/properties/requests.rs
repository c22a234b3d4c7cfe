//! When a task may be queried.

use crate::{
    log::{By, Life, What},
    time::MINUTE,
    world::World,
};

/// Time after which a task without any record may be polled in spite of `Retry-After`.
const GRACE: u64 = 10 * MINUTE;
/// How long `Retry-After` holds for others than the one that received it, at most.
const MAX_PAUSE: u64 = MINUTE;

/// What is known of a lifecycle while its log is read.
#[derive(Default)]
struct Known {
    /// Whether the lifecycle knows when the task was created.
    says_created: bool,
    /// Until when it must not query the task.
    not_before: u64,
    /// Until when nobody must, because somebody received `Retry-After`.
    paused_until: u64,
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
                by,
                retry_after,
                says_created,
                ..
            } => {
                let may_be_last = *by == By::Transfer && is_last(life, task, entry.at);
                if may_be_last {
                    known.not_before = 0;
                }
                let problem = match by {
                    By::Lifecycle => {
                        let of_lifecycle = known.check(world, task, entry.at);
                        of_lifecycle.or(known.check_pause(world, task, entry.at))
                    }
                    By::Transfer => known.check(world, task, entry.at),
                    // The service asks for the query of a callback, so the window is not looked at.
                    By::Watcher | By::Callback => known.check_pause(world, task, entry.at),
                };
                if let Some(text) = problem {
                    return Some(format!("{text} by {by:?} at {} s", entry.at));
                }
                if [By::Lifecycle, By::Transfer].contains(by) {
                    known.says_created |= says_created;
                    let delay = retry_after.map(|delay| known.longest(world, *by, delay));
                    known.not_before = delay.map_or(0, |delay| entry.at + delay);
                }
                let pause = retry_after.unwrap_or_default().min(MAX_PAUSE);
                known.paused_until = known.paused_until.max(entry.at + pause);
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

    fn check_pause(&self, world: &World, task: usize, now: u64) -> Option<&'static str> {
        let left = self.paused_until.saturating_sub(now);
        // Before the window closes, the last chance of a query is taken.
        let is_too_early = left > 0 && now + 2 * left < world.forgotten(task);
        is_too_early.then_some("query during the Retry-After of another")
    }
}
