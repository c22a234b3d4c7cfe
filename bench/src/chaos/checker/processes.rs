//! Whether changed workers took part, and why workers exited by themselves.

use std::{collections::BTreeSet, time::Duration};

use super::{Evidence, Row, identities};
use crate::chaos::{
    faults::Period,
    parts::{Exit, Incarnation},
    plan::{Change, Fault, Kind},
};

/// Workers that ran with a change for this long in total had something to do.
const ENOUGH: Duration = Duration::from_secs(60);
/// The exit code of a worker that could not reach Temporal when it started.
const NO_TEMPORAL: i32 = 1;
/// How long after a fault of Temporal a worker may exit because of it. One that starts during the fault waits for a minute, and
/// the server takes a while to start.
const AFTERMATH: Duration = Duration::from_secs(90);

pub(super) fn check(evidence: &Evidence) -> [Row; 2] {
    let events = evidence.runs.iter().flat_map(|run| &run.events);
    let seen = identities::pids(events);
    let absent = absent(&evidence.faults, &evidence.incarnations, &seen);
    let crashed = evidence
        .exits
        .iter()
        .filter(|exit| is_crash(exit, &evidence.incarnations, &evidence.periods));
    [
        Row::none_of("changes of a worker that took no part", absent),
        Row::none_of("workers that crashed", crashed.map(describe).collect()),
    ]
}

/// Returns the changes that happened for long enough, although none of the processes with them is in a history.
fn absent(faults: &[Fault], processes: &[Incarnation], seen: &BTreeSet<u32>) -> Vec<String> {
    let is_absent = |change: &Change| {
        let with_change = |it: &&Incarnation| it.change == Some(*change);
        let mut changed = processes.iter().filter(with_change);
        time_with(*change, faults) >= ENOUGH && !changed.any(|it| seen.contains(&it.pid))
    };
    let absent = Change::ALL.into_iter().filter(is_absent);
    absent
        .map(|change| {
            let time = time_with(change, faults).as_secs();
            format!("{} for {time} s", change.name())
        })
        .collect()
}

fn time_with(change: Change, faults: &[Fault]) -> Duration {
    let has_change =
        |fault: &&Fault| matches!(fault.kind, Kind::RestartWorker(_, it) if it == change);
    faults.iter().filter(has_change).map(|it| it.lasts).sum()
}

/// Returns whether a process ended in a way that is not documented for an outage of Temporal, or although there was none.
fn is_crash(exit: &Exit, processes: &[Incarnation], periods: &[Period]) -> bool {
    let code = exit.status.and_then(|status| status.code());
    let process = processes.iter().find(|it| it.log == exit.log);
    let worker = process.map(|it| it.worker);
    let mut outages = periods
        .iter()
        .filter(|it| it.kind.concerns_temporal(worker));
    code != Some(NO_TEMPORAL) || !outages.any(|it| it.explains(exit.at, AFTERMATH))
}

fn describe(exit: &Exit) -> String {
    let log = exit.log.display();
    match exit.status {
        Some(status) => format!("{status}: {log}"),
        None => format!("not started: {log}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, time::SystemTime,
    };

    use super::*;
    use crate::chaos::{checker::testing, plan::LinkTo};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn restart(change: Change, seconds: u64) -> Fault {
        Fault {
            at: Duration::ZERO,
            lasts: Duration::from_secs(seconds),
            kind: Kind::RestartWorker(1, change),
        }
    }

    fn process(pid: u32, change: Option<Change>) -> Incarnation {
        Incarnation {
            change,
            ..testing::process(1, pid)
        }
    }

    #[test]
    fn a_change_that_lasted_without_a_process_in_any_history_is_found() {
        let faults = [restart(Change::Version, 40), restart(Change::Version, 20)];
        let processes = [
            process(7, None),
            process(8, Some(Change::Version)),
            process(9, Some(Change::Version)),
        ];
        let count = |faults: &[Fault], seen: &[u32]| {
            absent(faults, &processes, &seen.iter().copied().collect()).len()
        };
        assert_eq!(count(&faults, &[7]), 1);
        assert_eq!(count(&faults, &[7, 9]), 0);
        // Too short.
        assert_eq!(count(&faults[..1], &[7]), 0);
        let others = [restart(Change::Version, 40), restart(Change::Key, 40)];
        assert_eq!(count(&others, &[7]), 0);
        assert_eq!(count(&[], &[]), 0);
    }

    /// Returns whether a process that ended with this status at a time counts as crashed, if a fault lasted from 100 to 120.
    fn is_crash_at(status: Option<i32>, seconds: u64, kind: Kind) -> bool {
        let exit = Exit {
            log: PathBuf::new(),
            status: status.map(ExitStatus::from_raw),
            at: at(seconds),
        };
        let period = Period {
            kind,
            began_at: at(100),
            ended_at: at(120),
        };
        is_crash(&exit, &[process(7, None)], &[period])
    }

    #[test]
    fn a_signal_or_an_undocumented_exit_code_is_a_crash() {
        let is_crash = |status: Option<i32>| is_crash_at(status, 110, Kind::KillTemporal);
        assert!(!is_crash(Some(1 << 8)));
        for code in [0, 2, 78, 101, 130] {
            assert!(is_crash(Some(code << 8)), "{code}");
        }
        let (killed, aborted, not_started) = (Some(9), Some(6), None);
        assert!([killed, aborted, not_started].into_iter().all(is_crash));
    }

    #[test]
    fn exit_code_1_is_a_crash_unless_the_worker_had_no_temporal() {
        for (kind, seconds, expected) in [
            (Kind::KillTemporal, 99, true),
            (Kind::KillTemporal, 100, false),
            (Kind::KillTemporal, 210, false),
            (Kind::KillTemporal, 211, true),
            (Kind::HalfOpen(LinkTo::Database), 110, false),
            (Kind::Cut(LinkTo::Temporal(1)), 110, false),
            (Kind::Cut(LinkTo::Temporal(2)), 110, true),
            (Kind::KillStore, 110, true),
            (Kind::KillWorker(1), 110, true),
        ] {
            let is_crash = is_crash_at(Some(1 << 8), seconds, kind.clone());
            assert_eq!(is_crash, expected, "{kind:?} {seconds}");
        }
    }
}
