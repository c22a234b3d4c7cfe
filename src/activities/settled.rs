//! Tasks about which nothing is left to do, as far as this process has seen: it spares the next sweeps
//! a look into the archive for each.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Most that are remembered. Then it begins anew, which costs looks and nothing else.
const MOST: usize = 100_000;
/// How long one is remembered: somebody may take it out of the archive again.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// How a task was settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    /// It has a receipt.
    Archived,
    /// It ended otherwise.
    Ended,
}

/// The tasks, each by the URL of its receipt.
#[derive(Default)]
pub(super) struct Settled(Mutex<HashMap<String, (How, Instant)>>);

impl Settled {
    pub(super) fn get(&self, receipt_url: &str, now: Instant) -> Option<How> {
        let (how, seen) = self.tasks().get(receipt_url).copied()?;
        (now.saturating_duration_since(seen) < FRESH).then_some(how)
    }

    pub(super) fn remember(&self, receipt_url: String, how: How, now: Instant) {
        let mut tasks = self.tasks();
        if tasks.len() >= MOST {
            tasks.clear();
        }
        tasks.insert(receipt_url, (how, now));
    }

    /// What is behind the lock stays whole whoever panics.
    fn tasks(&self) -> MutexGuard<'_, HashMap<String, (How, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (settled, now) = (Settled::default(), Instant::now());
        for number in 0..=MOST {
            settled.remember(number.to_string(), How::Archived, now);
        }
        assert_eq!(settled.get("0", now), None);
        assert_eq!(settled.get(&MOST.to_string(), now), Some(How::Archived));
        assert_eq!(settled.tasks().len(), 1);
    }

    #[test]
    fn what_was_seen_long_ago_is_looked_at_again() {
        let (settled, now) = (Settled::default(), Instant::now());
        settled.remember("a".into(), How::Ended, now);
        let just_before = now + FRESH - Duration::from_secs(1);
        assert_eq!(settled.get("a", just_before), Some(How::Ended));
        assert_eq!(settled.get("a", now + FRESH), None);
    }
}
