//! Queries of tasks whose query window had closed according to their account.
//!
//! That window is shorter than the API's, so that no worker with a wrong clock queries a task outside of the latter. A worker
//! whose clock is right has to keep the former, and the API does not notice if it does not.
//!
//! Only a task of which the lifecycle had a record in time counts: otherwise nobody knew when the window closes.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use seedance_archiver_proto::{
    names::{self, QUERY_ACTIVITY_ID},
    time::unix_seconds,
};
use seedance_archiver_simulator::Arrival;

use super::{Row, Run, completions, identities};
use crate::{
    chaos::{
        faults::Period,
        parts::{Incarnation, Links},
        plan::{Account, Change, Kind},
        windows,
        world::Task,
    },
    history::time_of,
};

/// How long after it was sent a query may arrive: the machine is busy.
const DELAY: Duration = Duration::from_secs(5);
/// Changes with which a process sees other times than the checker.
const OTHER_TIMES: [Change; 3] = [Change::ClockAhead, Change::ClockBehind, Change::Version];

/// When query windows close, by task id.
type ClosingTimes<'a> = BTreeMap<&'a str, SystemTime>;

/// What tells who sent a query, and whether it was sent long before it arrived.
pub(super) struct Senders<'a> {
    pub(super) links: &'a Links,
    pub(super) processes: &'a [Incarnation],
    pub(super) periods: &'a [Period],
}

pub(super) fn check(
    tasks: &[Task],
    runs: &[Run],
    arrivals: &[(Account, Vec<Arrival>)],
    senders: &Senders<'_>,
) -> [Row; 2] {
    let times = closing_times(tasks, runs, senders.have_other_version());
    let arrivals = || arrivals.iter().flat_map(|(_, arrivals)| arrivals);
    let findings = arrivals().filter_map(|arrival| senders.finding(arrival, &times));
    let end = arrivals().map(|arrival| arrival.at).max();
    let closed = times.values().filter(|closed_at| Some(**closed_at) < end);
    [
        Row::none_of(
            "queries outside the query window of the account",
            findings.collect(),
        ),
        Row::of(
            "known tasks whose query window closed in the run",
            closed.count() as u64,
        ),
    ]
}

/// Returns when the windows of the tasks close whose lifecycles knew it before. Version 0.1.0 misreads the times of some
/// dialects.
fn closing_times<'a>(tasks: &'a [Task], runs: &[Run], has_other_version: bool) -> ClosingTimes<'a> {
    let is_misread = |task: &Task| has_other_version && task.video.script.dialect.is_some();
    let tasks = tasks
        .iter()
        .filter(|task| !task.has_no_times() && !is_misread(task));
    let times = tasks.filter_map(|task| {
        let closes_at = task.created_at + windows::query_window();
        was_known(task, runs, closes_at).then_some((task.id.as_str(), closes_at))
    });
    times.collect()
}

/// Returns whether the lifecycles of a task all started before its window closed, and one had a record by then.
fn was_known(task: &Task, runs: &[Run], closes_at: SystemTime) -> bool {
    let id = names::lifecycle_workflow_id(task.video.account().name(), &task.id);
    let runs: Vec<_> = runs.iter().filter(|run| run.workflow_id == id).collect();
    let started_at = |run: &Run| run.events.first().and_then(time_of);
    let is_early = |run: &&Run| started_at(run).is_some_and(|at| at < closes_at);
    let mut completions = runs.iter().flat_map(|run| completions::of(run));
    runs.iter().all(is_early)
        && completions.any(|it| it.activity_id == QUERY_ACTIVITY_ID && it.at < closes_at)
}

