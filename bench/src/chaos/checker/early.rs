//! Requests before the time in a `Retry-After`.

use std::{collections::BTreeMap, time::SystemTime};

use seedance_archiver_proto::time::unix_seconds;
use seedance_archiver_simulator::EarlyRequest;

use super::{Row, identities};
use crate::chaos::{
    parts::{Incarnation, Links},
    plan::Change,
    windows,
};

/// Changes with which a process reads `Retry-After` in another way: a wrong clock misreads a date, and version 0.1.0 reads only
/// that of a 429.
const OTHER_DELAYS: [Change; 3] = [Change::ClockAhead, Change::ClockBehind, Change::Version];

/// Creation times by task id.
pub(super) type CreationTimes<'a> = BTreeMap<&'a str, SystemTime>;

pub(super) fn check(
    requests: &[EarlyRequest],
    creation_times: &CreationTimes<'_>,
    links: &Links,
    incarnations: &[Incarnation],
) -> [Row; 3] {
    let (mut findings, mut last_chances, mut unknowing) = (Vec::new(), 0, 0);
    for request in requests {
        let link = links.to_api(&request.host);
        let has_missed =
            link.is_some_and(|(_, it)| it.may_have_missed(request.told_at, request.at));
        let sender = link.map(|(worker, _)| worker);
        if is_last_chance(request, creation_times) {
            last_chances += 1;
        } else if has_missed || sender.is_some_and(|it| cannot_know(it, request, incarnations)) {
            unknowing += 1;
        } else {
            findings.push(describe(request, sender));
        }
    }
    [
        Row::none_of("requests before `Retry-After`", findings),
        Row::of(
            "such requests because the query window was about to close",
            last_chances,
        ),
        Row::of(
            "such requests by processes that did not get the response, have a wrong clock or are of another version",
            unknowing,
        ),
    ]
}

/// Returns whether the service asked for a delay of more than half of the time in which the task can still be queried: the
/// record can be had now or never.
fn is_last_chance(request: &EarlyRequest, creation_times: &CreationTimes<'_>) -> bool {
    let task_id = request.task_id.as_deref();
    let Some(created_at) = task_id.and_then(|id| creation_times.get(id)) else {
        return false;
    };
    // Records give the creation time in whole seconds.
    let end = *created_at + windows::query_window() - windows::MARGIN;
    let pause = request.until.duration_since(request.at);
    request.at + 2 * pause.unwrap_or_default() > end
}

/// Returns whether the process that sent a request cannot have known the time: it started after the response, or reads
/// `Retry-After` in another way.
fn cannot_know(worker: usize, request: &EarlyRequest, incarnations: &[Incarnation]) -> bool {
    let sender = identities::of_worker(worker, request.at, incarnations);
    sender.is_some_and(|sender| {
        let change = sender.change;
        sender.started_at > request.told_at || change.is_some_and(|it| OTHER_DELAYS.contains(&it))
    })
}

fn describe(request: &EarlyRequest, worker: Option<usize>) -> String {
    let subject = request.task_id.as_deref().unwrap_or("a list");
    let worker = worker.map_or("another client".to_owned(), |it| format!("worker {it}"));
    let after = request.at.duration_since(request.told_at);
    let after = after.unwrap_or_default().as_secs_f64();
    let told_at = unix_seconds(request.told_at);
    format!("{worker} asked for {subject} {after:.1} s after the response at {told_at}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use seedance_archiver_clock::Clock;

    use super::*;
    use crate::chaos::{
        checker::testing,
        link::Mode,
        plan::{Account, LinkTo},
    };

    fn process(worker: usize, started_at: SystemTime) -> Incarnation {
        Incarnation {
            started_at,
            ..testing::process(worker, 7)
        }
    }

    #[tokio::test]
    async fn only_a_process_that_was_told_is_early() {
        const WORKER: usize = 1;
        let links = Links::to_nowhere().await;
        let link = links.get(LinkTo::Api(WORKER, Account::Called)).unwrap();
        let told_at = Clock::default().now();
        let second = Duration::from_secs(1);
        let request = EarlyRequest {
            host: link.address.to_string(),
            task_id: None,
            told_at,
            until: told_at + 9 * second,
            at: told_at + 2 * second,
        };
        let counts = |links: &Links, incarnations: &[Incarnation]| {
            let requests = [request.clone()];
            let [early, _, unknowing] =
                check(&requests, &CreationTimes::new(), links, incarnations);
            [early.count, unknowing.count]
        };
        let old = process(WORKER, told_at - second);
        assert_eq!(counts(&links, std::slice::from_ref(&old)), [1, 0]);
        let others = [old.clone(), process(2, told_at + second)];
        assert_eq!(counts(&links, &others), [1, 0]);
        let later = [old.clone(), process(WORKER, told_at + 3 * second)];
        assert_eq!(counts(&links, &later), [1, 0]);
        let restarted = [old.clone(), process(WORKER, told_at + second)];
        assert_eq!(counts(&links, &restarted), [0, 1]);
        for (change, expected) in [
            (Change::ClockAhead, [0, 1]),
            (Change::ClockBehind, [0, 1]),
            (Change::Version, [0, 1]),
            (Change::Key, [1, 0]),
        ] {
            let changed = Incarnation {
                change: Some(change),
                ..old.clone()
            };
            assert_eq!(counts(&links, &[changed]), expected, "{change:?}");
        }

        link.set(Mode::Slow);
        assert_eq!(counts(&links, std::slice::from_ref(&old)), [1, 0]);
        link.set(Mode::HalfOpen);
        assert_eq!(counts(&links, &[old]), [0, 1]);
    }

    #[tokio::test]
    async fn a_query_is_not_early_if_the_query_window_is_about_to_close() {
        let links = Links::to_nowhere().await;
        let link = links.get(LinkTo::Api(1, Account::Called)).unwrap();
        let at = Clock::default().now();
        let second = Duration::from_secs(1);
        let request = EarlyRequest {
            host: link.address.to_string(),
            task_id: Some("cgt-1".to_owned()),
            told_at: at - second,
            until: at + 20 * second,
            at,
        };
        let counts = |task_id: &str, left: Duration| {
            let created_at = at + left + windows::MARGIN - windows::query_window();
            let requests = [request.clone()];
            let creation_times = CreationTimes::from([(task_id, created_at)]);
            check(&requests, &creation_times, &links, &[]).map(|row| row.count)
        };
        assert_eq!(counts("cgt-1", 39 * second), [0, 1, 0]);
        assert_eq!(counts("cgt-1", 40 * second), [1, 0, 0]);
        assert_eq!(counts("cgt-2", 39 * second), [1, 0, 0]);
    }
}
