//! Property tests: whole lifecycles in virtual time, with random tasks, outages and clocks.

use proptest::{collection::vec, prelude::*};
use seedance_archiver_proto::v1::VideoTask;

use super::*;
use crate::completions::{CompletionTimes, TaskKind};

/// The behaviour of the service, in seconds after the creation of the task.
#[derive(Clone, Debug)]
struct Service {
    first_polled_at: u64,
    running_at: u64,
    ended_at: u64,
    /// Periods in which no poll gets a record.
    outages: Vec<Outage>,
    window: u64,
    /// Completion times of earlier tasks.
    learned: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Outage {
    from: u64,
    lasts: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    NotFound,
    Error { retry_after: Option<u64> },
}

/// How polling ended, and when the polls were made.
#[derive(Debug)]
struct Life {
    stopped: Option<Option<&'static str>>,
    was_seen: bool,
    polls: Vec<u64>,
}

const HOUR: u64 = 60 * 60;
const GRACE: u64 = 10 * 60;

fn schedule() -> PollSchedule {
    PollSchedule {
        not_found_grace: Duration::from_secs(GRACE),
        ..PollSchedule::default()
    }
}

fn windows(service: &Service) -> Windows {
    Windows {
        query_window: Duration::from_secs(service.window),
        margin: Duration::from_secs(service.window / 100),
        cancelled_retention: Duration::from_secs(service.window / 7),
        ..Windows::default()
    }
}

impl Service {
    fn outage(&self, now: u64) -> Option<Kind> {
        let is_now = |outage: &&Outage| (outage.from..outage.from + outage.lasts).contains(&now);
        self.outages.iter().find(is_now).map(|outage| outage.kind)
    }

    fn status(&self, now: u64) -> &'static str {
        if now < self.running_at {
            status::QUEUED
        } else if now < self.ended_at {
            status::RUNNING
        } else {
            status::SUCCEEDED
        }
    }

    /// Outages can be adjacent, so this is the sum of all of them.
    fn longest_404(&self) -> u64 {
        let not_found = |outage: &&Outage| matches!(outage.kind, Kind::NotFound);
        let lasts = |outage: &Outage| outage.lasts;
        self.outages.iter().filter(not_found).map(lasts).sum()
    }

    fn expectation(&self) -> Expectation {
        let mut times = CompletionTimes::default();
        let kind = TaskKind::of(&VideoTask::default());
        for seconds in &self.learned {
            times.observe(&kind, Duration::from_secs(*seconds));
        }
        times.expectation(Some(&kind))
    }

