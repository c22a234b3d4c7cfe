//! How the workers of the task queues share the rate limits of an account.
//!
//! The service counts the requests of all workers together, and a worker knows the others only from the task queues that
//! they poll.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

/// How long after the last poll of any worker another one counts as alive. An idle worker polls once a minute.
const MAX_SILENCE: Duration = Duration::from_secs(75);
/// The part of the query limit of workers that poll tasks, if others only transfer. Most tasks are polled several times,
/// and a transfer queries its task once.
const POLLS: f64 = 0.75;
/// The part of an account's list and query requests that only its watcher sends, while there is one.
const WATCHER: f64 = 0.75;
/// The precision of a rate: so much less than a whole number of requests a second counts as that number.
const PRECISION: f64 = 1e-9;

/// A worker that polled a task queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Poller {
    /// Identity of the worker.
    pub identity: String,
    /// When the server last received a poll from it.
    pub last_poll: SystemTime,
}

/// The task queues that a worker serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// The worker polls tasks. It may also transfer videos.
    Query,
    /// The worker only transfers videos.
    Transfer,
}

/// The numbers of workers by role.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fleet {
    /// Workers that poll tasks.
    pub query: u32,
    /// Workers that only transfer videos.
    pub transfer: u32,
}

/// Which worker watches an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Watcher {
    /// None.
    Nobody,
    /// Another worker, or this one since a short time: another one may not know yet that it no longer does.
    Other,
    /// This worker.
    Own,
}

/// The parts of an account's limits that one worker may use, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// The part of the query limit.
    pub queries: f64,
    /// The part of the list limit.
    pub lists: f64,
}

impl Fleet {
    /// Counts the live workers among those that polled the two task queues, and the worker that counts, which may not
    /// have polled yet. Only times of the server are compared, because clocks differ.
    pub fn count(
        query: &[Poller],
        transfer: &[Poller],
        own_identity: &str,
        own_role: Role,
    ) -> Self {
        let newest = query.iter().chain(transfer).map(|it| it.last_poll).max();
        let is_alive = |poller: &&Poller| {
            newest.is_some_and(|newest| {
                let silence = newest.duration_since(poller.last_poll);
                silence.unwrap_or_default() <= MAX_SILENCE
            })
        };
        let identity = |poller: &Poller| poller.identity.clone();
        let mut query: BTreeSet<_> = query.iter().filter(is_alive).map(identity).collect();
        // A worker whose transfer slots are all in use does not poll, and may query its tasks.
        let mut transfer: BTreeSet<_> = transfer.iter().map(identity).collect();
        match own_role {
            Role::Query => query.insert(own_identity.to_owned()),
            Role::Transfer => transfer.insert(own_identity.to_owned()),
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            query: number(query.len()),
            transfer: number(transfer.difference(&query).count()),
        }
    }

    /// Returns the number of workers.
    pub fn size(self) -> u32 {
        self.query.saturating_add(self.transfer)
    }

    /// Returns the shares of a worker of this fleet for an account that is watched.
    ///
    /// The watcher sends most of the requests of workers that poll tasks, so the worker that runs it has most of their part.
    pub fn shares_of_watched(self, role: Role, watcher: Watcher) -> Shares {
        let Shares { queries, lists } = self.shares(role);
        let workers = f64::from(self.query.max(1));
        let factor = match (role, watcher) {
            (Role::Transfer, _) | (_, Watcher::Nobody) => 1.0,
            (Role::Query, Watcher::Other) => 1.0 - WATCHER,
            (Role::Query, Watcher::Own) => 1.0 - WATCHER + WATCHER * workers,
        };
        Shares {
            queries: queries * factor,
            lists: lists * factor,
        }
    }

    /// Returns the shares of a worker of this fleet for an account that nobody watches.
    pub fn shares(self, role: Role) -> Shares {
        let (query, transfer) = (
            f64::from(self.query.max(1)),
            f64::from(self.transfer.max(1)),
        );
        match role {
            Role::Query if self.transfer == 0 => Shares {
                queries: 1.0 / query,
                lists: 1.0 / query,
            },
            Role::Query => Shares {
                queries: POLLS / query,
                lists: 1.0 / query,
            },
            Role::Transfer if self.query == 0 => Shares {
                queries: 1.0 / transfer,
                lists: 1.0 / transfer,
            },
            // Only workers that poll tasks list them.
            Role::Transfer => Shares {
                queries: (1.0 - POLLS) / transfer,
                lists: 0.0,
            },
        }
    }
}

