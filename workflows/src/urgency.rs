//! Which video is archived first where there are more than a worker takes at once: the one whose bytes
//! can be had for the shortest time.

use std::time::{Duration, SystemTime};

use temporalio_common::Priority;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Less than this is left: priority 1, 2, 3, 4. Temporal has five; the last is for more.
const LEFT: [(Duration, u32); 4] = [
    (HOUR.saturating_mul(6), 1),
    (HOUR.saturating_mul(24), 2),
    (HOUR.saturating_mul(3 * 24), 3),
    (HOUR.saturating_mul(7 * 24), 4),
];

/// Temporal's priority of a transfer whose bytes can be had until then, in Unix seconds; 0: not known.
pub(crate) fn priority(deadline: i64, now: Option<SystemTime>) -> Priority {
    let mut priority = Priority::default();
    priority.priority_key = priority_key(deadline, now);
    priority
}

/// 1 before 5. `None` is the middle, Temporal's own default.
fn priority_key(deadline: i64, now: Option<SystemTime>) -> Option<u32> {
    let deadline = u64::try_from(deadline).ok().filter(|it| *it > 0)?;
    let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(deadline))?;
    let left = deadline.duration_since(now?).unwrap_or_default();
    let bucket = LEFT.iter().find(|(limit, _)| left < *limit);
    Some(bucket.map_or(5, |(_, key)| *key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expires_soonest_comes_first() {
        let now = SystemTime::UNIX_EPOCH + HOUR * 10_000;
        let key = |hours: i64| priority_key((10_000 + hours) * 60 * 60, Some(now));
        let keys = [-1, 0, 5, 6, 23, 24, 71, 72, 167, 168, 336].map(key);
        let expected = [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5].map(Some);
        assert_eq!(keys, expected);
        assert_eq!(priority_key(0, Some(now)), None);
        assert_eq!(priority_key(i64::MAX, None), None);
    }
}
