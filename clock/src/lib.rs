//! The clock that the archiver decides by.
//!
//! Whatever depends on the time of day (query windows, deadlines, expiries) takes it from one [`Clock`], which the
//! worker and the simulator are built with. In a test the two share a clock, and the test turns it by days:
//!
//! ```
//! use std::time::Duration;
//!
//! use seedance_archiver_clock::Clock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let clock = Clock::default();
//! let before = clock.now();
//! clock.turn(Duration::from_secs(7 * 24 * 60 * 60)).await;
//! assert!(clock.now() >= before + Duration::from_secs(7 * 24 * 60 * 60));
//! # }
//! ```
//!
//! How long something takes, such as a request or a pause, is measured with `Instant` and does not depend on the
//! clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};

/// How far the sub-second part of a time can be cut off.
const ALMOST_A_SECOND: Duration = Duration::from_millis(999);

/// A clock that shows the system's time until it is turned. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Oldest first. Empty, except in tests.
    turns: Arc<watch::Sender<Vec<Turn>>>,
    /// Locked while the clock is turned.
    holds: Arc<RwLock<()>>,
}

/// Keeps a clock from being turned until it is dropped.
#[must_use]
pub struct Hold(#[expect(dead_code, reason = "released on drop")] OwnedRwLockReadGuard<()>);

#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The system's time when the clock was turned.
    at: SystemTime,
    by: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            turns: Arc::new(watch::Sender::new(Vec::new())),
            holds: Arc::default(),
        }
    }
}

impl Clock {
    /// Returns the time now.
    pub fn now(&self) -> SystemTime {
        self.at(system_time())
    }

    /// Returns what this clock showed at a time of the system's clock.
    ///
    /// Converts times that others measured, such as Temporal's server. The two differ only if the clock was turned.
    pub fn at(&self, time: SystemTime) -> SystemTime {
        time + self.turned_before(time)
    }

    /// Returns what this clock showed at a time of the system's clock that was rounded down to a second.
    pub fn at_second(&self, time: SystemTime) -> SystemTime {
        // A time in the second of a turn may be before or after it. After it is the safe choice: nothing that
        // happens after a turn is then dated back by days.
        time + self.turned_before(time + ALMOST_A_SECOND)
    }

    /// Keeps the clock from being turned. Hold it from a decision that depends on the time until the decision is
    /// carried out: otherwise a request that was allowed when it was decided on may be too late when it is sent.
    pub async fn hold(&self) -> Hold {
        Hold(self.holds.clone().read_owned().await)
    }

    /// Turns the clock forward, as soon as nobody holds it.
    pub async fn turn(&self, by: Duration) {
        let _nobody_holds_it = self.holds.write().await;
        let at = system_time();
        self.turns.send_modify(|turns| turns.push(Turn { at, by }));
    }

    /// Waits until the clock shows a time.
    pub async fn sleep_until(&self, time: SystemTime) {
        let mut turns = self.turns.subscribe();
        while let Ok(left) = time.duration_since(self.now()) {
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // Never fails, because `self` owns the sender.
                _ = turns.changed() => {}
            }
        }
    }

    fn turned_before(&self, time: SystemTime) -> Duration {
        let turns = self.turns.borrow();
        let earlier = turns.iter().filter(|turn| turn.at <= time);
        earlier.map(|turn| turn.by).sum()
    }
}

#[expect(clippy::disallowed_methods, reason = "the only place that reads it")]
fn system_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[tokio::test]
    async fn a_clone_is_turned_too() {
        let clock = Clock::default();
        let clone = clock.clone();
        let before = clock.now();
        clone.turn(DAY).await;
        assert!(clock.now() >= before + DAY);
    }

    #[tokio::test]
    async fn a_time_is_converted_by_the_turns_before_it() {
        let clock = Clock::default();
        let before = system_time() - ALMOST_A_SECOND * 3;
        clock.turn(DAY).await;
        clock.turn(DAY).await;
        let after = system_time();
        assert_eq!(clock.at(before), before);
        assert_eq!(clock.at_second(before), before);
        assert_eq!(clock.at(after), after + 2 * DAY);
    }

    #[tokio::test]
    async fn a_time_rounded_down_past_a_turn_counts_as_after_it() {
        let clock = Clock::default();
        clock.turn(DAY).await;
        let rounded = system_time() - ALMOST_A_SECOND / 2;
        assert_eq!(clock.at_second(rounded), rounded + DAY);
    }

    #[tokio::test]
    async fn a_turn_ends_a_sleep() {
        let clock = Clock::default();
        let sleep = clock.sleep_until(clock.now() + DAY);
        tokio::pin!(sleep);
        tokio::select! {
            biased;
            () = &mut sleep => panic!("the sleep ended before its time"),
            () = tokio::task::yield_now() => {}
        }
        clock.turn(DAY).await;
        sleep.await;
    }

    #[tokio::test]
    async fn a_clock_is_not_turned_while_it_is_held() {
        let clock = Clock::default();
        let hold = clock.hold().await;
        let turn = clock.turn(DAY);
        tokio::pin!(turn);
        tokio::select! {
            biased;
            () = &mut turn => panic!("turned while it was held"),
            () = tokio::task::yield_now() => {}
        }
        drop(hold);
        turn.await;
    }
}
