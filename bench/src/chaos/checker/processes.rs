//! Whether changed workers took part, and why workers exited by themselves.

use std::{collections::BTreeSet, time::Duration};

use super::{Evidence, Row, identities};
use crate::chaos::{
    parts::{Exit, Incarnation},
    plan::{Change, Fault, Kind},
};

/// Workers that ran with a change for this long in total had something to do.
const ENOUGH: Duration = Duration::from_secs(60);
/// The exit code of a worker that could not reach Temporal when it started.
const NO_TEMPORAL: i32 = 1;

pub(super) fn check(evidence: &Evidence) -> [Row; 2] {
    let events = evidence.runs.iter().flat_map(|run| &run.events);
    let seen = identities::pids(events);
    let absent = absent(&evidence.faults, &evidence.incarnations, &seen);
    let crashed = evidence.exits.iter().filter(|exit| is_crash(exit));
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
            format!("workers ran with another {change:?} for {time} s")
        })
        .collect()
}

fn time_with(change: Change, faults: &[Fault]) -> Duration {
    let has_change =
        |fault: &&Fault| matches!(fault.kind, Kind::RestartWorker(_, it) if it == change);
    faults.iter().filter(has_change).map(|it| it.lasts).sum()
}

/// Returns whether a process ended in a way that is not documented for an outage of Temporal.
fn is_crash(exit: &Exit) -> bool {
    exit.status.and_then(|status| status.code()) != Some(NO_TEMPORAL)
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

    fn restart(change: Change, seconds: u64) -> Fault {
        Fault {
            at: Duration::ZERO,
            lasts: Duration::from_secs(seconds),
            kind: Kind::RestartWorker(1, change),
        }
    }

    fn process(pid: u32, change: Option<Change>) -> Incarnation {
        Incarnation {
            worker: 1,
            pid,
            change,
            started_at: SystemTime::UNIX_EPOCH,
            log: PathBuf::new(),
            counted: None,
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

    #[test]
    fn a_signal_or_an_undocumented_exit_code_is_a_crash() {
        let exit = |status: Option<i32>| Exit {
            log: PathBuf::new(),
            status: status.map(ExitStatus::from_raw),
        };
        let with_code = |code: i32| exit(Some(code << 8));
        assert!(!is_crash(&with_code(1)));
        for code in [0, 2, 78, 101, 130] {
            assert!(is_crash(&with_code(code)), "{code}");
        }
        let killed_or_aborted = [exit(Some(9)), exit(Some(6)), exit(None)];
        assert!(killed_or_aborted.iter().all(is_crash));
    }
}
