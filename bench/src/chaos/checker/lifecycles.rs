//! Whether every lifecycle ended, and as the plan allows.

use seedance_archiver_proto::{outcome, reason};

use super::{
    Row,
    endings::{End, Ending, Endings},
};
use crate::chaos::{plan::Expected, world::Task};

/// What the end of a lifecycle means.
#[derive(Debug, PartialEq)]
enum Verdict {
    Archived,
    Unsuccessful,
    /// With a reason of its script.
    LostByScript,
    /// With the reason of a fault.
    LostByFault,
    LostThoughSavable,
    Wrong,
    Stuck,
    Failed,
}

/// `was_returned`: whether the API has returned a record of a task.
pub(super) fn check(
    tasks: &[Task],
    endings: &Endings,
    was_returned: impl Fn(&Task) -> bool,
) -> Vec<Row> {
    let [mut archived, mut unsuccessful, mut by_script, mut by_fault] = [0; 4];
    let [mut savable, mut wrong, mut stuck, mut failed] = <[Vec<String>; 4]>::default();
    for task in tasks {
        let runs = endings.get(&task.id).map_or(&[][..], Vec::as_slice);
        let finding = format!(
            "{}: {runs:?}, expected {:?}",
            describe(task),
            task.video.expected
        );
        match verdict(task, runs, was_returned(task)) {
            Verdict::Archived => archived += 1,
            Verdict::Unsuccessful => unsuccessful += 1,
            Verdict::LostByScript => by_script += 1,
            Verdict::LostByFault => by_fault += 1,
            Verdict::LostThoughSavable => savable.push(finding),
            Verdict::Wrong => wrong.push(finding),
            Verdict::Stuck => stuck.push(finding),
            Verdict::Failed => failed.push(finding),
        }
    }
    vec![
        Row::of("lifecycles that ended as archived", archived),
        Row::of("unsuccessful, rightly", unsuccessful),
        Row::of("lost, rightly, with a reason of its script", by_script),
        Row::of("lost, rightly, with the reason of a fault", by_fault),
        Row::none_of("lost though savable", savable),
        Row::none_of("ended with a wrong outcome or reason", wrong),
        Row::none_of("lifecycles missing or stuck", stuck),
        Row::none_of("lifecycles failed", failed),
    ]
}

/// Returns whether every lifecycle of a task ended without ever having seen it: all responses about it were lost.
pub(super) fn is_unseen(task: &Task, endings: &Endings) -> bool {
    let is_unseen = |run: &Ending| {
        let reasons = [
            reason::OUTSIDE_QUERY_WINDOW,
            reason::QUERY_WINDOW_CLOSED,
            reason::TASK_NOT_FOUND,
        ];
        // A task with a record is lost.
        matches!(&run.end, End::Result { outcome, reason }
            if outcome == outcome::UNKNOWN && reasons.contains(&reason.as_str()))
    };
    let runs = endings.get(&task.id);
    runs.is_some_and(|runs| !runs.is_empty() && runs.iter().all(is_unseen))
}

fn describe(task: &Task) -> String {
    format!("{} of {}", task.id, task.video.account().name())
}

fn verdict(task: &Task, runs: &[Ending], was_returned: bool) -> Verdict {
    let ends = || runs.iter().map(|run| &run.end);
    if runs.is_empty() || ends().any(|end| *end == End::Open) {
        return Verdict::Stuck;
    }
    if ends().any(|end| matches!(end, End::Failed(_))) {
        return Verdict::Failed;
    }
    let verdicts = ends().map(|end| verdict_of_end(task, end, was_returned));
    let verdicts: Vec<_> = verdicts.collect();
    // A sweep may start another lifecycle after an outcome that is not final: each has to be right.
    let bad = |it: &&Verdict| matches!(it, Verdict::LostThoughSavable | Verdict::Wrong);
    let worst = verdicts.iter().position(|it| bad(&it));
    let index = worst.unwrap_or(verdicts.len() - 1);
    verdicts.into_iter().nth(index).unwrap_or(Verdict::Stuck)
}

