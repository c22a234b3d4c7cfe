//! Which tasks are asked for, where, and how urgently.

use super::*;

const DAY: u32 = 24 * 60 * 60;

fn ids() -> Vec<String> {
    vec!["cgt-1".to_owned()]
}

/// Returns a watcher of one task, whose lifecycle has just started.
fn watching() -> WatchedTasks {
    let mut tasks = watched();
    tasks.sync(vec![started(1, "")], true, at(1));
    tasks
}

/// Returns the tasks that may be asked for by their ids.
fn asked_for(tasks: &mut WatchedTasks, now: SystemTime) -> Vec<String> {
    let (ids, candidates) = tasks.candidates(now, true, false);
    assert_eq!(ids.len(), candidates.len());
    ids
}

fn candidate(tasks: &mut WatchedTasks, can_filter_ids: bool, now: SystemTime) -> Candidate {
    let (_, candidates) = tasks.candidates(now, can_filter_ids, false);
    candidates[0]
}

fn list(tasks: &mut WatchedTasks) -> Option<usize> {
    candidate(tasks, true, at(5)).list
}

fn worth(tasks: &mut WatchedTasks, now: SystemTime) -> f64 {
    candidate(tasks, true, now).worth
}

fn in_tier(service_tier: &str) -> VideoTask {
    VideoTask {
        service_tier: service_tier.into(),
        ..record("running")
    }
}

#[test]
fn a_task_is_asked_for_by_one_request_at_a_time_until_its_window_closes() {
    let mut tasks = watching();
    assert_eq!(asked_for(&mut tasks, at(2)), ids());
    tasks.set_requested(&ids(), true);
    assert!(asked_for(&mut tasks, at(2)).is_empty());
    tasks.set_requested(&ids(), false);
    assert_eq!(asked_for(&mut tasks, at(7 * DAY)), ids());
    assert!(asked_for(&mut tasks, at(7 * DAY + 1)).is_empty());
}

#[test]
fn a_task_that_its_lifecycle_polls_is_not_asked_for() {
    let mut tasks = watching();
    for seconds in [2, 62] {
        assert_eq!(asked_for(&mut tasks, at(seconds)), ids());
        tasks.not_found("cgt-1", at(seconds));
    }
    assert!(asked_for(&mut tasks, at(63)).is_empty());
}

#[test]
fn a_task_is_sought_in_each_list_and_then_queried() {
    let mut tasks = watching();
    for index in 0..3 {
        assert_eq!(list(&mut tasks), Some(index));
        let while_listing = tasks.candidates(at(5), true, true);
        assert_eq!(while_listing, (vec![], vec![]));
        tasks.missed_in_list(&ids(), index);
    }
    assert_eq!(list(&mut tasks), None);
    let (while_listing, _) = tasks.candidates(at(5), true, true);
    assert_eq!(while_listing, ids());
}

#[test]
fn a_list_that_no_longer_shows_a_task_is_not_asked_for_it() {
    let mut tasks = watching();
    let look = |tasks: &mut WatchedTasks, service_tier| {
        tasks.look(&in_tier(service_tier), false, at(3));
        list(tasks)
    };
    assert_eq!(look(&mut tasks, "flex"), Some(1));
    tasks.missed_in_list(&ids(), 0);
    tasks.missed_in_list(&ids(), 1);
    assert_eq!(list(&mut tasks), Some(1));
    tasks.missed_in_list(&ids(), 1);
    assert_eq!(list(&mut tasks), None);
    assert_eq!(look(&mut tasks, "flex"), None);
    assert_eq!(look(&mut tasks, "priority"), Some(2), "another list");
}

#[test]
fn a_list_shows_the_tasks_of_its_tier() {
    let mut tasks = watching();
    let lists = ["", "default", "flex", "priority", "other"].map(|it| tasks.note(&in_tier(it)));
    assert_eq!(lists, [Some(0), Some(0), Some(1), Some(2), None]);
}

#[test]
fn a_task_that_its_page_did_not_show_is_asked_for_by_its_id() {
    let mut tasks = watching();
    let newer = VideoTask {
        id: "cgt-2".into(),
        created_at: unix_seconds(at(2)),
        ..record("running")
    };
    tasks.note(&newer);
    let listed_at = |tasks: &mut WatchedTasks, can_filter_ids| {
        let candidate = candidate(tasks, can_filter_ids, at(5));
        (candidate.list, candidate.position)
    };
    assert_eq!(listed_at(&mut tasks, false), (Some(0), Some(1)));
    tasks.missed_on_page(&ids());
    assert_eq!(listed_at(&mut tasks, true), (Some(0), None));
    assert_eq!(listed_at(&mut tasks, false), (None, None));
    tasks.look(&record("running"), false, at(4));
    assert_eq!(listed_at(&mut tasks, false), (Some(0), Some(1)));
}

/// The lifecycle of an older task may start later.
#[test]
fn the_order_of_tasks_is_kept_up_to_an_hour_before_the_oldest_watched_one() {
    let lifecycle = |id: &str, created_at| Waiting {
        task_id: id.into(),
        id_created_at: Some(at(created_at)),
        ..started(10_000, "")
    };
    let mut tasks = watched();
    for (id, created_at) in [("forgotten", 6_399), ("kept", 6_400)] {
        tasks.note(&VideoTask {
            id: id.into(),
            created_at: unix_seconds(at(created_at)),
            ..record("running")
        });
    }
    tasks.sync(vec![lifecycle("later", 10_000)], true, at(10_000));
    tasks.sync(vec![lifecycle("earlier", 1)], true, at(10_001));
    let position = candidate(&mut tasks, true, at(10_001)).position;
    assert_eq!(position, Some(1));
}

#[test]
fn after_a_failed_query_a_task_is_asked_for_later_and_later() {
    let mut tasks = watching();
    assert_eq!(worth(&mut tasks, at(10)), 1.0, "nobody has seen it yet");
    tasks.failed("cgt-1", at(10), None);
    assert_eq!(worth(&mut tasks, at(10)), 0.0);
    assert_eq!(worth(&mut tasks, at(11)), 0.2);
    tasks.failed("cgt-1", at(20), None);
    assert_eq!(worth(&mut tasks, at(25)), 0.5);
    // The interval is a tenth of the age again.
    tasks.look(&record("running"), false, at(101));
    assert_eq!(worth(&mut tasks, at(106)), 0.5);
}

#[test]
fn a_task_that_lacks_its_url_is_looked_at_less_and_less_often() {
    let mut tasks = watching();
    for (looked_at, then, expected) in [
        (100, 102, 0.4),
        (190, 200, 1.0),
        (400, 410, 10.0 / 31.0),
        (2_000, 2_030, 0.5),
    ] {
        tasks.look(&record("succeeded"), false, at(looked_at));
        assert_eq!(worth(&mut tasks, at(then)), expected, "at {then} s");
    }
}

#[test]
fn a_task_that_was_not_found_is_soon_looked_for_again() {
    let mut tasks = watching();
    tasks.not_found("cgt-1", at(10));
    assert_eq!(worth(&mut tasks, at(12)), 0.4);
}

#[test]
fn a_new_task_is_looked_for_within_a_minute_however_long_tasks_take() {
    let mut times = CompletionTimes::default();
    for minutes in 200..260_u32 {
        times.observe(&TaskKind::of(&record("running")), minutes * 60 * SECOND);
    }
    let mut tasks = WatchedTasks::new(watch_since(None), times);
    tasks.sync(vec![started(1, "")], true, at(2));
    assert_eq!(worth(&mut tasks, at(32)), 0.5);
    assert_eq!(worth(&mut tasks, at(62)), 1.0);
}
