//! Parts of uploads to a store that is told to slow down.

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// How many parts there are before `Dialect::SlowsDown` answers one.
const PARTS_AT_FIRST: usize = 3;

/// The parts that `Dialect::SlowsDown` received.
pub(super) struct Parts {
    /// How many there are, and how many there were at most.
    at_once: watch::Sender<(usize, usize)>,
    is_storing: Semaphore,
    /// The number of parts at once, whenever one arrived.
    arrivals: Mutex<Vec<usize>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            at_once: watch::Sender::new((0, 0)),
            is_storing: Semaphore::new(1),
            arrivals: Mutex::default(),
        }
    }
}

/// A part that the proxy is receiving.
pub(super) struct ArrivedPart<'a>(&'a Parts);

impl Parts {
    pub(super) fn arrive(&self) -> ArrivedPart<'_> {
        self.at_once.send_modify(|(at_once, most)| {
            *at_once += 1;
            *most = (*most).max(*at_once);
            self.arrivals.lock().push(*at_once);
        });
        ArrivedPart(self)
    }

    /// Returns the number of parts at once, whenever one arrived.
    pub(super) fn arrivals(&self) -> Vec<usize> {
        self.arrivals.lock().clone()
    }

    /// Returns a permit to store a part, or `None` if another part is being stored.
    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        let mut at_once = self.at_once.subscribe();
        // Fails only if the sender is dropped.
        let _ = at_once.wait_for(|(_, most)| *most >= PARTS_AT_FIRST).await;
        self.is_storing.try_acquire().ok()
    }
}

impl Drop for ArrivedPart<'_> {
    fn drop(&mut self) {
        self.0.at_once.send_modify(|(at_once, _)| *at_once -= 1);
    }
}
