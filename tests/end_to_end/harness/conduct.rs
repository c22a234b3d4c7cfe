//! Requests of a test that a well-behaved client never sends, in all of the test's simulators.

use std::cell::Cell;

use anyhow::ensure;
use seedance_archiver_simulator::Misuse;

thread_local! {
    /// The misuse in the test that runs on this thread.
    static MISUSE: Cell<Misuse> = const { Cell::new(Misuse {
        outside_window: 0,
        before_retry_after: 0,
        above_rate: 0,
        with_key: 0,
    }) };
}

/// Adds the misuse of a simulator.
pub(super) fn add(misuse: Misuse) {
    let sum = MISUSE.get();
    MISUSE.set(Misuse {
        outside_window: sum.outside_window + misuse.outside_window,
        before_retry_after: sum.before_retry_after + misuse.before_retry_after,
        above_rate: sum.above_rate + misuse.above_rate,
        with_key: sum.with_key + misuse.with_key,
    });
}

/// Checks that there was no misuse since the last call.
pub(crate) fn check() -> anyhow::Result<()> {
    let misuse = MISUSE.take();
    ensure!(
        misuse == Misuse::default(),
        "requests that the API does not allow: {misuse:?}"
    );
    Ok(())
}
