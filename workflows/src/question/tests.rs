use super::*;

const DAY: u64 = 24 * 60 * 60;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

fn seen(now: u64) -> Known {
    Known {
        created_at: Some(at(0)),
        first_asked: at(0),
        now: at(now),
    }
}

fn never_seen(now: u64) -> Known {
    Known {
        created_at: None,
        first_asked: at(0),
        now: at(now),
    }
}

fn ask_again(seconds: u64) -> Next {
    Next::AskAgain(Duration::from_secs(seconds))
}

#[test]
fn paces_questions_by_the_age_of_the_task() {
    let pace = Pace::default();
    for (age, delay) in [(0, 2), (30, 3), (300, 30), (3_600, 60), (DAY, 60)] {
        assert_eq!(
            pace.after_no_news(seen(age)),
            ask_again(delay),
            "at {age} s"
        );
    }
}

#[test]
fn waits_as_long_as_the_service_asks() {
    let after =
        |age, seconds| Pace::default().after_error(seen(age), Some(Duration::from_secs(seconds)));
    assert_eq!(after(30, 120), ask_again(120));
    assert_eq!(after(300, 5), ask_again(30));
}

#[test]
fn asks_the_last_question_inside_the_window() {
    let pace = Pace::default();
    let last = 7 * DAY - 300;
    assert_eq!(pace.after_no_news(seen(last - 20)), ask_again(20));
    let retry_after = Some(Duration::from_secs(DAY));
    assert_eq!(
        pace.after_error(seen(last - 20), retry_after),
        ask_again(20)
    );
    assert_eq!(pace.after_no_news(seen(last)), Next::WindowClosed);
    assert_eq!(pace.after_no_news(seen(8 * DAY)), Next::WindowClosed);
}

#[test]
fn repeats_a_last_question_that_failed_while_the_window_is_open() {
    let pace = Pace::default();
    let mut age = Duration::from_secs(7 * DAY - 300);
    let mut questions = 0;
    let known = |age| Known {
        now: at(0) + age,
        ..seen(0)
    };
    while let Next::AskAgain(delay) = pace.after_error(known(age), Some(Duration::from_secs(DAY))) {
        age += delay;
        questions += 1;
        assert!(
            age < pace.query_window,
            "question {questions} is outside the window"
        );
    }
    assert!((5..20).contains(&questions), "{questions} questions");
    assert_eq!(pace.after_error(seen(7 * DAY), None), Next::WindowClosed);
}

#[test]
fn believes_a_404_only_after_the_grace_and_only_for_a_task_never_seen() {
    let pace = Pace::default();
    let not_found = |known, since| pace.after_not_found(known, at(since));
    assert_eq!(not_found(never_seen(0), 0), ask_again(2));
    assert_eq!(not_found(never_seen(590), 0), ask_again(10));
    assert_eq!(not_found(never_seen(600), 0), Next::TaskNotFound);
    assert_eq!(
        not_found(never_seen(3_600), 3_599),
        ask_again(60),
        "the first 404"
    );
    assert_eq!(not_found(seen(3_600), 0), ask_again(60));
    assert_eq!(not_found(seen(7 * DAY), 0), Next::WindowClosed);
}

#[test]
fn a_task_from_the_future_counts_as_new() {
    let known = Known {
        created_at: Some(at(100)),
        first_asked: at(0),
        now: at(10),
    };
    assert_eq!(Pace::default().after_no_news(known), ask_again(2));
}

#[test]
fn a_late_answer_is_no_news() {
    let known = ("running", 200);
    assert!(is_news(("queued", 100), ("", 0)));
    assert!(is_news(("succeeded", 300), known));
    assert!(is_news(("processing", 200), known));
    assert!(is_news(("processing", 0), known), "it has no time");
    assert!(
        is_news(("succeeded", 100), known),
        "nothing follows an ending"
    );
    assert!(!is_news(("running", 300), known));
    assert!(!is_news(("queued", 100), known));
}