/// Returns the requests a second that a worker may send, if the account is allowed `limit` and this worker a share of it.
///
/// A share of several requests a second is rounded down. Otherwise a second could contain one more request of each worker
/// than its share, and the sum could exceed the limit.
pub fn rate(limit: f64, share: f64) -> f64 {
    let rate = limit * share;
    match share < 1.0 && rate >= 1.0 - PRECISION {
        true => (rate + PRECISION).floor(),
        false => rate,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn poller(identity: &str, seconds: u64) -> Poller {
        Poller {
            identity: identity.to_owned(),
            last_poll: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        }
    }

    fn fleet(query: u32, transfer: u32) -> Fleet {
        Fleet { query, transfer }
    }

    #[test]
    fn a_worker_alone_has_the_entire_limit() {
        let alone = Fleet::count(&[], &[], "me", Role::Query);
        assert_eq!(alone, fleet(1, 0));
        let entire = Shares {
            queries: 1.0,
            lists: 1.0,
        };
        assert_eq!(alone.shares(Role::Query), entire);
        assert_eq!(fleet(0, 1).shares(Role::Transfer), entire);
        assert_eq!(rate(20.0, 1.0), 20.0);
        assert_eq!(rate(2.5, 1.0), 2.5);
    }

    #[test]
    fn a_worker_of_both_task_queues_counts_once() {
        let pollers = [poller("a", 100), poller("b", 100)];
        assert_eq!(
            Fleet::count(&pollers, &pollers, "a", Role::Query),
            fleet(2, 0)
        );
        let both = Fleet::count(&pollers[..1], &pollers[1..], "b", Role::Transfer);
        assert_eq!(both, fleet(1, 1));
        assert_eq!(both.size(), 2);
    }

    #[test]
    fn a_worker_that_stopped_polling_no_longer_counts() {
        let pollers = [poller("dead", 100), poller("quiet", 125), poller("me", 200)];
        let count = Fleet::count(&pollers, &[], "me", Role::Query);
        assert_eq!(count, fleet(2, 0));
        let restarted = Fleet::count(&[poller("dead", 100)], &[], "me", Role::Query);
        assert_eq!(restarted, fleet(2, 0), "nobody polled after it");
    }

    #[test]
    fn workers_of_one_kind_share_the_entire_limit() {
        let half = Shares {
            queries: 0.5,
            lists: 0.5,
        };
        assert_eq!(fleet(2, 0).shares(Role::Query), half);
        assert_eq!(fleet(0, 2).shares(Role::Transfer), half);
    }

    #[test]
    fn the_workers_of_the_chart_share_the_limit() {
        let chart = fleet(2, 2);
        let queries = |role| rate(20.0, chart.shares(role).queries);
        assert_eq!([queries(Role::Query), queries(Role::Transfer)], [7.0, 2.0]);
        assert_eq!(chart.shares(Role::Query).lists, 0.5);
    }

    #[test]
    fn the_worker_that_runs_the_watcher_sends_most_requests() {
        let chart = fleet(2, 2);
        let shares = |role, watcher| chart.shares_of_watched(role, watcher);
        let own = shares(Role::Query, Watcher::Own);
        assert_eq!((own.lists, own.queries), (0.875, 0.65625));
        let other = shares(Role::Query, Watcher::Other);
        assert_eq!((other.lists, other.queries), (0.125, 0.09375));
        let nobody = shares(Role::Query, Watcher::Nobody);
        assert_eq!(nobody, chart.shares(Role::Query));
        let transfer = shares(Role::Transfer, Watcher::Other);
        assert_eq!(transfer, chart.shares(Role::Transfer));
        let alone = fleet(1, 0).shares_of_watched(Role::Query, Watcher::Own);
        assert_eq!((alone.lists, alone.queries), (1.0, 1.0));
    }

    #[test]
    fn a_share_of_several_requests_is_rounded_down() {
        assert_eq!(rate(20.0, 1.0 / 3.0), 6.0);
        assert_eq!(rate(20.0, 1.0 / 4.0), 5.0);
        assert_eq!(rate(3.0, 1.0 / 3.0), 1.0);
        assert_eq!(rate(1.0, 1.0 / 2.0), 0.5);
        // 0.9999999999999999 in floating point.
        assert_eq!(rate(49.0, 1.0 / 49.0), 1.0);
    }

    proptest! {
        #[test]
        fn the_shares_never_add_up_to_more_than_the_limit(
            limit in 0.01..1_000.0,
            query in 0..50_u32,
            transfer in 0..50_u32,
        ) {
            let fleet = fleet(query, transfer);
            let sum = |workers: u32, role| {
                let Shares { queries, lists } = fleet.shares(role);
                let workers = f64::from(workers);
                (workers * rate(limit, queries), workers * rate(limit, lists))
            };
            let (query, transfer) = (sum(query, Role::Query), sum(transfer, Role::Transfer));
            prop_assert!(query.0 + transfer.0 <= limit + 1e-6);
            prop_assert!(query.1 + transfer.1 <= limit + 1e-6);
            let watched = |role, watcher| {
                let Shares { queries, lists } = fleet.shares_of_watched(role, watcher);
                (rate(limit, queries), rate(limit, lists))
            };
            if fleet.query > 0 {
                let others = f64::from(fleet.query - 1);
                let own = watched(Role::Query, Watcher::Own);
                let other = watched(Role::Query, Watcher::Other);
                prop_assert!(own.0 + others * other.0 + transfer.0 <= limit + 1e-6);
                prop_assert!(own.1 + others * other.1 + transfer.1 <= limit + 1e-6);
            }
        }
    }
}
