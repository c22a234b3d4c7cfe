//! The state of a worker, for readiness probes.

use tokio::sync::watch;

/// The state of a worker. Clones share it.
#[derive(Clone, Debug)]
pub struct Health(watch::Sender<Phase>);

/// A phase in the life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Phase {
    /// The worker does not poll its task queues yet.
    Starting,
    /// The worker polls its task queues.
    Polling,
    /// The worker finishes its running tasks and accepts no new ones.
    Draining,
}

impl Default for Health {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }
}

impl Health {
    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.0.send_replace(phase);
    }
}
