//! The order of transfers when workers have too few slots: the nearest archive deadline first.

use std::time::{Duration, SystemTime};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// A transfer with less time left than this has priority key 1, 2, 3 or 4.
const TIME_LEFT: [(Duration, u32); 4] = [
    (HOUR.saturating_mul(6), 1),
    (HOUR.saturating_mul(24), 2),
    (HOUR.saturating_mul(3 * 24), 3),
    (HOUR.saturating_mul(7 * 24), 4),
];
/// Temporal has five priority keys; this is the one served last.
pub const LOWEST: u32 = 5;

/// Returns Temporal's priority key for a transfer: 1 is served first, 5 last.
///
/// `archive_deadline` is in Unix seconds, 0 if it is unknown. `None` leaves the key to Temporal, whose
/// default is the middle one.
pub fn priority_key(archive_deadline: i64, now: Option<SystemTime>) -> Option<u32> {
    let deadline = u64::try_from(archive_deadline).ok().filter(|it| *it > 0)?;
    let deadline = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(deadline))?;
    let left = deadline.duration_since(now?).unwrap_or_default();
    let bucket = TIME_LEFT.iter().find(|(limit, _)| left < *limit);
    Some(bucket.map_or(LOWEST, |(_, key)| *key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_deadline_goes_first() {
        let now = SystemTime::UNIX_EPOCH + HOUR * 10_000;
        let key = |hours: i64| priority_key((10_000 + hours) * 60 * 60, Some(now));
        let keys = [-1, 0, 5, 6, 23, 24, 71, 72, 167, 168, 336].map(key);
        let expected = [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5].map(Some);
        assert_eq!(keys, expected);
        assert_eq!(priority_key(0, Some(now)), None);
        assert_eq!(priority_key(i64::MAX, None), None);
    }
}
