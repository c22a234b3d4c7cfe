//! Signs that watchers, callbacks and sweeps work at all, which a short run has too.

use seedance_archiver_proto::{names, v1::SweepVideoTasksResult};

use super::sweeps;
use crate::chaos::{checker::Run, plan::Account, world::Task};

/// Tasks that nobody calls for: in a minute, a sweep cannot have found all of them.
const SOME_FOUND: usize = 10;
/// Tasks with callbacks, of each of which there are two or three.
const SOME_CALLBACKS: usize = 5;

/// `processed`: number of callbacks that workers logged.
pub(super) fn missing(tasks: &[Task], runs: &[Run], processed: usize) -> Vec<String> {
    let found = found(tasks).count();
    let sweeps: Vec<_> = sweeps::of(runs).filter_map(sweeps::result).collect();
    let with_callback = tasks.iter().filter(|task| task.video.callback.is_some());
    let with_callback = with_callback.count();
    let findings = [
        (found >= SOME_FOUND && sweeps.is_empty()).then(|| "sweeps: none completed".to_owned()),
        watcher(tasks, runs, &sweeps),
        (with_callback >= SOME_CALLBACKS && processed == 0)
            .then(|| format!("callbacks: none of {with_callback} tasks was logged")),
    ];
    findings.into_iter().flatten().collect()
}

/// Returns the finding if sweeps started every lifecycle of a task that nobody calls for. An attempt that failed may have
/// started more of them than the result of a sweep says.
fn watcher(tasks: &[Task], runs: &[Run], sweeps: &[SweepVideoTasksResult]) -> Option<String> {
    let has_lifecycle = |task: &&Task| {
        let id = names::lifecycle_workflow_id(Account::Automatic.name(), &task.id);
        runs.iter().any(|run| run.workflow_id == id)
    };
    let count = found(tasks).filter(has_lifecycle).count();
    let by_sweeps: i64 = sweeps.iter().map(|sweep| sweep.started).sum();
    (count >= SOME_FOUND && by_sweeps >= count as i64)
        .then(|| format!("watchers: {count} lifecycles, all of which sweeps started"))
}

/// Returns the tasks that nobody calls for.
fn found(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks
        .iter()
        .filter(|task| task.video.account() == Account::Automatic)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chaos::{
        checker::{
            effects::tests::{lifecycle, sweep, tasks},
            testing::completed_run,
        },
        plan::Trigger,
    };

    /// Returns the lifecycles of tasks that nobody calls for.
    fn lifecycles(count: usize) -> Vec<Run> {
        let runs = (0..count).map(|number| {
            let [mut run] = lifecycle(Account::Automatic, "1");
            run.workflow_id = names::lifecycle_workflow_id("automatic", &format!("cgt-{number}"));
            run
        });
        runs.collect()
    }

    /// Returns a sweep that started so many lifecycles.
    fn sweep_with(started: usize) -> Vec<Run> {
        let result = json!({"listed": started, "started": started}).to_string();
        let id = "sweep-video-tasks/automatic-2026-11-30T00:00:00Z".to_owned();
        vec![completed_run(id, "json/plain", result)]
    }

    /// Returns what is missing if there are this many tasks that nobody calls for.
    fn check(count: usize, runs: &[Vec<Run>]) -> Vec<String> {
        missing(&tasks(count, Trigger::Nobody, None), &runs.concat(), 0)
    }

    #[test]
    fn a_watcher_that_found_no_task_is_noticed_in_a_short_run() {
        let lifecycles = lifecycles(SOME_FOUND);
        let after = |started: [usize; 2]| {
            let [first, second] = started.map(sweep_with);
            check(SOME_FOUND, &[first, second, lifecycles.clone()])
        };
        assert!(after([1, SOME_FOUND - 2]).is_empty());
        let findings = after([1, SOME_FOUND - 1]);
        assert!(findings[0].starts_with("watchers"), "{findings:?}");
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn sweeps_that_did_not_complete_are_noticed_in_a_short_run() {
        let lifecycles = lifecycles(SOME_FOUND);
        let findings = check(SOME_FOUND, &[lifecycles.clone(), vec![sweep(0, None)]]);
        assert_eq!(findings, ["sweeps: none completed"]);
        assert!(check(SOME_FOUND - 1, &[lifecycles]).is_empty());
    }

    #[test]
    fn callbacks_that_no_worker_processed_are_noticed_in_a_short_run() {
        let missing = |count: usize, processed: usize| {
            missing(&tasks(count, Trigger::Call, Some(1)), &[], processed)
        };
        assert_eq!(missing(SOME_CALLBACKS, 0).len(), 1);
        assert!(missing(SOME_CALLBACKS, 1).is_empty());
        assert!(missing(SOME_CALLBACKS - 1, 0).is_empty());
    }
}
