//! What watchers and callbacks deliver.

use super::{
    actions::Reply,
    bounds::{Bounds, Mutation},
    model::{Delivery, Request, State, Status, TERMINAL},
};

/// `MAX_ATTEMPTS` in `watch_account/deliveries.rs` is 5.
const MAX_DELIVERY_ATTEMPTS: u8 = 2;

/// What follows from a response to a delivery.
enum Effect {
    Continue(Delivery),
    /// The lifecycle knows the status.
    Known,
    /// The next look at the task delivers it again.
    Dropped,
}

impl Delivery {
    pub(crate) fn new(record: Status) -> Self {
        Self {
            record,
            attempts: 1,
            request: Request::Describe,
        }
    }

    fn with(self, request: Request) -> Self {
        Self { request, ..self }
    }

    /// `Deliveries::retry`.
    fn retry(self) -> Effect {
        if self.attempts >= MAX_DELIVERY_ATTEMPTS {
            return Effect::Dropped;
        }
        Effect::Continue(Self {
            attempts: self.attempts + 1,
            ..Self::new(self.record)
        })
    }
}

impl State {
    /// `Tasks::look` and `Watcher::look`.
    pub(crate) fn look(&mut self, slot: usize, record: Status) {
        let Some(watcher) = &mut self.watchers[slot] else {
            return;
        };
        if record > watcher.known && watcher.delivery.is_none_or(|it| it.record != record) {
            watcher.delivery = Some(Delivery::new(record));
        }
    }

    /// `Requests::deliver`, and `Watcher::delivered`.
    pub(crate) fn deliver(&mut self, bounds: &Bounds, slot: usize, reply: Reply) {
        let Some(mut watcher) = self.watchers[slot] else {
            return;
        };
        let Some(delivery) = watcher.delivery.take() else {
            return;
        };
        // Who archives, or has ended, has no pending query: `has_ended_waiting`. A status is in a search attribute.
        let is_waiting = !self.lifecycle.has_ended();
        let is_known = !is_waiting || delivery.record <= self.lifecycle.known;
        let is_settled = bounds.is(Mutation::SettleUnheard) || !is_waiting;
        let next = match delivery.request {
            _ if reply == Reply::Fails => delivery.retry(),
            Request::Describe if is_known && delivery.record < TERMINAL => Effect::Known,
            Request::Describe => Effect::Continue(delivery.with(Request::Complete)),
            Request::Complete => match self.complete(bounds, None, Some(delivery.record)) {
                _ if reply == Reply::Lost => delivery.retry(),
                true => Effect::Known,
                false => Effect::Continue(delivery.with(Request::DescribeAfter)),
            },
            Request::DescribeAfter if is_settled => Effect::Known,
            Request::DescribeAfter => delivery.retry(),
        };
        match next {
            Effect::Continue(delivery) => watcher.delivery = Some(delivery),
            Effect::Known => watcher.known = watcher.known.max(delivery.record),
            Effect::Dropped => {}
        }
        self.watchers[slot] = Some(watcher);
    }

    /// `deliver` in `callbacks/handler.rs`, which repeats its requests as long as the lifecycle waits.
    pub(crate) fn call_back(&mut self, bounds: &Bounds, reply: Reply) {
        let Some(delivery) = self.callback.take() else {
            return;
        };
        let is_waiting = !self.lifecycle.has_ended();
        let is_needed = is_waiting && delivery.record > self.lifecycle.known;
        self.callback = match delivery.request {
            // The caller of the callback gets an error, and repeats it.
            _ if reply == Reply::Fails => None,
            Request::Complete => match self.complete(bounds, None, Some(delivery.record)) {
                _ if reply == Reply::Lost => None,
                false if !bounds.is(Mutation::AnswerUnheard) => {
                    Some(delivery.with(Request::Describe))
                }
                _ => self.answer(delivery),
            },
            _ if is_needed => Some(delivery.with(Request::Complete)),
            _ => self.answer(delivery),
        };
    }

    fn answer(&mut self, delivery: Delivery) -> Option<Delivery> {
        self.answered = self.answered.max(delivery.record);
        None
    }
}
