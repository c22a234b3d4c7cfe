mod expectations;
mod vanished;

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
fn every_delay_leaves_half_of_the_lifetime_of_a_url() {
    let windows = Windows {
        url_lifetime: Duration::from_secs(DAY),
        ..Windows::default()
    };
    let schedule = PollSchedule {
        max_interval: Duration::from_secs(3 * DAY),
        ..PollSchedule::default()
    };
    let after = |age, response| next(&schedule, &windows, &seen("running", age), response);
    assert_eq!(after(300, error_with_retry_after(DAY)), poll_after(DAY / 2));
    assert_eq!(
        after(300, error_with_retry_after(DAY / 4)),
        poll_after(DAY / 4)
    );
    assert_eq!(
        after(4 * DAY, Response::Unchanged),
        poll_after(4 * DAY / 10)
    );
    assert_eq!(after(6 * DAY, Response::Unchanged), poll_after(DAY / 2));
    // The minimum interval is longer.
    let windows = Windows {
        url_lifetime: Duration::from_secs(1),
        ..Windows::default()
    };
    let next = next(
        &schedule,
        &windows,
        &seen("running", 0),
        Response::Unchanged,
    );
    assert_eq!(next, poll_after(2));
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
    for response in [
        Response::Unchanged,
        Response::Postponed,
        error_with_retry_after(0),
    ] {
        assert_eq!(after(state, response), NextPoll::After(half));
    }
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
