//! The kinds of an account with what was observed of each.

use std::time::Duration;

use seedance_archiver_proto::v1;

use super::{TaskKind, density::Density, observations::Observations};

/// Maximum number of kinds.
pub(super) const MAX_KINDS: usize = 64;
/// Maximum number of observations of all kinds: the state of the watcher is a few kilobytes.
pub(super) const MAX_OBSERVATIONS: usize = 2_000;
/// The weight of a kind in the account's distribution, relative to the one before the last task that ended.
const SHARE_DECAY: f64 = 0.98;
/// Minimum weight of a kind. With a much lower one, the distribution of a kind that became rare is lost by rounding.
const MIN_SHARE: f64 = 1e-9;

/// Kinds in the order in which they were last observed. Beyond the maxima, the first ones are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds(Vec<Observed>);

/// What was observed of a kind.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) kind: TaskKind,
    observations: Observations,
    /// How many of the last tasks of the account were of this kind.
    pub(super) share: f64,
    /// `None` until needed.
    density: Option<Density>,
}

impl Kinds {
    pub(super) fn observe(&mut self, kind: TaskKind, after: Duration) {
        for known in &mut self.0 {
            known.share = (known.share * SHARE_DECAY).max(MIN_SHARE);
        }
        let mut observed = self.take(kind);
        observed.observations.push(after);
        observed.share += 1.0;
        self.put(observed);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Observed> {
        self.0.iter()
    }

    /// Returns the number of observations of some kinds.
    pub(super) fn count(&self, includes: impl Fn(&TaskKind) -> bool) -> usize {
        let kinds = self.iter().filter(|it| includes(&it.kind));
        kinds.map(|it| it.observations.len()).sum()
    }

    /// Returns the distribution of tasks of some kinds, with each kind by its share.
    pub(super) fn density(&mut self, includes: impl Fn(&TaskKind) -> bool) -> Density {
        let mut mixture = Density::zero();
        for observed in self.0.iter_mut().filter(|it| includes(&it.kind)) {
            let observations = &observed.observations;
            let density = observed
                .density
                .get_or_insert_with(|| observations.density());
            mixture.add(density, observed.share);
        }
        mixture.normalize();
        mixture
    }

    pub(super) fn from_state(state: v1::CompletionTimes) -> Self {
        let mut kinds = Self::default();
        for state in state.kinds {
            let kind = TaskKind::new(
                &state.model,
                &state.resolution,
                state.duration,
                &state.service_tier,
            );
            let mut observed = kinds.take(kind);
            for seconds in state.seconds {
                observed.observations.push_seconds(seconds);
            }
            observed.share = observed.observations.len() as f64;
            if observed.observations.len() > 0 {
                kinds.put(observed);
            }
        }
        kinds
    }

    pub(super) fn state(&self) -> v1::CompletionTimes {
        let kinds = self.iter().map(|it| v1::KindCompletionTimes {
            model: it.kind.model.clone(),
            resolution: it.kind.resolution.clone(),
            duration: it.kind.duration,
            service_tier: it.kind.service_tier.clone(),
            seconds: it.observations.seconds().collect(),
        });
        v1::CompletionTimes {
            kinds: kinds.collect(),
        }
    }

    /// Removes and returns a kind, or a new one.
    fn take(&mut self, kind: TaskKind) -> Observed {
        let known = self.0.iter().position(|known| known.kind == kind);
        known.map_or_else(|| Observed::new(kind), |index| self.0.remove(index))
    }

    /// Inserts the kind that was observed last.
    fn put(&mut self, observed: Observed) {
        self.0.push(Observed {
            density: None,
            ..observed
        });
        while self.0.len() > MAX_KINDS || self.count(|_| true) > MAX_OBSERVATIONS {
            self.0.remove(0);
        }
    }
}

impl Observed {
    fn new(kind: TaskKind) -> Self {
        Self {
            kind,
            observations: Observations::default(),
            share: 0.0,
            density: None,
        }
    }
}
