//! Whether every worker process did something, if it had the time.

use std::time::{Duration, SystemTime};

use super::{Row, Run, completions, identities};
use crate::chaos::{faults::Period, parts::Incarnation};

/// Activities that the workers completed together while a process was undisturbed. One of them should have been its own: one of
/// three workers has a twelfth of the queries at least, while another one watches the account, and a third of everything else.
const ENOUGH: usize = 150;
/// How long a process does less than others after it started: it sends no query before they have counted it.
const START: Duration = Duration::from_secs(30);
/// How long it may do less after a fault: broken connections have to be noticed.
const AFTERMATH: Duration = Duration::from_secs(60);

/// When an activity was completed, and by which process.
type Completed = (SystemTime, u32);

pub(super) fn check(runs: &[Run], processes: &[Incarnation], periods: &[Period]) -> Row {
    // What a watcher delivers is no work that another process could have done.
    let completions = runs.iter().flat_map(completions::of);
    let attempts = completions.filter(|it| !it.is_delivered);
    let completed: Vec<Completed> = attempts
        .filter_map(|it| Some((it.at, identities::pid(it.identity)?)))
        .collect();
    let findings = processes.iter().filter_map(|process| {
        let has_completed = completed.iter().any(|(_, pid)| *pid == process.pid);
        let count = while_undisturbed(process, processes, periods, &completed);
        let Incarnation { worker, pid, .. } = process;
        let is_idle = count >= ENOUGH && !has_completed;
        is_idle.then(|| format!("worker {worker}, process {pid}: none of {count} activities"))
    });
    Row::none_of("worker processes that did nothing", findings.collect())
}

/// Returns how many activities all processes completed while one of them ran undisturbed.
fn while_undisturbed(
    process: &Incarnation,
    processes: &[Incarnation],
    periods: &[Period],
    completed: &[Completed],
) -> usize {
    let start = process.started_at + START;
    let later = processes
        .iter()
        .filter(|it| it.worker == process.worker && it.started_at > process.started_at);
    let end = later.map(|it| it.started_at).min();
    let disturbing = periods.iter().filter(|it| it.kind.hampers(process.worker));
    let disturbing: Vec<_> = disturbing.collect();
    let is_undisturbed = |at: SystemTime| {
        let mut faults = disturbing.iter();
        start <= at
            && end.is_none_or(|end| at < end)
            && !faults.any(|it| it.explains(at, AFTERMATH))
    };
    let times = completed.iter().map(|(at, _)| *at);
    times.filter(|at| is_undisturbed(*at)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::{
        checker::testing,
        plan::{Account, Kind, LinkTo},
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn process(worker: usize, pid: u32, started_at: u64) -> Incarnation {
        Incarnation {
            started_at: at(started_at),
            ..testing::process(worker, pid)
        }
    }

    /// Returns as many activities as are enough, one a second from a time on, which a process completed.
    fn busy(pid: u32, start: u64, request_id: &str) -> Vec<Run> {
        let times = (start..).take(ENOUGH).map(at);
        let run = |at| completions::testing::run("w", "query", request_id, pid, at);
        times.map(run).collect()
    }

    fn count(runs: &[Run], processes: &[Incarnation], periods: &[Period]) -> u64 {
        check(runs, processes, periods).count
    }

    #[test]
    fn a_process_that_did_nothing_is_found_if_others_did_enough_meanwhile() {
        let processes = [process(1, 7, 0), process(2, 8, 0)];
        let others = busy(7, 100, "1");
        assert_eq!(count(&others, &processes, &[]), 1);
        assert_eq!(count(&others[1..], &processes, &[]), 0);
        let own = completions::testing::run("w", "query", "1", 8, at(1));
        let all = [others, vec![own]].concat();
        assert_eq!(count(&all, &processes, &[]), 0);
        // Too soon after the start.
        assert_eq!(count(&busy(7, 29, "1"), &processes, &[]), 0);
        let delivered = busy(7, 100, "");
        assert_eq!(count(&delivered, &processes, &[]), 0);
    }

    #[test]
    fn a_process_that_was_replaced_did_not_have_the_time() {
        let processes = [process(1, 7, 0), process(2, 8, 0), process(2, 9, 240)];
        assert_eq!(count(&busy(7, 100, "1"), &processes, &[]), 0);
        let processes = [process(1, 7, 0), process(2, 8, 0), process(2, 9, 260)];
        assert_eq!(count(&busy(7, 100, "1"), &processes, &[]), 1);
    }

    #[test]
    fn only_a_fault_of_the_worker_or_a_server_excuses_a_process() {
        let processes = [process(1, 7, 0), process(2, 8, 0)];
        let runs = busy(7, 100, "1");
        for (kind, start, expected) in [
            (Kind::StopWorker(2), 120, 0),
            (Kind::StopWorker(1), 120, 1),
            (Kind::KillTemporal, 120, 0),
            (Kind::KillStore, 120, 0),
            (Kind::Cut(LinkTo::Temporal(2)), 120, 0),
            (Kind::Slow(LinkTo::Store(2)), 120, 0),
            (Kind::Cut(LinkTo::Api(2, Account::Called)), 120, 0),
            (Kind::Cut(LinkTo::Api(1, Account::Called)), 120, 1),
            (Kind::FullDisk, 120, 1),
            // It had ended long before.
            (Kind::KillTemporal, 20, 1),
        ] {
            let period = Period {
                kind: kind.clone(),
                began_at: at(start),
                ended_at: at(start + 10),
            };
            let count = count(&runs, &processes, &[period]);
            assert_eq!(count, expected, "{kind:?} {start}");
        }
    }
}
