//! The requests, one after the other.

use std::time::Duration;

use seedance_archiver_proto::status;

use super::System;
use crate::{
    log::{By, What},
    mutation::Mutation,
    service::Answer,
};

impl System<'_> {
    /// Sends a query before a window closes. `None`: the rate limit has no room, or the service asked to wait.
    pub(super) fn query(&mut self, task: usize, by: By, left: Duration) -> Option<Answer> {
        let Some(turn) = self.query_turn(task, by, left) else {
            self.note(task, What::Throttled);
            return None;
        };
        self.now = turn;
        let answer = self.service.query(task, turn);
        let error = answer.as_ref().err();
        let retry_after = error.and_then(|error| error.retry_after);
        let retry_after = retry_after.map(|delay| delay.as_secs());
        if let Some(delay) = retry_after {
            self.client.pause(task, delay, turn);
        }
        let what = What::Query {
            by,
            answer: match &answer {
                Ok(record) => known_status(&record.status),
                Err(error) => error.failure_type,
            },
            retry_after,
            says_created: answer.as_ref().is_ok_and(|record| record.created_at > 0),
        };
        self.note(task, what);
        Some(answer)
    }

    fn query_turn(&mut self, task: usize, by: By, left: Duration) -> Option<u64> {
        if self.has(Mutation::IgnoresTheRateLimit) {
            return Some(self.now);
        }
        let left = match self.has(Mutation::WaitsForTheRateLimit) {
            true => Duration::MAX,
            false => left,
        };
        let by = match self.has(Mutation::CallbackIgnoresRetryAfter) && by == By::Callback {
            // The queries of a transfer ignore `Retry-After`.
            true => By::Transfer,
            false => by,
        };
        self.client.query_turn(task, by, left, self.now)
    }

    /// Waits until a list request may be sent.
    pub(super) fn wait_for_list(&mut self) {
        if !self.has(Mutation::IgnoresTheListLimit) {
            self.now = self.client.list_turn(self.now);
        }
    }
}

fn known_status(status: &str) -> &'static str {
    let mut all = status::ALL.iter();
    all.find(|known| **known == status)
        .map_or("other", |known| *known)
}
