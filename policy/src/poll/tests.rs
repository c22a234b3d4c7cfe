use seedance_archiver_proto::v1::VideoTask;

use super::*;
use crate::completions::{CompletionTimes, TaskKind};

const DAY: u64 = 24 * 60 * 60;
/// The defaults, in seconds.
const QUERY_WINDOW: u64 = 7 * DAY;
const MARGIN: u64 = 5 * 60;
const MIN_INTERVAL: u64 = 2;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

fn seen(status: &str, now: u64) -> TaskState<'_> {
    TaskState {
        last_seen: Some(LastSeen {
            created_at: Some(at(0)),
            expires_at: None,
            status,
            at: at(now),
        }),
        ..never_seen(now)
    }
}

fn never_seen(now: u64) -> TaskState<'static> {
    TaskState {
        last_seen: None,
        id_created_at: None,
        first_polled_at: at(0),
        now: at(now),
        expectation: None,
    }
}

fn after(state: TaskState, response: Response) -> NextPoll {
    next(
        &PollSchedule::default(),
        &Windows::default(),
        &state,
        response,
    )
}

fn error_with_retry_after(seconds: u64) -> Response {
    Response::Error {
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn not_found(since: u64) -> Response {
    Response::NotFound { since: at(since) }
}

fn poll_after(seconds: u64) -> NextPoll {
    NextPoll::After(Duration::from_secs(seconds))
}

fn never(reason: &'static str) -> NextPoll {
    NextPoll::Never(Some(reason))
}

#[test]
fn the_interval_is_a_tenth_of_the_age() {
    for (age, delay) in [(0, 2), (30, 3), (300, 30), (3_600, 60), (DAY, 60)] {
        let next = after(seen("running", age), Response::Unchanged);
        assert_eq!(next, poll_after(delay), "at {age} s");
    }
}

#[test]
fn retry_after_lengthens_the_interval() {
    assert_eq!(
        after(seen("running", 30), error_with_retry_after(120)),
        poll_after(120)
    );
    assert_eq!(
        after(seen("running", 300), error_with_retry_after(5)),
        poll_after(30)
    );
}

#[test]
fn polls_when_an_unfinished_task_expires() {
    let mut state = seen("running", 3_590);
    if let Some(seen) = &mut state.last_seen {
        seen.expires_at = Some(at(3_600));
    }
    assert_eq!(
        after(state, Response::Unchanged),
        poll_after(10 + MIN_INTERVAL)
    );
    state.now = at(3_700);
    assert_eq!(
        after(state, Response::Unchanged),
        poll_after(60),
        "the task outlived its expiry: back to the normal interval"
    );
}

#[test]
fn the_last_poll_is_inside_the_window() {
    let last = QUERY_WINDOW - MARGIN;
    assert_eq!(
        after(seen("running", last - 20), Response::Unchanged),
        poll_after(20)
    );
    assert_eq!(
        after(seen("running", last - 20), error_with_retry_after(DAY)),
        poll_after(20)
    );
    for now in [last, 8 * DAY] {
        let open = after(seen("running", now), Response::Unchanged);
        assert_eq!(open, never(QUERY_WINDOW_CLOSED));
        let no_url = after(seen("running", now), Response::NoUrl);
        assert_eq!(no_url, never(URL_EXPIRED));
    }
}

#[test]
fn a_poll_without_room_in_the_rate_limit_is_soon_tried_again() {
    let hourly = PollSchedule {
        min_interval: Duration::from_secs(60 * 60),
        ..PollSchedule::default()
    };
    let postponed = |schedule: PollSchedule, now| {
        let state = seen("running", now);
        next(&schedule, &Windows::default(), &state, Response::Postponed)
    };
    assert_eq!(postponed(hourly.clone(), 100), poll_after(30));
    assert_eq!(postponed(PollSchedule::default(), 100), poll_after(10));
    let closed = postponed(hourly, QUERY_WINDOW + 1);
    assert_eq!(closed, NextPoll::Never(None));
}

#[test]
fn a_last_poll_that_fails_is_repeated_while_the_window_is_open() {
    let mut state = seen("running", QUERY_WINDOW - MARGIN);
    let mut polls = 0;
    while let NextPoll::After(delay) = after(state, error_with_retry_after(DAY)) {
        state.now += delay;
        polls += 1;
        assert!(
            state.now < at(QUERY_WINDOW),
            "poll {polls} is outside the window"
        );
        assert!(polls < 20, "{polls} polls");
    }
    assert!(polls >= 5, "{polls} polls");
    let error_at = |now| after(seen("running", now), error_with_retry_after(0));
    assert_eq!(error_at(QUERY_WINDOW - 2), poll_after(1));
    assert_eq!(error_at(QUERY_WINDOW - 1), NextPoll::Never(None));
    assert_eq!(error_at(QUERY_WINDOW), NextPoll::Never(None));
}

#[test]
fn the_last_poll_is_made_however_soon_it_is_due() {
    let half = Duration::from_millis(500);
    let mut state = seen("running", QUERY_WINDOW - MARGIN);
    state.now -= half;
    assert_eq!(after(state, Response::Unchanged), NextPoll::After(half));
}

#[test]
fn a_poll_that_is_delayed_is_inside_the_window() {
    let delayed = |now, delay| {
        let delay = Duration::from_secs(delay);
        let delay = delayed(&Windows::default(), &seen("running", now), delay);
        delay.map(|delay| delay.as_secs())
    };
    let last = QUERY_WINDOW - MARGIN;
    assert_eq!(delayed(100, 30), Some(30));
    assert_eq!(delayed(last - 20, 30), Some(20));
    assert_eq!(delayed(last, 30), None);
}

#[test]
fn a_404_is_final_after_the_grace_period_if_no_record_was_ever_seen() {
    assert_eq!(after(never_seen(0), not_found(0)), poll_after(2));
    assert_eq!(after(never_seen(590), not_found(0)), poll_after(10));
    assert_eq!(after(never_seen(600), not_found(0)), never(TASK_NOT_FOUND));
    assert_eq!(
        after(never_seen(3_600), not_found(3_599)),
        poll_after(60),
        "one 404 is not final: the grace period starts with it"
    );
}

#[test]
fn a_task_older_than_the_window_is_not_reported_as_non_existent() {
    let mut state = never_seen(600);
    state.id_created_at = Some(at(0) - Duration::from_secs(QUERY_WINDOW));
    assert_eq!(after(state, not_found(0)), never(OUTSIDE_QUERY_WINDOW));
    state.id_created_at = Some(at(0) - Duration::from_secs(6 * DAY));
    assert_eq!(after(state, not_found(0)), never(TASK_NOT_FOUND));

    let mut state = seen("running", 8 * DAY);
    state.first_polled_at = at(8 * DAY);
    assert_eq!(
        after(state, Response::Unchanged),
        never(OUTSIDE_QUERY_WINDOW)
    );
}

#[test]
fn a_queued_task_was_cancelled_and_purged_if_it_vanished_after_the_retention() {
    let mut state = seen("queued", 1_000);
    let purged_at = 1_000 + DAY + DAY / 10;
    state.now = at(purged_at + 590);
    assert_eq!(after(state, not_found(purged_at)), poll_after(10));
    state.now = at(purged_at + 600);
    assert_eq!(
        after(state, not_found(purged_at)),
        never(CANCELLED_AND_PURGED)
    );
}

/// The record of a cancelled task is visible for a day, so the 404s have another cause.
#[test]
fn a_queued_task_that_vanished_at_once_is_polled_until_the_window_closes() {
    let mut state = seen("queued", 1_000);
    for now in [1_600, 1_000 + 2 * DAY, 6 * DAY] {
        state.now = at(now);
        assert_eq!(after(state, not_found(1_600)), poll_after(60), "{now}");
    }
    state.now = at(7 * DAY);
    assert_eq!(after(state, not_found(1_600)), never(RECORD_VANISHED));
}

/// The time of the last record may be too early by a tenth of the retention.
#[test]
fn a_queued_task_that_vanished_soon_after_the_retention_is_polled_until_the_window_closes() {
    let mut state = seen("queued", 1_000);
    state.now = at(3 * DAY);
    let vanished_at = 1_000 + DAY + DAY / 20;
    assert_eq!(after(state, not_found(vanished_at)), poll_after(60));
}

#[test]
fn retry_after_is_bounded_for_a_task_never_seen() {
    assert_eq!(
        after(never_seen(0), error_with_retry_after(DAY)),
        poll_after(600)
    );
}

#[test]
fn a_running_task_that_vanished_is_polled_until_the_window_closes() {
    let mut state = seen("running", 1_000);
    state.now = at(6 * DAY);
    assert_eq!(after(state, not_found(2_000)), poll_after(60));
    state.now = at(QUERY_WINDOW);
    assert_eq!(after(state, not_found(2_000)), never(RECORD_VANISHED));
}

/// Only a queued task can be cancelled.
#[test]
fn a_running_task_that_vanished_was_not_cancelled() {
    let mut state = seen("running", 1_000);
    state.now = at(4 * DAY);
    assert_eq!(after(state, not_found(3 * DAY)), poll_after(60));
}

#[test]
fn a_task_that_was_never_seen_is_not_found_when_the_window_closes() {
    let state = never_seen(QUERY_WINDOW);
    assert_eq!(
        after(state, not_found(QUERY_WINDOW - 10)),
        never(TASK_NOT_FOUND)
    );
}

#[test]
fn a_creation_time_in_the_future_counts_as_now() {
    let mut state = seen("queued", 10);
    if let Some(seen) = &mut state.last_seen {
        seen.created_at = Some(at(100));
    }
    assert_eq!(after(state, Response::Unchanged), poll_after(2));
}

#[test]
fn a_later_status_is_a_step_towards_the_end() {
    for (status, known) in [
        ("queued", ""),
        ("running", "queued"),
        // Some gateways report progress as the status; it counts as running.
        ("10%", "queued"),
        ("succeeded", "queued"),
        ("failed", "running"),
        ("expired", "10%"),
    ] {
        assert!(is_later_status(status, known), "{status} after {known}");
        assert!(!is_later_status(known, status), "{known} after {status}");
    }
    assert!(!is_later_status("11%", "10%"));
    assert!(!is_later_status("running", "running"));
}

#[test]
fn the_window_of_a_task_is_closed_only_if_its_creation_time_is_known() {
    let windows = Windows::default();
    let end = windows.query_window.as_secs();
    assert!(!seen("running", end - 1).is_window_closed(&windows));
    assert!(seen("running", end).is_window_closed(&windows));
    assert!(!never_seen(10 * end).is_window_closed(&windows));
}

/// The expectation after 60 tasks that took about this long.
fn expected_after(seconds: u64) -> Expectation {
    let mut times = CompletionTimes::default();
    let kind = TaskKind::of(&VideoTask::default());
    for index in 0..60 {
        times.observe(
            &kind,
            Duration::from_secs(seconds * (90 + index % 20) / 100),
        );
    }
    times.expectation(Some(&kind))
}

fn delay(state: TaskState, response: Response) -> u64 {
    match after(state, response) {
        NextPoll::After(delay) => delay.as_secs(),
        NextPoll::Never(reason) => panic!("{reason:?}"),
    }
}

#[test]
fn a_task_is_not_polled_before_it_is_likely_to_end() {
    let schedule = PollSchedule::default();
    assert_eq!(
        schedule.first_poll_after(None, Duration::ZERO),
        Duration::ZERO
    );
    for expected_at in [100, 900, 10_000] {
        let expectation = expected_after(expected_at);
        let first = schedule.first_poll_after(Some(&expectation), Duration::ZERO);
        assert!(
            first.as_secs() > expected_at / 4,
            "{first:?}, not {expected_at} s"
        );
        let late = Duration::from_secs(expected_at);
        assert_eq!(
            schedule.first_poll_after(Some(&expectation), late),
            Duration::ZERO
        );

        let mut state = seen("running", 1);
        state.expectation = Some(&expectation);
        let delay = delay(state, Response::Unchanged);
        assert!(
            (expected_at / 4..expected_at).contains(&delay),
            "{delay}, not {expected_at} s"
        );
    }
}

#[test]
fn the_maximum_interval_applies_while_a_task_is_likely_to_end() {
    let schedule = PollSchedule {
        max_interval: Duration::from_secs(5),
        ..PollSchedule::default()
    };
    let expectation = expected_after(300);
    let delay = |age| {
        let mut state = seen("running", age);
        state.expectation = Some(&expectation);
        next(&schedule, &Windows::default(), &state, Response::Unchanged)
    };
    assert_eq!(delay(300), poll_after(5));
    // Longer than expected.
    assert_eq!(delay(590), poll_after(5));
    // It grows with the age of a task that takes long.
    assert_eq!(delay(6_000), poll_after(50));
}

#[test]
fn an_expected_poll_is_inside_the_window_and_after_the_minimum_interval() {
    let expectation = expected_after(6 * DAY);
    let mut state = seen("running", QUERY_WINDOW - MARGIN - 1_000);
    state.expectation = Some(&expectation);
    assert_eq!(after(state, Response::Unchanged), poll_after(1_000));

    let expectation = expected_after(3);
    let mut state = seen("running", 3);
    state.expectation = Some(&expectation);
    assert_eq!(after(state, Response::Unchanged), poll_after(MIN_INTERVAL));
}

#[test]
fn after_an_error_a_task_is_polled_when_it_was_due_before() {
    let expectation = expected_after(100);
    let mut state = seen("running", 10);
    state.expectation = Some(&expectation);
    let due = 10 + delay(state, Response::Unchanged);
    state.now = at(20);
    let delay_after_error = delay(state, error_with_retry_after(0));
    assert_eq!(20 + delay_after_error, due);
    assert_eq!(delay(state, error_with_retry_after(120)), 120);
    state.now = at(due + 50);
    assert_eq!(delay(state, error_with_retry_after(0)), (due + 50) / 10);
}

#[test]
fn after_an_error_a_task_that_ended_is_polled_as_if_nothing_was_learned() {
    let expectation = expected_after(100);
    let mut state = seen("succeeded", 10);
    state.expectation = Some(&expectation);
    assert_eq!(after(state, error_with_retry_after(0)), poll_after(2));
}

#[test]
fn a_404_and_a_missing_url_do_not_wait_until_a_task_is_likely_to_end() {
    let expectation = expected_after(1_000);
    let mut state = seen("running", 100);
    state.expectation = Some(&expectation);
    assert_eq!(after(state, not_found(90)), poll_after(10));
    assert_eq!(after(state, Response::NoUrl), poll_after(10));
}

#[test]
fn a_poll_is_worth_one_from_when_the_task_would_be_polled_alone() {
    let seconds = Duration::from_secs;
    let schedule = PollSchedule::default();
    let worth = |expectation: &Expectation, looked_at: Option<u64>, now| {
        schedule.worth(expectation, looked_at.map(seconds), seconds(now))
    };
    let uninformed = Expectation::default();
    assert_eq!(worth(&uninformed, None, 0), 1.0, "polled at once");
    assert_eq!(worth(&uninformed, Some(100), 101), 0.0, "just polled");
    assert_eq!(worth(&uninformed, Some(100), 102), 0.2);
    assert_eq!(worth(&uninformed, Some(100), 105), 0.5);
    assert_eq!(
        worth(&uninformed, Some(3_600), 3_660),
        1.0,
        "the maximum interval"
    );

    let mut times = CompletionTimes::default();
    for after in 80..120 {
        times.observe(&TaskKind::of(&VideoTask::default()), seconds(after));
    }
    let informed = times.expectation(None);
    assert!(worth(&informed, None, 5) < 0.1, "it has hardly ended yet");
    assert!(worth(&informed, None, 100) >= 1.0);
    assert!(worth(&informed, Some(95), 105) > worth(&informed, Some(20), 30));
    assert!(worth(&informed, Some(20), 30) < 1.0);
    let next = informed.next_poll(Some(seconds(100)));
    assert!(schedule.worth(&informed, Some(seconds(100)), next) >= 1.0);
}

#[test]
fn a_poll_is_worth_one_from_when_the_maximum_interval_has_passed() {
    let schedule = PollSchedule {
        max_interval: Duration::from_secs(5),
        ..PollSchedule::default()
    };
    let expectation = expected_after(3_000);
    let worth = |now| {
        let looked_at = Some(Duration::from_secs(3_000));
        schedule.worth(&expectation, looked_at, Duration::from_secs(now))
    };
    // Five seconds, five times as many because the task takes 50 minutes.
    assert!(worth(3_024) < 1.0, "{}", worth(3_024));
    assert_eq!(worth(3_025), 1.0);
}
