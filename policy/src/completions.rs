//! When tasks are likely to end, learned from the ones that ended before.
//!
//! [`CompletionTimes`] observes how long after its creation each task ended. [`CompletionTimes::expectation`] returns
//! when a task of a kind is expected to end, and the poll schedule that follows: it minimises the number of polls and the
//! lag, the time from the end of a task to the poll that sees it. So the first poll is made when the task may have ended,
//! most polls are made when it is likely to end, and few after that.
//!
//! The distribution of completion times is estimated from the last tasks of the kind. The fewer there are, the more it is
//! mixed with that of other kinds of the same model, with that of the account, and with a wide one. So a new kind is
//! polled like the rest of the account until some of its tasks have ended, and a change of speed is learned from about
//! ten tasks.
//!
//! The results depend on how the platform computes logarithms. So they are for activities: a workflow that is replayed
//! elsewhere could decide otherwise.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use seedance_archiver_policy::completions::{CompletionTimes, TaskKind};
//!
//! let kind = TaskKind {
//!     model: "seedance-1-0-pro-250528".into(),
//!     resolution: "1080p".into(),
//!     duration: 5,
//!     service_tier: String::new(),
//! };
//! let mut times = CompletionTimes::default();
//! assert_eq!(times.expectation(Some(&kind)).next_poll(None), Duration::ZERO);
//!
//! for seconds in [72, 80, 84, 88, 90, 95, 101, 118] {
//!     times.observe(&kind, Duration::from_secs(seconds));
//! }
//! let first = times.expectation(Some(&kind)).next_poll(None);
//! assert!((30..72).contains(&first.as_secs()), "{first:?}");
//! ```

mod cache;
mod density;
mod distribution;
mod expectation;
mod kind;
mod kinds;
mod observations;
mod plan;

use std::time::Duration;

use seedance_archiver_proto::{time::from_unix_seconds, v1};

pub use expectation::Expectation;
pub use kind::TaskKind;

use cache::Cache;
use density::Density;
use kinds::Kinds;

/// Number of observed tasks of an account from which on its completion times are relied on.
const MIN_INFORMED: usize = 8;
/// As many observations of a kind count as much as what is known of its model.
const MODEL_EVIDENCE: f64 = 1.0;
/// As many observations of a model count as much as what is known of the account.
const ACCOUNT_EVIDENCE: f64 = 4.0;

/// The completion times of the last tasks of an account.
#[derive(Clone, Debug, Default)]
pub struct CompletionTimes {
    kinds: Kinds,
    cache: Cache,
}

impl CompletionTimes {
    /// Reads a state. What exceeds the maximum size is discarded, the oldest first.
    pub fn from_state(state: v1::CompletionTimes) -> Self {
        Self {
            kinds: Kinds::from_state(state),
            cache: Cache::default(),
        }
    }

    /// Returns the state, to continue from on another worker. Kinds are in the order in which they were last observed.
    pub fn state(&self) -> v1::CompletionTimes {
        self.kinds.state()
    }

    /// Records that a task of this kind ended so long after its creation.
    pub fn observe(&mut self, kind: &TaskKind, after: Duration) {
        let kind = kind.normalized();
        self.cache.observed(&kind);
        self.kinds.observe(kind, after);
    }

    /// Returns whether enough tasks have ended to rely on.
    pub fn is_informed(&self) -> bool {
        self.kinds.count(|_| true) >= MIN_INFORMED
    }

    /// Returns when a task is expected to end. `None`: its kind is not known before the first poll.
    ///
    /// Expectations are cached until enough tasks ended since, so this is cheap.
    pub fn expectation(&mut self, kind: Option<&TaskKind>) -> Expectation {
        if !self.is_informed() {
            return Expectation::default();
        }
        let kind = kind.map(TaskKind::normalized);
        let count = self
            .kinds
            .count(|other| kind.as_ref().is_none_or(|kind| kind == other));
        if let Some(expectation) = self.cache.get(&kind, count) {
            return expectation;
        }
        let expectation = match &kind {
            Some(kind) => Expectation::new(&self.density(kind)),
            None => self.expectation_of_unknown_kind(),
        };
        self.cache.insert(kind, expectation.clone());
        expectation
    }

    fn expectation_of_unknown_kind(&mut self) -> Expectation {
        let kinds: Vec<_> = self
            .kinds
            .iter()
            .map(|it| (it.share, it.kind.clone()))
            .collect();
        let expectation = |(share, kind)| (share, self.expectation(Some(&kind)));
        let expectations: Vec<_> = kinds.into_iter().map(expectation).collect();
        let account = self.kinds.density(|_| true);
        let account = account.widened(self.kinds.count(|_| true));
        Expectation::of_unknown_kind(&account, &expectations)
    }

    /// Returns the distribution for a kind, mixed from what is known of the kind, its model and the account.
    fn density(&mut self, kind: &TaskKind) -> Density {
        let of_model = |other: &TaskKind| other.has_model_of(kind);
        let of_kind = |other: &TaskKind| other == kind;
        let mut density = self.kinds.density(|_| true);
        let count = self.kinds.count(of_model);
        density.blend(
            &self.kinds.density(of_model),
            weight(count, ACCOUNT_EVIDENCE),
        );
        let count = self.kinds.count(of_kind);
        density.blend(&self.kinds.density(of_kind), weight(count, MODEL_EVIDENCE));
        density.widened(count)
    }
}

/// Returns how long after its creation a task ended, by the times in its record, in Unix seconds.
pub fn completed_after(created_at: i64, ended_at: i64) -> Option<Duration> {
    let created_at = from_unix_seconds(created_at)?;
    from_unix_seconds(ended_at)?.duration_since(created_at).ok()
}

fn weight(count: usize, evidence: f64) -> f64 {
    count as f64 / (count as f64 + evidence)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
