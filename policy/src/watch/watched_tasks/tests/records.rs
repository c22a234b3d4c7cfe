//! What follows from the records of tasks, and what is learned from them.

use super::*;

/// Returns the completion times that the watcher knows, in seconds.
fn learned(tasks: &WatchedTasks) -> Vec<u32> {
    let state = tasks.completion_times().state();
    state.kinds.into_iter().flat_map(|it| it.seconds).collect()
}

fn handed_back(tasks: &WatchedTasks) -> Vec<&str> {
    tasks.handed_back().collect()
}

#[test]
fn a_record_is_news_if_its_lifecycle_does_not_know_the_status() {
    let mut tasks = watched();
    let look = |tasks: &mut WatchedTasks, status: &str, has_url| {
        tasks.look(&record(status), has_url, at(3))
    };
    let nobody_waits = look(&mut tasks, "running", false);
    assert_eq!(nobody_waits, News::None);
    tasks.sync(vec![started(1, "")], true, at(2));
    assert_eq!(look(&mut tasks, "queued", false), News::None);
    assert_eq!(look(&mut tasks, "running", false), News::Status);
    assert_eq!(look(&mut tasks, "succeeded", false), News::LacksUrl);
    assert_eq!(look(&mut tasks, "succeeded", true), News::Status);
    assert_eq!(look(&mut tasks, "failed", false), News::Status);
    tasks.delivered("cgt-1", "running");
    assert_eq!(look(&mut tasks, "running", false), News::None);
    assert_eq!(look(&mut tasks, "succeeded", true), News::Status);
}

/// A second delivery would lengthen the history of the lifecycle.
#[test]
fn an_earlier_watcher_may_have_delivered_that_a_task_runs() {
    for (shows_statuses, took_over_at, expected) in [
        (false, Some(at(10)), News::None),
        (true, Some(at(10)), News::Status),
        (false, Some(at(0)), News::Status),
        (false, None, News::Status),
    ] {
        let watch = Watch {
            shows_statuses,
            ..watch_since(took_over_at)
        };
        let mut tasks = WatchedTasks::new(watch, CompletionTimes::default());
        tasks.sync(vec![started(1, "")], true, at(11));
        let news = tasks.look(&record("running"), false, at(12));
        assert_eq!(news, expected, "{shows_statuses}, {took_over_at:?}");
    }
}

#[test]
fn the_end_of_a_watched_task_is_learned_once() {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(2));
    tasks.look(&record("running"), false, at(92));
    assert!(learned(&tasks).is_empty());
    for requested_at in [at(93), at(100)] {
        tasks.look(&record("succeeded"), false, requested_at);
        assert_eq!(learned(&tasks), [90]);
    }
}

#[test]
fn listed_tasks_that_ended_unwatched_are_learned_in_the_order_of_their_ends() {
    let mut tasks = watched();
    let settled = Waiting {
        task_id: "settled".into(),
        ..started(1, "")
    };
    tasks.sync(vec![started(1, ""), settled], true, at(2));
    tasks.delivered("settled", status::SUCCEEDED);
    let listed = |id: &str, status: &str, seconds: u32| VideoTask {
        id: id.into(),
        updated_at: unix_seconds(at(1 + seconds)),
        ..record(status)
    };
    tasks.learn(&[
        listed("last", "failed", 300),
        listed("first", "succeeded", 80),
        listed("unfinished", "running", 100),
        listed("cgt-1", "succeeded", 110),
        listed("settled", "succeeded", 120),
    ]);
    assert_eq!(learned(&tasks), [80, 300]);
}

#[test]
fn a_task_that_vanished_is_handed_back_after_a_minute() {
    let mut tasks = watched();
    assert_eq!((tasks.len(), tasks.is_empty()), (0, true));
    tasks.sync(vec![started(1, "")], true, at(2));
    assert_eq!((tasks.len(), tasks.is_empty()), (1, false));
    assert_eq!(tasks.seen().count(), 0);
    tasks.look(&record("running"), false, at(3));
    assert_eq!(tasks.seen().collect::<Vec<_>>(), ["cgt-1"]);

    assert!(!tasks.not_found("cgt-1", at(10)));
    assert!(!tasks.not_found("cgt-1", at(69)));
    assert!(handed_back(&tasks).is_empty());
    assert!(tasks.not_found("cgt-1", at(70)));
    assert_eq!(handed_back(&tasks), ["cgt-1"]);
    assert!(!tasks.not_found("cgt-1", at(71)), "its lifecycle knows");

    tasks.look(&record("running"), false, at(80));
    assert!(handed_back(&tasks).is_empty());
    assert!(!tasks.not_found("cgt-1", at(90)), "a new series of 404s");
}

#[test]
fn a_record_says_when_a_task_was_created() {
    let mut tasks = watched();
    tasks.sync(vec![started(2, "")], true, at(3));
    assert_eq!(tasks.created_at("cgt-1"), Some(at(2)));
    tasks.look(&record("running"), false, at(3));
    assert_eq!(tasks.created_at("cgt-1"), Some(at(1)));
    assert_eq!(tasks.created_at("cgt-2"), None);
    assert!(!tasks.includes("cgt-2"));
}
