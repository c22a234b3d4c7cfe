//! Which part of an archive an audit verifies: what was verified longest ago.
//!
//! Each receipt has a hash, so that the numbers from 0 to 2³² divide the archive into parts of almost equal size, whatever
//! is added later. An audit verifies as many of them as its share says, and its report says when each was verified.
//! Audits that did not run, or that did not end, therefore leave nothing out: the next one begins where they would have.

mod coverage;
#[cfg(test)]
mod properties;
mod share;

use std::{ops::Range, time::Duration};

pub use coverage::Coverage;
pub use share::{InvalidShare, Share};

/// The number of hashes.
pub const HASHES: u64 = 1 << 32;

/// How long one activity verifies. It holds a slot meanwhile, which a transfer may wait for.
pub const MAX_ACTIVITY_TIME: Duration = Duration::from_mins(30);

/// Maximum number of bytes that an audit reads per second, on average: transfers need the network too.
const MAX_BYTES_PER_SECOND: u64 = 50_000_000;

/// Returns whether the receipt with this hash is in one of the parts.
pub fn is_in(parts: &[Range<u64>], hash: u32) -> bool {
    parts.iter().any(|part| part.contains(&u64::from(hash)))
}

/// Returns how long an audit reads nothing after it has read `bytes` in the time `took`.
pub fn pause(bytes: u64, took: Duration) -> Duration {
    let least = Duration::from_secs_f64(bytes as f64 / MAX_BYTES_PER_SECOND as f64);
    least.saturating_sub(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_store_is_read_at_fifty_megabytes_per_second() {
        let second = Duration::from_secs(1);
        assert_eq!(pause(50_000_000, second / 4), second * 3 / 4);
        assert_eq!(pause(50_000_000, second), Duration::ZERO);
        assert_eq!(pause(50_000_000, 2 * second), Duration::ZERO);
        assert_eq!(pause(0, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_part_begins_with_its_first_hash_and_ends_before_its_last() {
        let parts = [2..4, 9..HASHES];
        let is_in = |hash| is_in(&parts, hash);
        assert!([2, 3, 9, u32::MAX].into_iter().all(is_in));
        assert!(![0, 1, 4, 8].into_iter().any(is_in));
    }
}
