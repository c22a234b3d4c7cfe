mod records;
mod requests;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn watched() -> WatchedTasks {
    watched_since(Some(at(0)))
}

fn watched_since(took_over_at: Option<SystemTime>) -> WatchedTasks {
    WatchedTasks::new(watch_since(took_over_at), CompletionTimes::default())
}

fn watch_since(took_over_at: Option<SystemTime>) -> Watch {
    Watch {
        lists: pages::Lists::default(),
        schedule: PollSchedule::default(),
        windows: Windows::default(),
        shows_statuses: true,
        took_over_at,
    }
}

fn at(seconds: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000) + seconds * SECOND
}

/// Returns the lifecycle of the task that started at a time.
fn started(seconds: u32, known_status: &str) -> Waiting {
    Waiting {
        task_id: "cgt-1".into(),
        id_created_at: None,
        known_status: known_status.into(),
        started_at: at(seconds),
    }
}

/// Returns a record of the task, which last changed 90 seconds after its creation.
fn record(status: &str) -> VideoTask {
    VideoTask {
        id: "cgt-1".into(),
        status: status.into(),
        created_at: unix_seconds(at(1)),
        updated_at: unix_seconds(at(91)),
        ..VideoTask::default()
    }
}

#[test]
fn a_settled_lifecycle_is_not_watched_again() {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(2));
    tasks.delivered("cgt-1", status::SUCCEEDED);
    for is_complete in [false, true, true] {
        // The visibility store is late.
        tasks.sync(vec![started(1, "")], is_complete, at(3));
        assert!(tasks.is_empty());
    }
}

/// Only an earlier watcher may have seen it: its lifecycle decides after a while that it does not exist.
#[test]
fn a_task_that_was_never_seen_did_not_vanish() {
    for (took_over_at, may_have_been_seen) in
        [(None, false), (Some(at(0)), false), (Some(at(10)), true)]
    {
        let mut tasks = watched_since(took_over_at);
        tasks.sync(vec![started(1, "")], true, at(11));
        assert!(!tasks.not_found("cgt-1", at(11)));
        assert_eq!(tasks.not_found("cgt-1", at(72)), may_have_been_seen);
    }
}

/// A caller may start another one at once, to get the result of the first one.
#[test]
fn the_next_lifecycle_of_a_settled_task_is_watched() {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(2));
    tasks.delivered("cgt-1", status::SUCCEEDED);
    tasks.sync(vec![started(3, "")], true, at(4));
    assert!(tasks.includes("cgt-1"));
    // The visibility store may still show the first one, in any order.
    let [first, ended] = ["", status::SUCCEEDED].map(|status| started(1, status));
    for earlier in [first, ended] {
        tasks.sync(vec![earlier.clone(), started(3, "")], true, at(5));
        assert!(tasks.includes("cgt-1"));
        tasks.sync(vec![started(3, ""), earlier], true, at(5));
        assert!(tasks.includes("cgt-1"));
    }
    tasks.delivered("cgt-1", status::SUCCEEDED);
    tasks.sync(vec![started(1, ""), started(3, "")], true, at(6));
    assert!(tasks.is_empty());
}

#[test]
fn a_lifecycle_that_starts_before_the_first_one_is_settled_is_watched_too() {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(2));
    tasks.sync(vec![started(3, "")], true, at(4));
    tasks.sync(vec![started(1, status::SUCCEEDED)], false, at(5));
    assert!(tasks.includes("cgt-1"));
    tasks.delivered("cgt-1", status::SUCCEEDED);
    tasks.sync(vec![started(3, "")], true, at(6));
    assert!(tasks.is_empty());
}

#[test]
fn a_task_is_not_queried_before_the_time_that_the_service_asked_for() {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(2));
    let can_be_queried = |tasks: &mut WatchedTasks, seconds| {
        let (_, candidates) = tasks.candidates(at(seconds), true, false);
        let is_possible = tasks.can_be_queried("cgt-1", at(seconds));
        assert_eq!(candidates[0].can_be_queried, is_possible);
        is_possible
    };
    tasks.failed("cgt-1", at(10), None);
    assert!(can_be_queried(&mut tasks, 10));
    tasks.failed("cgt-1", at(10), Some(30 * SECOND));
    // A query that was sent before, or was not sent because of that.
    tasks.failed("cgt-1", at(11), Some(SECOND));
    tasks.failed("cgt-1", at(12), None);
    assert!(!can_be_queried(&mut tasks, 39));
    assert!(can_be_queried(&mut tasks, 40));
    tasks.failed("cgt-1", at(40), Some(Duration::MAX));
    assert!(!can_be_queried(&mut tasks, 40 + 15 * 60 - 1));
    assert!(can_be_queried(&mut tasks, 40 + 15 * 60));
}
