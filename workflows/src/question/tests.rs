use super::*;

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

fn seen(status: &str, now: u64) -> Known<'_> {
    Known {
        seen: Some(Seen {
            created_at: Some(at(0)),
            expires_at: None,
            status,
            at: at(now),
        }),
        ..never_seen(now)
    }
}

fn never_seen(now: u64) -> Known<'static> {
    Known {
        seen: None,
        id_time: None,
        first_asked: at(0),
        now: at(now),
    }
}

fn after(known: Known, answer: Answer) -> Next {
    next(&Pace::default(), &Windows::default(), &known, answer)
}

fn fault(seconds: u64) -> Answer {
    Answer::Fault {
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn not_found(since: u64) -> Answer {
    Answer::NotFound { since: at(since) }
}

fn ask_again(seconds: u64) -> Next {
    Next::AskAgain(Duration::from_secs(seconds))
}

fn settled(reason: &'static str) -> Next {
    Next::Settled(Some(reason))
}

#[test]
fn paces_questions_by_the_age_of_the_task() {
    for (age, delay) in [(0, 2), (30, 3), (300, 30), (3_600, 60), (DAY, 60)] {
        let next = after(seen("running", age), Answer::NoNews);
        assert_eq!(next, ask_again(delay), "at {age} s");
    }
}

#[test]
fn waits_as_long_as_the_service_asks() {
    assert_eq!(after(seen("running", 30), fault(120)), ask_again(120));
    assert_eq!(after(seen("running", 300), fault(5)), ask_again(30));
}

#[test]
fn asks_when_an_open_task_expires() {
    let mut known = seen("running", 3_590);
    if let Some(seen) = &mut known.seen {
        seen.expires_at = Some(at(3_600));
    }
    assert_eq!(after(known, Answer::NoNews), ask_again(10 + 2));
    known.now = at(3_700);
    assert_eq!(
        after(known, Answer::NoNews),
        ask_again(60),
        "it was due, and did not"
    );
}

#[test]
fn asks_the_last_question_inside_the_window() {
    let last = 7 * DAY - 300;
    assert_eq!(
        after(seen("running", last - 20), Answer::NoNews),
        ask_again(20)
    );
    assert_eq!(after(seen("running", last - 20), fault(DAY)), ask_again(20));
    for now in [last, 8 * DAY] {
        let open = after(seen("running", now), Answer::NoNews);
        assert_eq!(open, settled(QUERY_WINDOW_CLOSED));
        let no_url = after(seen("running", now), Answer::NoUrl);
        assert_eq!(no_url, settled(URL_EXPIRED));
    }
}

#[test]
fn repeats_a_last_question_that_failed_while_the_window_is_open() {
    let mut known = seen("running", 7 * DAY - 300);
    let mut questions = 0;
    while let Next::AskAgain(delay) = after(known, fault(DAY)) {
        known.now += delay;
        questions += 1;
        assert!(
            known.now < at(7 * DAY),
            "question {questions} is outside the window"
        );
    }
    assert!((5..20).contains(&questions), "{questions} questions");
    assert_eq!(
        after(seen("running", 7 * DAY), fault(0)),
        Next::Settled(None)
    );
}

#[test]
fn believes_a_404_after_the_grace_where_no_record_was_ever_seen() {
    assert_eq!(after(never_seen(0), not_found(0)), ask_again(2));
    assert_eq!(after(never_seen(590), not_found(0)), ask_again(10));
    assert_eq!(
        after(never_seen(600), not_found(0)),
        settled(TASK_NOT_FOUND)
    );
    assert_eq!(
        after(never_seen(3_600), not_found(3_599)),
        ask_again(60),
        "the first 404"
    );
}

#[test]
fn a_task_older_than_the_window_is_told_from_one_that_does_not_exist() {
    let mut known = never_seen(600);
    known.id_time = Some(at(0) - Duration::from_secs(7 * DAY));
    assert_eq!(after(known, not_found(0)), settled(OUTSIDE_QUERY_WINDOW));
    known.id_time = Some(at(0) - Duration::from_secs(6 * DAY));
    assert_eq!(after(known, not_found(0)), settled(TASK_NOT_FOUND));

    let mut known = seen("running", 8 * DAY);
    known.first_asked = at(8 * DAY);
    assert_eq!(after(known, Answer::NoNews), settled(OUTSIDE_QUERY_WINDOW));
}

#[test]
fn a_queued_task_that_is_gone_for_long_was_cancelled() {
    let mut known = seen("queued", 1_000);
    known.now = at(1_000 + DAY - 20);
    assert_eq!(after(known, not_found(2_000)), ask_again(20));
    known.now = at(1_000 + DAY);
    assert_eq!(
        after(known, not_found(2_000)),
        settled(CANCELLED_AND_PURGED)
    );
    let just_now = not_found(1_000 + DAY - 10);
    assert_eq!(
        after(known, just_now),
        ask_again(60),
        "the first 404 in a long time"
    );
}

#[test]
fn a_task_never_seen_is_not_left_alone_for_as_long_as_the_service_asks() {
    assert_eq!(after(never_seen(0), fault(DAY)), ask_again(600));
}

#[test]
fn a_started_task_that_is_gone_is_asked_about_to_the_windows_end() {
    let mut known = seen("running", 1_000);
    known.now = at(6 * DAY);
    assert_eq!(after(known, not_found(2_000)), ask_again(60));
    known.now = at(7 * DAY);
    assert_eq!(after(known, not_found(2_000)), settled(RECORD_VANISHED));
}

#[test]
fn a_task_from_the_future_counts_as_new() {
    let mut known = seen("queued", 10);
    if let Some(seen) = &mut known.seen {
        seen.created_at = Some(at(100));
    }
    assert_eq!(after(known, Answer::NoNews), ask_again(2));
}

#[test]
fn only_a_step_forward_is_news() {
    for (status, known) in [
        ("queued", ""),
        ("running", "queued"),
        ("10%", "queued"),
        ("succeeded", "queued"),
        ("failed", "running"),
        ("expired", "10%"),
    ] {
        assert!(is_news(status, known), "{status} after {known}");
        assert!(!is_news(known, status), "{known} after {status}");
    }
    assert!(!is_news("11%", "10%"));
    assert!(!is_news("running", "running"));
}
