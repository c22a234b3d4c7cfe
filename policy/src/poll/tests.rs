use super::*;

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
    }
    assert!((5..20).contains(&polls), "{polls} polls");
    assert_eq!(
        after(seen("running", QUERY_WINDOW), error_with_retry_after(0)),
        NextPoll::Never(None)
    );
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
