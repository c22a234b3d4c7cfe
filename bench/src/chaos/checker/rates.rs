//! Whether the workers together kept the rate limits of an account.
//!
//! A fleet that keeps a limit may exceed it for a moment. What that takes is the burst:
//!
//! - Workers that start together do not know of each other, and each uses the entire limit at first. A worker that starts
//!   beside others takes nothing: it sends no request before they have counted it.
//! - Requests are delayed on their way, and later ones catch up with them.
//! - A watcher that was stopped lists beside its successor until Temporal rejects its heartbeat. Its queries need no room: they
//!   are few, unless lists fail at the same time.
//!
//! A watcher that is cut off from Temporal does so too, until the link is back and the heartbeat is rejected. Lists may come
//! twice as fast during such an outage.
//!
//! A worker that cannot count the others uses the entire limit for longer. That happens while Temporal recovers, and the few
//! dozen lifecycles that are open then have room in the burst. The crowd asks when nothing is broken.

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::time::unix_seconds;
use seedance_archiver_simulator::Arrival;

use super::Row;
use crate::chaos::{
    parts::Links,
    plan::{Account, WORKERS},
    rates::{LISTS_PER_SECOND, QUERIES_PER_SECOND},
};

/// Seconds in which workers that start together do not know of each other: each counts them when it starts, and again after
/// this time.
const UNKNOWN: f64 = 2.0;
/// Seconds by which requests may be delayed: the machine is busy.
const DELAY: f64 = 2.0;
/// Seconds between two heartbeats of a watcher, at most.
const OVERLAP: f64 = 12.0;

/// A rate limit.
struct Limit {
    /// Requests a second.
    rate: f64,
    /// Requests that may arrive together.
    burst: f64,
}

impl Limit {
    /// Returns the limit of this rate, with room for as many requests as it allows in this time.
    const fn new(rate: u32, burst_seconds: f64) -> Self {
        let rate = rate as f64;
        Self {
            rate,
            burst: rate * burst_seconds,
        }
    }
}

const QUERY_BURST: f64 = (WORKERS - 1) as f64 * UNKNOWN + DELAY;
const QUERIES: Limit = Limit::new(QUERIES_PER_SECOND, QUERY_BURST);
const LISTS: Limit = Limit::new(LISTS_PER_SECOND, QUERY_BURST + OVERLAP);

/// Counts the requests above the limits of each account.
pub(super) fn check(arrivals: &[(Account, Vec<Arrival>)], links: &Links) -> Row {
    let mut findings = Vec::new();
    for (account, arrivals) in arrivals {
        let (queries, lists): (Vec<_>, Vec<_>) =
            arrivals.iter().partition(|it| it.task_id.is_some());
        let queries = above(queries, &QUERIES, |_, _| Duration::ZERO);
        let lists = above(lists, &LISTS, |from, until| {
            links.outage_of_temporal(from, until)
        });
        for (what, above) in [("query", queries), ("list", lists)] {
            findings.extend(above.into_iter().map(|arrival| {
                let sender = links.to_api(&arrival.host).map(|(worker, _)| worker);
                let sender =
                    sender.map_or("another client".to_owned(), |it| format!("worker {it}"));
                let (account, at) = (account.name(), unix_seconds(arrival.at));
                format!("{what} of account {account} by {sender} at {at}")
            }));
        }
    }
    Row::none_of("requests above the rate limit", findings)
}

