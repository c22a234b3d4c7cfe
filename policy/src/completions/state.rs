//! The state that workers pass on.

use seedance_archiver_proto::v1;

use super::{CompletionTimes, TaskKind};

impl CompletionTimes {
    /// Reads a state. Whatever it has too much is discarded, oldest first.
    pub fn from_state(state: v1::CompletionTimes) -> Self {
        let mut times = Self::default();
        for kind in state.kinds {
            let key = TaskKind::new(
                &kind.model,
                &kind.resolution,
                kind.duration,
                &kind.service_tier,
            );
            let known = times.touch(key);
            for seconds in kind.seconds {
                known.observations.push_seconds(seconds);
            }
            known.share = known.observations.len() as f64;
        }
        times.kinds.retain(|kind| kind.observations.len() > 0);
        times
    }

    /// Returns the state: the kinds in the order in which they were last observed, oldest first.
    pub fn state(&self) -> v1::CompletionTimes {
        let kinds = self.kinds.iter().map(|kind| v1::KindCompletionTimes {
            model: kind.kind.model.clone(),
            resolution: kind.kind.resolution.clone(),
            duration: kind.kind.duration,
            service_tier: kind.kind.service_tier.clone(),
            seconds: kind.observations.seconds().collect(),
        });
        v1::CompletionTimes {
            kinds: kinds.collect(),
        }
    }
}
