//! A number of permits. Those who wait for some are served by urgency, and first come, first served.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// How urgent a transfer is. The smallest is served first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Urgency(i64);

impl Urgency {
    /// Deadlines that are closer to each other are as urgent as each other, so that their transfers share what there is.
    const RESOLUTION_S: i64 = 60 * 60;
    /// The urgency of what is served before everything else.
    pub(crate) const MOST: Self = Self(i64::MIN);

    /// Returns the urgency of a transfer with this deadline, in Unix seconds. 0: no deadline.
    pub(crate) fn of_deadline(deadline: i64) -> Self {
        match deadline {
            0 => Self(i64::MAX),
            deadline => Self(deadline.div_euclid(Self::RESOLUTION_S)),
        }
    }
}

/// The permits that are taken, and who waits for some. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Permits(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    total: usize,
    taken: usize,
    /// Who waits, the next one first.
    waiting: BTreeMap<(Urgency, u64), Waiting>,
    /// The number of the next one that waits.
    next_number: u64,
}

#[derive(Debug)]
struct Waiting {
    count: usize,
    sender: oneshot::Sender<Permit>,
}

/// A number of permits that were acquired together. Dropping it passes them on.
#[derive(Debug)]
pub(crate) struct Permit {
    /// `None` if they were passed on.
    permits: Option<Permits>,
    count: usize,
}

impl Permits {
    pub(crate) fn new(total: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            total,
            taken: 0,
            waiting: BTreeMap::new(),
            next_number: 0,
        })))
    }

    /// Waits for a permit. Dropping the future gives up its place.
    pub(crate) async fn acquire(&self, urgency: Urgency) -> Permit {
        self.acquire_many(urgency, 1).await
    }

    /// Waits for a number of permits, and takes them at the same time, so that no two wait for each other's. Waits
    /// forever if there are fewer in total. Dropping the future gives up its place.
    pub(crate) async fn acquire_many(&self, urgency: Urgency, count: usize) -> Permit {
        loop {
            let receiver = self.enter(urgency, count);
            self.serve();
            // Fails only if the sender is dropped, which never happens.
            if let Ok(permit) = receiver.await {
                return permit;
            }
        }
    }

    /// Returns the number of permits that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.0.lock().taken
    }

    /// Returns whether anybody waits.
    pub(crate) fn are_awaited(&self) -> bool {
        let state = self.0.lock();
        state.waiting.values().any(|it| !it.sender.is_closed())
    }

    /// Changes the total. If more are taken, nobody is served until enough of them are passed on.
    pub(crate) fn resize(&self, total: usize) {
        self.0.lock().total = total;
        self.serve();
    }

    fn enter(&self, urgency: Urgency, count: usize) -> oneshot::Receiver<Permit> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock();
        let number = state.next_number;
        state.next_number += 1;
        state
            .waiting
            .insert((urgency, number), Waiting { count, sender });
        receiver
    }

    /// Serves those who wait, as long as there are enough permits for the first one.
    fn serve(&self) {
        while let Some(Waiting { count, sender }) = self.next() {
            let permit = Permit {
                permits: Some(self.clone()),
                count,
            };
            if let Err(mut unused) = sender.send(permit) {
                // It no longer waits. The permit is given back here, so that dropping it does not serve others too.
                unused.permits = None;
                self.give_back(count);
            }
        }
    }

    /// Takes permits for the one that is served next.
    fn next(&self) -> Option<Waiting> {
        let mut state = self.0.lock();
        loop {
            let (key, first) = state.waiting.first_key_value()?;
            let (key, count, has_left) = (*key, first.count, first.sender.is_closed());
            let taken = state.taken.saturating_add(count);
            if !has_left && taken > state.total {
                return None;
            }
            let first = state.waiting.remove(&key)?;
            // Someone who no longer waits, for many permits, must not hold up those who wait for fewer.
            if !has_left {
                state.taken = taken;
                return Some(first);
            }
        }
    }

    fn give_back(&self, count: usize) {
        self.0.lock().taken -= count;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permits) = self.permits.take() {
            permits.give_back(self.count);
            permits.serve();
        }
    }
}

#[cfg(test)]
mod tests;
