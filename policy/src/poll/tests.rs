use super::*;

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

fn seen(status: &str, now: u64) -> Knowledge<'_> {
    Knowledge {
        last_seen: Some(LastSeen {
            created_at: Some(at(0)),
            expires_at: None,
            status,
            at: at(now),
        }),
        ..never_seen(now)
    }
}

fn never_seen(now: u64) -> Knowledge<'static> {
    Knowledge {
        last_seen: None,
        id_created_at: None,
        first_polled_at: at(0),
        now: at(now),
    }
}

fn after(known: Knowledge, response: Response) -> NextPoll {
    next(
        &PollSchedule::default(),
        &Windows::default(),
        &known,
        response,
    )
}

fn error(seconds: u64) -> Response {
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
    assert_eq!(after(seen("running", 30), error(120)), poll_after(120));
    assert_eq!(after(seen("running", 300), error(5)), poll_after(30));
}

#[test]
fn polls_when_an_unfinished_task_expires() {
    let mut known = seen("running", 3_590);
    if let Some(seen) = &mut known.last_seen {
        seen.expires_at = Some(at(3_600));
    }
    assert_eq!(after(known, Response::Unchanged), poll_after(10 + 2));
    known.now = at(3_700);
    assert_eq!(
        after(known, Response::Unchanged),
        poll_after(60),
        "the task should have expired, and has not"
    );
}

#[test]
fn the_last_poll_is_inside_the_window() {
    let last = 7 * DAY - 300;
    assert_eq!(
        after(seen("running", last - 20), Response::Unchanged),
        poll_after(20)
    );
    assert_eq!(
        after(seen("running", last - 20), error(DAY)),
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
fn a_last_poll_that_fails_is_repeated_while_the_window_is_open() {
    let mut known = seen("running", 7 * DAY - 300);
    let mut polls = 0;
    while let NextPoll::After(delay) = after(known, error(DAY)) {
        known.now += delay;
        polls += 1;
        assert!(
            known.now < at(7 * DAY),
            "poll {polls} is outside the window"
        );
    }
    assert!((5..20).contains(&polls), "{polls} polls");
    assert_eq!(
        after(seen("running", 7 * DAY), error(0)),
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
        "the first 404"
    );
}

#[test]
fn a_task_older_than_the_window_is_not_reported_as_non_existent() {
    let mut known = never_seen(600);
    known.id_created_at = Some(at(0) - Duration::from_secs(7 * DAY));
    assert_eq!(after(known, not_found(0)), never(OUTSIDE_QUERY_WINDOW));
    known.id_created_at = Some(at(0) - Duration::from_secs(6 * DAY));
    assert_eq!(after(known, not_found(0)), never(TASK_NOT_FOUND));

    let mut known = seen("running", 8 * DAY);
    known.first_polled_at = at(8 * DAY);
    assert_eq!(
        after(known, Response::Unchanged),
        never(OUTSIDE_QUERY_WINDOW)
    );
}

#[test]
fn a_queued_task_that_vanished_was_cancelled_and_purged() {
    let mut known = seen("queued", 1_000);
    known.now = at(1_000 + DAY - 20);
    assert_eq!(after(known, not_found(2_000)), poll_after(20));
    known.now = at(1_000 + DAY);
    assert_eq!(after(known, not_found(2_000)), never(CANCELLED_AND_PURGED));
    let just_now = not_found(1_000 + DAY - 10);
    assert_eq!(
        after(known, just_now),
        poll_after(60),
        "the first 404 in a long time"
    );
}

#[test]
fn retry_after_is_bounded_for_a_task_never_seen() {
    assert_eq!(after(never_seen(0), error(DAY)), poll_after(600));
}

#[test]
fn a_running_task_that_vanished_is_polled_until_the_window_closes() {
    let mut known = seen("running", 1_000);
    known.now = at(6 * DAY);
    assert_eq!(after(known, not_found(2_000)), poll_after(60));
    known.now = at(7 * DAY);
    assert_eq!(after(known, not_found(2_000)), never(RECORD_VANISHED));
}

#[test]
fn a_creation_time_in_the_future_counts_as_now() {
    let mut known = seen("queued", 10);
    if let Some(seen) = &mut known.last_seen {
        seen.created_at = Some(at(100));
    }
    assert_eq!(after(known, Response::Unchanged), poll_after(2));
}

#[test]
fn only_a_step_forward_is_later_status() {
    for (status, known) in [
        ("queued", ""),
        ("running", "queued"),
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