fn verdict_of_end(task: &Task, end: &End, was_returned: bool) -> Verdict {
    let End::Result { outcome, reason } = end else {
        return Verdict::Failed;
    };
    let is_lost = [outcome::LOST, outcome::UNKNOWN].contains(&outcome.as_str());
    let reason = reason.as_str();
    match &task.video.expected {
        Expected::Archived if outcome == outcome::ARCHIVED => Verdict::Archived,
        Expected::Archived if is_lost => Verdict::LostThoughSavable,
        Expected::Unsuccessful(reasons)
            if outcome == outcome::UNSUCCESSFUL && reasons.contains(&reason) =>
        {
            Verdict::Unsuccessful
        }
        // Without a record, nothing is known of a video.
        Expected::Lost(_) if outcome == outcome::LOST && !was_returned => Verdict::Wrong,
        Expected::Lost(reasons) if is_lost && reasons.contains(&reason) => Verdict::LostByScript,
        Expected::Lost(_) if is_lost && task.reasons_of_faults.contains(&reason) => {
            Verdict::LostByFault
        }
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(expected: Expected) -> Task {
        Task {
            reasons_of_faults: vec!["store_unavailable"],
            ..Task::called("cgt-1", expected)
        }
    }

    fn ended(outcome: &str, reason: &str) -> Ending {
        ending(End::Result {
            outcome: outcome.into(),
            reason: reason.into(),
        })
    }

    fn ending(end: End) -> Ending {
        Ending {
            task_id: "cgt-1".into(),
            account: "called",
            end,
            last_activity: None,
            had_other_version: false,
        }
    }

    #[test]
    fn a_task_is_unseen_if_no_lifecycle_knew_its_query_window() {
        let task = task(Expected::Lost(vec!["query_window_closed"]));
        let unseen = ended("unknown", "outside_query_window");
        let failed = ended("unknown", "query_window_closed");
        let seen = ended("lost", "query_window_closed");
        for (runs, expected) in [
            (vec![unseen.clone()], true),
            (vec![failed], true),
            (vec![unseen, seen.clone()], false),
            (vec![seen], false),
            (vec![ending(End::Open)], false),
            (vec![], false),
        ] {
            let endings = Endings::from([(task.id.clone(), runs)]);
            assert_eq!(is_unseen(&task, &endings), expected, "{endings:?}");
        }
    }

    #[test]
    fn an_end_that_the_plan_does_not_allow_is_found() {
        let savable = task(Expected::Archived);
        let failing = task(Expected::Unsuccessful(vec!["failed"]));
        let losable = task(Expected::Lost(vec!["url_expired"]));
        for (task, run, expected) in [
            (&savable, ended("archived", ""), Verdict::Archived),
            (
                &savable,
                ended("lost", "url_expired"),
                Verdict::LostThoughSavable,
            ),
            (
                &savable,
                ended("unknown", "task_not_found"),
                Verdict::LostThoughSavable,
            ),
            (&savable, ended("unsuccessful", "failed"), Verdict::Wrong),
            (
                &failing,
                ended("unsuccessful", "failed"),
                Verdict::Unsuccessful,
            ),
            (&failing, ended("unsuccessful", "expired"), Verdict::Wrong),
            (&failing, ended("lost", "failed"), Verdict::Wrong),
            (
                &losable,
                ended("lost", "url_expired"),
                Verdict::LostByScript,
            ),
            (
                &losable,
                ended("lost", "store_unavailable"),
                Verdict::LostByFault,
            ),
            (&losable, ended("lost", "corrupt_video"), Verdict::Wrong),
            (&losable, ended("archived", ""), Verdict::Wrong),
            (&savable, ending(End::Open), Verdict::Stuck),
            (&savable, ending(End::Failed("no".into())), Verdict::Failed),
        ] {
            let runs = [run];
            assert_eq!(verdict(task, &runs, true), expected, "{runs:?}");
        }
        assert_eq!(verdict(&savable, &[], true), Verdict::Stuck);
        let again = [ended("lost", "url_expired"), ended("archived", "")];
        assert_eq!(verdict(&savable, &again, true), Verdict::LostThoughSavable);
    }

    #[test]
    fn a_task_that_the_api_never_returned_may_be_unknown_but_not_lost() {
        let losable = task(Expected::Lost(vec!["query_window_closed"]));
        for (outcome, expected) in [("lost", Verdict::Wrong), ("unknown", Verdict::LostByScript)] {
            let runs = [ended(outcome, "query_window_closed")];
            assert_eq!(verdict(&losable, &runs, false), expected, "{outcome}");
        }
    }

    #[test]
    fn each_verdict_has_its_row() {
        let tasks = [task(Expected::Archived)];
        for (run, row) in [
            (ended("archived", ""), "lifecycles that ended as archived"),
            (ended("lost", "url_expired"), "lost though savable"),
            (
                ended("unsuccessful", ""),
                "ended with a wrong outcome or reason",
            ),
            (ending(End::Open), "lifecycles missing or stuck"),
            (ending(End::Failed("no".into())), "lifecycles failed"),
        ] {
            let endings = Endings::from([("cgt-1".to_owned(), vec![run])]);
            let rows = check(&tasks, &endings, |_| true);
            let counted: Vec<_> = rows.iter().filter(|row| row.count > 0).collect();
            assert_eq!(counted.len(), 1);
            assert_eq!(counted[0].name, row);
        }
    }
}
