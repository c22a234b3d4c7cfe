//! The state of a worker, for readiness probes.

use tokio::sync::watch;

/// The state of a worker. Clones share it.
#[derive(Clone, Debug)]
pub struct Health(watch::Sender<State>);

/// A phase in the life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Phase {
    /// The worker does not poll its task queues yet.
    Starting,
    /// The worker polls its task queues.
    Polling,
    /// The worker would poll its task queues, but Temporal is unavailable or rejects the polls.
    #[strum(serialize = "waiting for Temporal")]
    Waiting,
    /// The worker finishes its running tasks and accepts no new ones.
    Draining,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    /// Number of [`Wait`]s.
    waits: usize,
}

/// Keeps a polling worker in the phase [`Phase::Waiting`] until it is dropped.
#[derive(Debug)]
pub(crate) struct Wait(Health);

impl Default for Health {
    fn default() -> Self {
        let state = State {
            phase: Phase::Starting,
            waits: 0,
        };
        Self(watch::Sender::new(state))
    }
}

impl Health {
    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        let State { phase, waits } = *self.0.borrow();
        match phase {
            Phase::Polling if waits > 0 => Phase::Waiting,
            phase => phase,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.0.send_modify(|state| state.phase = phase);
    }

    /// Marks the worker as waiting for Temporal.
    pub(crate) fn wait(&self) -> Wait {
        self.0.send_modify(|state| state.waits += 1);
        Wait(self.clone())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.waits -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_polls_when_no_wait_is_left() {
        let health = Health::default();
        let first = health.wait();
        assert_eq!(health.phase(), Phase::Starting);
        health.set_phase(Phase::Polling);
        let second = health.wait();
        drop(first);
        assert_eq!(health.phase().to_string(), "waiting for Temporal");
        drop(second);
        assert_eq!(health.phase(), Phase::Polling);
    }

    #[test]
    fn a_worker_that_drains_does_not_wait() {
        let health = Health::default();
        health.set_phase(Phase::Draining);
        let _wait = health.wait();
        assert_eq!(health.phase(), Phase::Draining);
    }
}
