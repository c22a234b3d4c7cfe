//! Whether every call of `AwaitVideoTask` returned what a lifecycle of its task ended with.

use std::collections::BTreeSet;

use super::{
    Row, Run,
    endings::{self, End, Endings},
    identities,
};
use crate::chaos::{callers::workflow_id, plan::Trigger, world::Task};

/// `other_version`: the processes of another version. Version 0.1.0 fails a call for good if it is stopped meanwhile: the delay
/// before the next attempt that it asks for is zero, which Temporal takes for none.
pub(super) fn check(
    tasks: &[Task],
    runs: &[Run],
    endings: &Endings,
    other_version: &BTreeSet<u32>,
) -> [Row; 3] {
    let [mut without_result, mut different] = <[Vec<String>; 2]>::default();
    let mut failed_elsewhere = 0;
    let is_called = |task: &&Task| task.video.trigger == Trigger::Call;
    for task in tasks.iter().filter(is_called) {
        let calls = calls(&task.id, runs);
        if calls.is_empty() {
            without_result.push(format!("{}: no workflow", task.id));
        }
        for run in calls {
            let call = endings::end(&run.events);
            let is_excused = || !identities::pids(&run.events).is_disjoint(other_version);
            match call {
                End::Result { .. } if is_of_lifecycle(&task.id, &call, endings) => {}
                End::Result { .. } => {
                    let lifecycles = endings.get(&task.id);
                    different.push(format!("{}: {call:?}, lifecycles {lifecycles:?}", task.id));
                }
                End::Failed(_) if is_excused() => failed_elsewhere += 1,
                End::Failed(_) | End::Open => {
                    without_result.push(format!("{}: {call:?}", task.id));
                }
            }
        }
    }
    [
        Row::none_of("callers stuck or failed", without_result),
        Row::none_of(
            "callers with another result than their lifecycle",
            different,
        ),
        Row::of("callers that another version failed", failed_elsewhere),
    ]
}

/// Returns the workflows that called for a task. There may be two: a start is repeated if its response was lost.
fn calls<'a>(task_id: &str, runs: &'a [Run]) -> Vec<&'a Run> {
    let id = workflow_id(task_id);
    runs.iter().filter(|run| run.workflow_id == id).collect()
}

/// Returns whether a lifecycle of the task ended like this. A call whose progress was lost may have waited for a later
/// one.
fn is_of_lifecycle(task_id: &str, call: &End, endings: &Endings) -> bool {
    let lifecycles = endings.get(task_id);
    lifecycles.is_some_and(|lifecycles| lifecycles.iter().any(|it| it.end == *call))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use temporalio_common::protos::temporal::api::history::v1::{
        ActivityTaskFailedEventAttributes, HistoryEvent, WorkflowExecutionFailedEventAttributes,
        history_event::Attributes,
    };

    use super::*;
    use crate::chaos::{
        checker::{endings::Ending, testing::completed},
        plan::Expected,
    };

    const ID: &str = "cgt-1";
    /// Processes of another version.
    const OTHER: [u32; 1] = [7];

    /// Returns a run of a workflow with one event.
    fn run(workflow_id: String, event: Option<Attributes>) -> Run {
        Run {
            workflow_id,
            events: vec![HistoryEvent {
                attributes: event,
                ..HistoryEvent::default()
            }],
        }
    }

    fn returned(outcome: &str, reason: &str) -> Option<Attributes> {
        let result = json!({"outcome": outcome, "reason": reason});
        Some(completed("json/plain", result.to_string()))
    }

    fn failed() -> Option<Attributes> {
        let failed = WorkflowExecutionFailedEventAttributes::default();
        Some(Attributes::WorkflowExecutionFailedEventAttributes(failed))
    }

    /// Returns the counts if lifecycles ended with these outcomes.
    fn counts(task: &Task, runs: &[Run], outcomes: &[(&str, &str)]) -> [u64; 3] {
        let ending = |(outcome, reason): &(&str, &str)| Ending {
            task_id: ID.into(),
            account: "called",
            end: End::Result {
                outcome: (*outcome).to_owned(),
                reason: (*reason).to_owned(),
            },
            last_activity: None,
            had_other_version: false,
        };
        let endings = outcomes.iter().map(ending).collect();
        let endings = Endings::from([(ID.to_owned(), endings)]);
        let rows = check(std::slice::from_ref(task), runs, &endings, &OTHER.into());
        rows.map(|row| row.count)
    }

    #[test]
    fn a_call_without_a_result_or_with_another_one_is_found() {
        let task = Task::called(ID, Expected::Archived);
        let archived = [("archived", "")];
        for (event, expected) in [
            (returned("archived", ""), [0, 0, 0]),
            (returned("lost", "url_expired"), [0, 1, 0]),
            (returned("archived", "why"), [0, 1, 0]),
            (failed(), [1, 0, 0]),
            (None, [1, 0, 0]),
        ] {
            let runs = [run(workflow_id(ID), event)];
            assert_eq!(counts(&task, &runs, &archived), expected, "{runs:?}");
        }
        assert_eq!(counts(&task, &[], &archived), [1, 0, 0]);
        let other = [run(workflow_id("cgt-2"), returned("archived", ""))];
        assert_eq!(counts(&task, &other, &archived), [1, 0, 0]);
    }

    #[test]
    fn a_call_that_another_version_failed_is_excused_and_counted() {
        let task = Task::called(ID, Expected::Archived);
        for (identity, expected) in [("7@host", [0, 0, 1]), ("8@host", [1, 0, 0])] {
            let attempt = ActivityTaskFailedEventAttributes {
                identity: identity.into(),
                ..Default::default()
            };
            let mut call = run(
                workflow_id(ID),
                Some(Attributes::ActivityTaskFailedEventAttributes(attempt)),
            );
            call.events.extend(run(String::new(), failed()).events);
            assert_eq!(counts(&task, &[call], &[("archived", "")]), expected);
        }
    }

    #[test]
    fn a_call_may_return_the_end_of_any_lifecycle_of_its_task() {
        let task = Task::called(ID, Expected::Archived);
        let lifecycles = [("unknown", "task_not_found"), ("archived", "")];
        let runs = [
            run(workflow_id(ID), returned("unknown", "task_not_found")),
            run(workflow_id(ID), returned("archived", "")),
        ];
        assert_eq!(counts(&task, &runs, &lifecycles), [0, 0, 0]);
        let stuck = [runs, [run(workflow_id(ID), None), run(String::new(), None)]].concat();
        assert_eq!(counts(&task, &stuck, &lifecycles), [1, 0, 0]);
    }

    #[test]
    fn a_task_that_nobody_called_for_has_no_call() {
        let mut task = Task::called(ID, Expected::Archived);
        task.video.trigger = Trigger::Nobody;
        assert_eq!(counts(&task, &[], &[("archived", "")]), [0, 0, 0]);
    }
}