/// Returns the requests for which a bucket that leaks at the rate of a limit has no room.
///
/// `outage`: the time between two times in which the rate is twice as high.
fn above<'a>(
    arrivals: Vec<&'a Arrival>,
    limit: &Limit,
    outage: impl Fn(SystemTime, SystemTime) -> Duration,
) -> Vec<&'a Arrival> {
    let mut level = 0.0_f64;
    let mut last: Option<SystemTime> = None;
    let mut above = Vec::new();
    for arrival in arrivals {
        let since = last.and_then(|last| {
            let since = arrival.at.duration_since(last).ok()?;
            Some(since + outage(last, arrival.at))
        });
        let leaked = since.unwrap_or_default().as_secs_f64() * limit.rate;
        level = (level - leaked).max(0.0);
        last = last.max(Some(arrival.at));
        match level + 1.0 <= limit.burst {
            true => level += 1.0,
            false => above.push(arrival),
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use seedance_archiver_clock::Clock;

    use super::*;
    use crate::chaos::{link::Mode, plan::LinkTo, rates::CROWD};

    const RATE: f64 = QUERIES_PER_SECOND as f64;
    /// What each worker may send if no watcher runs.
    const SHARE: f64 = RATE / WORKERS as f64;

    /// Returns the requests of a client that sends them evenly from a time on, in seconds.
    fn sent(rate: f64, start: f64, seconds: f64) -> Vec<Arrival> {
        let count = (rate * seconds) as u32;
        let at = |number: u32| start + f64::from(number) / rate;
        (0..count).map(|number| arrival(at(number))).collect()
    }

    fn arrival(seconds: f64) -> Arrival {
        Arrival {
            host: "worker".to_owned(),
            task_id: None,
            at: SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds),
        }
    }

    /// Returns the number of requests above a limit.
    fn count(requests: &[Vec<Arrival>], limit: &Limit) -> usize {
        let mut requests: Vec<_> = requests.iter().flatten().collect();
        requests.sort_by_key(|it| it.at);
        above(requests, limit, |_, _| Duration::ZERO).len()
    }

    /// Returns the number of findings for requests of one kind.
    fn found(links: &Links, requests: &[Vec<Arrival>], task_id: Option<&str>) -> u64 {
        let mut requests = requests.concat();
        requests.sort_by_key(|it| it.at);
        for request in &mut requests {
            request.task_id = task_id.map(str::to_owned);
        }
        check(&[(Account::Called, requests)], links).count
    }

    #[test]
    fn a_client_that_sends_twice_the_allowed_rate_is_counted() {
        for limit in [QUERIES, LISTS] {
            let minute = 60.0;
            assert_eq!(count(&[sent(limit.rate, 0.0, 10.0 * minute)], &limit), 0);
            let above = count(&[sent(2.0 * limit.rate, 0.0, minute)], &limit);
            let expected = limit.rate * minute - limit.burst;
            assert!((above as f64 - expected).abs() <= 2.0, "{above}");
        }
    }

    #[test]
    fn workers_that_start_together_have_room() {
        let minute = 60.0;
        let workers = (0..WORKERS).flat_map(|_| {
            let alone = sent(RATE, 0.0, UNKNOWN);
            [alone, sent(SHARE, UNKNOWN, minute)]
        });
        assert_eq!(count(&workers.collect::<Vec<_>>(), &QUERIES), 0);
    }

    /// Each process may send a second's worth of its share at once, as those of version 0.1.0 do.
    #[test]
    fn a_worker_that_is_restarted_often_has_room() {
        const PROCESSES: u32 = 12;
        const LIFE: f64 = 5.0;
        let length = f64::from(PROCESSES) * LIFE;
        let mut requests: Vec<_> = (1..WORKERS).map(|_| sent(SHARE, 0.0, length)).collect();
        for process in 0..PROCESSES {
            let start = f64::from(process) * LIFE;
            requests.push((0..SHARE as u32).map(|_| arrival(start)).collect());
            requests.push(sent(SHARE, start, LIFE));
        }
        assert_eq!(count(&requests, &QUERIES), 0);
    }

    #[tokio::test]
    async fn only_lists_may_come_twice_as_fast_and_only_while_a_worker_is_cut_off() {
        const MINUTE: f64 = 60.0;
        let links = Links::to_nowhere().await;
        let now = Clock::default().now();
        let start = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let sent = |rate: f64| sent(rate, start.as_secs_f64() + 1.0, MINUTE);
        let lists = [sent(0.8), sent(0.8)];
        let queries = [sent(0.8 * RATE), sent(0.8 * RATE)];
        assert!(found(&links, &lists, None) > 0);

        let api = LinkTo::Api(1, Account::Called);
        links.get(api).unwrap().set(Mode::Cut);
        assert!(found(&links, &lists, None) > 0);

        let temporal = links.get(LinkTo::Temporal(1)).unwrap();
        temporal.set(Mode::Slow);
        assert!(found(&links, &lists, None) > 0);
        temporal.set(Mode::Cut);
        assert_eq!(found(&links, &lists, None), 0);
        let three = [sent(0.8), sent(0.8), sent(0.8)];
        assert!(found(&links, &three, None) > 0);
        assert!(found(&links, &queries, Some("cgt-1")) > 0);
    }

    #[test]
    fn one_worker_that_ignores_its_limit_is_counted_when_the_crowd_asks() {
        let third = f64::from(CROWD) / WORKERS as f64;
        let others = (1..WORKERS).map(|_| sent(SHARE, 0.0, third / SHARE));
        let keeping = sent(SHARE, 0.0, third / SHARE);
        let ignoring = sent(third, 0.0, 1.0);
        let fleet = |third: Vec<Arrival>| others.clone().chain([third]).collect::<Vec<_>>();
        assert_eq!(count(&fleet(keeping), &QUERIES), 0);
        assert!(count(&fleet(ignoring), &QUERIES) > 0);
    }
}
