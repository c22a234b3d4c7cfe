//! The simulators of a test. All are started here, so that the test fails if one of them saw misuse.

use std::{io, ops::Deref, time::Duration};

use seedance_archiver_clock::Clock;
use seedance_archiver_simulator::{Builder, Simulator};

use super::conduct;

/// How long a task is queued, and then running, unless its script says otherwise.
const STATUS_DURATION: Duration = Duration::from_millis(500);

/// A simulator whose misuse counts as that of the test.
pub(crate) struct TestSimulator(Simulator);

impl TestSimulator {
    /// Starts a simulator with this clock, after a change of its settings.
    pub(crate) async fn start(
        clock: &Clock,
        change: impl FnOnce(Builder) -> Builder,
    ) -> io::Result<Self> {
        let builder = Simulator::builder()
            .queued(STATUS_DURATION)
            .running(STATUS_DURATION)
            .clock(clock.clone());
        Ok(Self(change(builder).start().await?))
    }
}

impl Deref for TestSimulator {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.0
    }
}

impl Drop for TestSimulator {
    fn drop(&mut self) {
        conduct::add(self.0.misuse());
    }
}
