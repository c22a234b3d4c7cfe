//! How far a worker is: whether it may be given work.

use std::fmt;

use tokio::sync::watch;

/// How far a worker is. Clones are of the same worker.
#[derive(Clone, Debug)]
pub struct Health(watch::Sender<Phase>);

/// A phase of a worker's life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// It does not poll yet.
    Starting,
    /// It polls.
    Polling,
    /// It takes nothing new, and brings to an end what it has.
    Draining,
}

impl Default for Health {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Starting))
    }
}

impl Health {
    /// How far it is.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    pub(crate) fn is(&self, phase: Phase) {
        self.0.send_replace(phase);
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Polling => "polling",
            Self::Draining => "draining",
        })
    }
}