impl Senders<'_> {
    fn have_other_version(&self) -> bool {
        let mut changes = self.processes.iter().map(|process| process.change);
        changes.any(|change| change == Some(Change::Version))
    }

    fn finding(&self, arrival: &Arrival, times: &ClosingTimes<'_>) -> Option<String> {
        let id = arrival.task_id.as_deref()?;
        let closed_at = *times.get(id)?;
        let since = arrival.at.duration_since(closed_at).ok()?;
        let worker = self.links.to_api(&arrival.host).map(|(worker, _)| worker);
        let is_excused = |worker| {
            self.has_other_times(worker, arrival.at)
                || self.was_stopped(worker, closed_at, arrival.at)
        };
        if since <= DELAY || worker.is_some_and(is_excused) {
            return None;
        }
        let sender = worker.map_or("another client".to_owned(), |it| format!("worker {it}"));
        let (since, at) = (since.as_secs_f64(), unix_seconds(arrival.at));
        Some(format!(
            "{sender} queried {id} at {at}, {since:.1} s after its window had closed"
        ))
    }

    /// Returns whether the process that a worker was at a time saw other times.
    fn has_other_times(&self, worker: usize, at: SystemTime) -> bool {
        let process = identities::of_worker(worker, at, self.processes);
        let change = process.and_then(|it| it.change);
        change.is_some_and(|change| OTHER_TIMES.contains(&change))
    }

    /// Returns whether a worker was stopped when a window closed, so that what it was about to send arrived later.
    fn was_stopped(&self, worker: usize, closed_at: SystemTime, at: SystemTime) -> bool {
        let is_stop = |it: &&Period| it.kind == Kind::StopWorker(worker);
        let mut stops = self.periods.iter().filter(is_stop);
        stops.any(|it| it.ended_at >= closed_at && it.explains(at, DELAY))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use seedance_archiver_simulator::RecordDialect;

    use super::*;
    use crate::chaos::plan::{Expected, LinkTo};

    const ID: &str = "cgt-1";
    const WORKER: usize = 1;

    /// Returns a time so many seconds before or after the window closes.
    fn at(seconds: i64) -> SystemTime {
        let closes_at = SystemTime::UNIX_EPOCH + windows::query_window();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        match seconds < 0 {
            true => closes_at - distance,
            false => closes_at + distance,
        }
    }

    fn process(worker: usize, started_at: i64, change: Option<Change>) -> Incarnation {
        Incarnation {
            worker,
            pid: 7,
            change,
            started_at: at(started_at),
            log: PathBuf::new(),
            counted: None,
        }
    }

    fn stop(worker: usize, began_at: i64, ended_at: i64) -> Period {
        Period {
            kind: Kind::StopWorker(worker),
            began_at: at(began_at),
            ended_at: at(ended_at),
        }
    }

    /// Returns a lifecycle that started and had a record at a time.
    fn known(since: i64) -> Run {
        let id = names::lifecycle_workflow_id(Account::Called.name(), ID);
        completions::testing::run(&id, QUERY_ACTIVITY_ID, "1", 7, at(since))
    }

    /// Returns the counts for a query by a worker that arrives at a time.
    async fn counts(
        task: &Task,
        runs: &[Run],
        arrives: i64,
        processes: &[Incarnation],
        periods: &[Period],
    ) -> [u64; 2] {
        let links = Links::to_nowhere().await;
        let link = links.get(LinkTo::Api(WORKER, Account::Called)).unwrap();
        let arrival = Arrival {
            host: link.address.to_string(),
            task_id: Some(ID.to_owned()),
            at: at(arrives),
        };
        let senders = Senders {
            links: &links,
            processes,
            periods,
        };
        let arrivals = [(Account::Called, vec![arrival])];
        check(std::slice::from_ref(task), runs, &arrivals, &senders).map(|row| row.count)
    }

    fn task() -> Task {
        Task::called(ID, Expected::Archived)
    }

    #[tokio::test]
    async fn a_query_is_late_long_before_the_window_of_the_api_closes() {
        for (arrives, expected) in [(-1, [0, 0]), (5, [0, 1]), (6, [1, 1]), (100, [1, 1])] {
            let processes = [process(WORKER, -900, None)];
            let counts = counts(&task(), &[known(-40)], arrives, &processes, &[]).await;
            assert_eq!(counts, expected, "{arrives}");
        }
    }

    #[tokio::test]
    async fn a_process_that_sees_other_times_is_not_late() {
        let is_late = async |processes: &[Incarnation]| {
            let [late, _] = counts(&task(), &[known(-40)], 100, processes, &[]).await;
            late == 1
        };
        for (change, expected) in [
            (Change::ClockAhead, false),
            (Change::ClockBehind, false),
            (Change::Version, false),
            (Change::Key, true),
            (Change::Rate, true),
        ] {
            let changed = process(WORKER, -900, Some(change));
            let is_late = is_late(std::slice::from_ref(&changed)).await;
            assert_eq!(is_late, expected, "{change:?}");
        }
        let behind = |worker| process(worker, -900, Some(Change::ClockBehind));
        assert!(is_late(&[behind(WORKER), process(WORKER, 50, None)]).await);
        assert!(!is_late(&[behind(WORKER), process(WORKER, 200, None)]).await);
        assert!(is_late(&[behind(2), process(WORKER, -900, None)]).await);
    }

    #[tokio::test]
    async fn a_worker_that_was_stopped_when_the_window_closed_is_not_late() {
        for (stop, expected) in [
            (stop(WORKER, -10, 80), 1),
            (stop(WORKER, -10, 95), 0),
            (stop(WORKER, 50, 120), 0),
            (stop(WORKER, -90, -1), 1),
            (stop(2, -10, 95), 1),
        ] {
            let [late, _] = counts(
                &task(),
                &[known(-40)],
                100,
                &[],
                std::slice::from_ref(&stop),
            )
            .await;
            assert_eq!(late, expected, "{stop:?}");
        }
    }

    #[tokio::test]
    async fn only_a_task_that_was_known_in_time_is_compared() {
        let timeless = {
            let mut task = task();
            task.video.script.dialect = Some(RecordDialect::Timeless);
            task
        };
        assert_eq!(
            counts(&timeless, &[known(-40)], 100, &[], &[]).await,
            [0; 2]
        );
        let dates = {
            let mut task = task();
            task.video.script.dialect = Some(RecordDialect::Dates);
            task
        };
        let other_version = [process(0, -900, Some(Change::Version))];
        let counts_with = async |processes: &[Incarnation]| {
            counts(&dates, &[known(-40)], 100, processes, &[]).await
        };
        assert_eq!(counts_with(&[]).await, [1, 1]);
        assert_eq!(counts_with(&other_version).await, [0, 0]);
        for runs in [&[][..], &[known(1)], &[known(-40), known(1)]] {
            assert_eq!(counts(&task(), runs, 100, &[], &[]).await, [0; 2]);
        }
    }
}
