//! A number of permits. Those who wait for one are served by urgency, and first come, first served.

use std::{collections::BTreeMap, mem, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// How urgent a transfer is. A smaller one is served first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Urgency(i64);

impl Urgency {
    /// Deadlines that are closer to each other are as urgent as each other, so that their transfers share what there is.
    const RESOLUTION_S: i64 = 60 * 60;

    /// Returns the urgency of a transfer with this deadline, in Unix seconds. 0: no deadline.
    pub(super) fn of_deadline(deadline: i64) -> Self {
        match deadline {
            0 => Self(i64::MAX),
            deadline => Self(deadline.div_euclid(Self::RESOLUTION_S)),
        }
    }
}

/// The permits that are free, and who waits for one. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Permits(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Who waits, the next one first.
    waiting: BTreeMap<(Urgency, u64), oneshot::Sender<Permit>>,
    /// The number of the next one that waits.
    next_number: u64,
}

/// A permit. Dropping it passes it on.
#[derive(Debug)]
pub(super) struct Permit(Option<Permits>);

impl Permits {
    pub(super) fn new(permits: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: permits,
            waiting: BTreeMap::new(),
            next_number: 0,
        })))
    }

    /// Waits for a permit. Dropping the future gives up its place.
    pub(super) async fn acquire(&self, urgency: Urgency) -> Permit {
        loop {
            let receiver = match self.enter(urgency) {
                Ok(permit) => return permit,
                Err(receiver) => receiver,
            };
            // Fails only if the sender is dropped, which never happens.
            if let Ok(permit) = receiver.await {
                return permit;
            }
        }
    }

    /// Takes a free permit, or starts to wait. No transfer waits while a permit is free.
    fn enter(&self, urgency: Urgency) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.0.lock();
        if let Some(free) = state.free.checked_sub(1) {
            state.free = free;
            return Ok(Permit(Some(self.clone())));
        }
        let (sender, receiver) = oneshot::channel();
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.insert((urgency, number), sender);
        Err(receiver)
    }

    /// Passes a permit to the one that waits and is served first.
    fn pass_on(&self) {
        loop {
            let mut state = self.0.lock();
            let Some((_, next)) = state.waiting.pop_first() else {
                state.free += 1;
                return;
            };
            drop(state);
            match next.send(Permit(Some(self.clone()))) {
                Ok(()) => return,
                // It no longer waits. The permit is passed on here, not when it is dropped.
                Err(mut permit) => mem::drop(permit.0.take()),
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permits) = self.0.take() {
            permits.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const ANY: Urgency = Urgency(0);

    #[test]
    fn permits_are_receiver_by_urgency_and_in_turn() {
        let permits = Permits::new(1);
        let permit = permits.acquire(ANY).now_or_never();
        let urgency = |hours: i64| Urgency::of_deadline(hours * 3600);
        let mut late = Box::pin(permits.acquire(urgency(9)));
        let mut first = Box::pin(permits.acquire(urgency(1)));
        let mut second = Box::pin(permits.acquire(urgency(1)));
        let mut gave_up = Box::pin(permits.acquire(urgency(0)));
        for waiting in [&mut late, &mut first, &mut second, &mut gave_up] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        drop(gave_up);
        drop(permit);
        assert!(second.as_mut().now_or_never().is_none());
        let first = first.now_or_never();
        assert!(first.is_some());
        drop(first);
        let second = second.now_or_never();
        assert!(second.is_some());
        assert!(late.as_mut().now_or_never().is_none());
        drop(second);
        assert!(late.now_or_never().is_some());
        assert!(permits.acquire(urgency(9)).now_or_never().is_some());
    }

    #[test]
    fn a_permit_that_nobody_took_is_not_lost() {
        let permits = Permits::new(1);
        let permit = permits.acquire(ANY).now_or_never();
        let mut waiting = Box::pin(permits.acquire(ANY));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(permit);
        drop(waiting);
        let again = permits.acquire(ANY).now_or_never();
        assert!(again.is_some());
    }
}