    fn last_poll(&self) -> u64 {
        self.window - self.window / 100
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

/// Polls as the activity does, until the task ended or polling can no longer help. Delays are rounded up
/// to whole seconds, because a server may retry late.
fn live(service: &Service) -> Life {
    let (schedule, windows) = (schedule(), windows(service));
    let mut life = Life {
        stopped: None,
        was_seen: false,
        polls: Vec::new(),
    };
    let expectation = service.expectation();
    let mut now = service.first_polled_at;
    let mut seen: Option<(&'static str, u64)> = None;
    let mut not_found_since = None;
    loop {
        life.polls.push(now);
        let outage = match service.outage(now) {
            // The service deletes the record when the query window closes.
            None if now >= service.window => Some(Kind::NotFound),
            outage => outage,
        };
        let response = match outage {
            None => {
                let status = service.status(now);
                if status::is_terminal(status) {
                    life.was_seen = true;
                    return life;
                }
                seen = Some((status, now));
                not_found_since = None;
                Response::Unchanged
            }
            Some(Kind::NotFound) => Response::NotFound {
                since: at(*not_found_since.get_or_insert(now)),
            },
            Some(Kind::Error { retry_after }) => {
                not_found_since = None;
                Response::Error {
                    retry_after: retry_after.map(Duration::from_secs),
                }
            }
        };
        life.was_seen |= seen.is_some();
        let state = TaskState {
            last_seen: seen.map(|(status, seen_at)| LastSeen {
                created_at: Some(at(0)),
                expires_at: None,
                status,
                at: at(seen_at),
            }),
            id_created_at: None,
            first_polled_at: at(service.first_polled_at),
            now: at(now),
            expectation: Some(&expectation),
        };
        match next(&schedule, &windows, &state, response) {
            NextPoll::After(delay) => {
                assert!(delay > Duration::ZERO, "no delay at {now} s: {service:?}");
                now += delay.as_secs_f64().ceil() as u64;
            }
            NextPoll::Never(reason) => {
                life.stopped = Some(reason);
                return life;
            }
        }
        assert!(
            life.polls.len() < 100_000,
            "polling does not end: {service:?}"
        );
    }
}

fn services() -> impl Strategy<Value = Service> {
    (2 * HOUR..48 * HOUR).prop_flat_map(|window| {
        let lasts = prop_oneof![1..GRACE / 4, 1..window / 2];
        let outage = (0..window, lasts, kinds()).prop_map(|(from, lasts, kind)| Outage {
            from,
            lasts,
            kind,
        });
        let learned = vec(prop_oneof![1..HOUR, 1..window * 2], 0..12);
        let times = (0..window / 2, 0..window, 0..window * 2);
        (times, vec(outage, 0..4), learned).prop_map(
            move |((first_polled_at, running_at, ended_at), outages, learned)| Service {
                first_polled_at,
                running_at,
                ended_at: ended_at.max(running_at),
                outages,
                window,
                learned,
            },
        )
    })
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::NotFound),
        proptest::option::of(0..10 * HOUR).prop_map(|retry_after| Kind::Error { retry_after }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_poll_is_made_outside_the_window(service in services()) {
        let life = live(&service);
        if life.was_seen {
            let last = life.polls.last().copied().unwrap_or_default();
            prop_assert!(last < service.window, "polled at {last} s");
        }
    }

    /// An oracle polls once, when the last poll is due. If it sees the task ended, so do we, unless a 404
    /// lasted for the grace period before.
    #[test]
    fn what_an_oracle_sees_is_seen(service in services()) {
        let due = service.last_poll();
        let oracle_sees = service.outage(due).is_none() && service.ended_at <= due;
        if oracle_sees && service.longest_404() < GRACE {
            prop_assert_eq!(live(&service).stopped, None);
        }
    }

    #[test]
    fn a_404_is_final_only_after_the_grace_period(service in services()) {
        let life = live(&service);
        let is_deleted = life.polls.last().is_some_and(|last| *last >= service.window);
        match life.stopped {
            Some(Some(TASK_NOT_FOUND)) => {
                prop_assert!(!life.was_seen);
                prop_assert!(is_deleted || service.longest_404() >= GRACE);
            }
            Some(Some(CANCELLED_AND_PURGED)) => {
                prop_assert!(life.was_seen);
                prop_assert!(service.longest_404() >= GRACE);
            }
            _ => {}
        }
    }

    #[test]
    fn intervals_are_within_bounds(service in services()) {
        let life = live(&service);
        let schedule = schedule();
        let min_interval = schedule.min_interval.as_secs();
        let due = service.last_poll();
        for pair in life.polls.windows(2) {
            let [before, after] = [pair[0], pair[1]];
            let gap = after - before;
            let max_gap = 10 * HOUR.max(service.learned.iter().copied().max().unwrap_or_default());
            prop_assert!((1..=max_gap).contains(&gap), "{gap} s");
            // Shorter than the schedule allows only if a 404 becomes final or the last poll is due.
            let is_clipped = after >= due || service.outages.iter().any(|outage| {
                matches!(outage.kind, Kind::NotFound) && before < outage.from + outage.lasts
            });
            prop_assert!(gap >= min_interval || is_clipped, "{gap} s at {before} s");
        }
    }
}
