use seedance_archiver_proto::v1::{QueryProgress, QueryVideoTaskRequest, VideoTask};

use super::*;
use crate::{
    completions::{CompletionTimes, TaskKind},
    poll::Wait,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// When the first attempt was scheduled, in Unix seconds.
const START: u64 = 1_790_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(START + seconds)
}

/// What the caller and the attempts so far know, and the time.
#[derive(Clone)]
struct Attempt {
    request: QueryVideoTaskRequest,
    progress: QueryProgress,
    last_polled_at: Option<SystemTime>,
    id_created_at: Option<SystemTime>,
    windows: Windows,
    expectation: Expectation,
    is_watched: bool,
    now: SystemTime,
}

/// Returns the first attempt for a task that nobody has seen.
fn unseen() -> Attempt {
    Attempt {
        request: QueryVideoTaskRequest {
            known_status: "queued".into(),
            ..QueryVideoTaskRequest::default()
        },
        progress: QueryProgress::default(),
        last_polled_at: None,
        id_created_at: None,
        windows: Windows::default(),
        expectation: Expectation::default(),
        is_watched: false,
        now: at(0),
    }
}

/// Returns the first attempt for a task that the caller saw running, this many seconds after its creation.
fn seen(age: u64) -> Attempt {
    let request = QueryVideoTaskRequest {
        known_status: "running".into(),
        known_created_at: (START - age) as i64,
        was_seen: true,
        ..QueryVideoTaskRequest::default()
    };
    Attempt {
        request,
        ..unseen()
    }
}

impl Attempt {
    fn timing<T>(&self, of: impl FnOnce(&PollTiming) -> T) -> T {
        let wait = Wait {
            request: &self.request,
            scheduled_at: at(0),
            first_polled_at: None,
            last_polled_at: self.last_polled_at,
            id_created_at: self.id_created_at,
        };
        let progress = PollProgress::new(wait, self.progress.clone());
        of(&PollTiming {
            schedule: &PollSchedule::default(),
            windows: &self.windows,
            progress: &progress,
            expectation: &self.expectation,
            is_watched: self.is_watched,
            now: self.now,
        })
    }

    /// Returns the delay of the poll in seconds.
    fn not_due(&self, attempt: u32) -> Option<u64> {
        let delay = self.timing(|timing| timing.not_due(attempt));
        delay.map(|delay| delay.as_secs())
    }
}

#[test]
fn a_caller_that_received_a_record_waits_for_the_next_poll() {
    let attempt = Attempt {
        last_polled_at: Some(at(0)),
        now: at(4),
        ..seen(100)
    };
    assert_eq!(attempt.not_due(1), Some(6), "a tenth of the age");
    assert_eq!(attempt.not_due(2), None, "the server has waited");
    let due = Attempt {
        now: at(10),
        ..attempt.clone()
    };
    assert_eq!(due.not_due(1), None);
    let mut without_status = attempt;
    without_status.request.known_status.clear();
    assert_eq!(without_status.not_due(1), None, "it wants the record");
}

#[test]
fn a_nudged_lifecycle_polls_once_without_waiting() {
    let mut attempt = Attempt {
        is_watched: true,
        ..seen(1_000)
    };
    attempt.request.poll_now = true;
    assert_eq!(attempt.not_due(1), None);
    assert_eq!(attempt.not_due(2), None);
    attempt.progress = QueryProgress {
        task: Some(VideoTask {
            status: "running".into(),
            created_at: (START - 1_000) as i64,
            ..VideoTask::default()
        }),
        seen_at: START as i64,
        ..QueryProgress::default()
    };
    assert_eq!(attempt.not_due(2), Some(5_000), "it was answered");
}

#[test]
fn a_watched_task_is_rarely_polled_by_its_own_lifecycle() {
    let watched = |attempt: Attempt| Attempt {
        is_watched: true,
        ..attempt
    };
    let new = watched(unseen());
    assert_eq!(new.not_due(1), Some(90), "the watcher has to find it");
    let second = Attempt { now: at(90), ..new };
    assert_eq!(second.not_due(2), Some(510));

    let known = watched(seen(1_000));
    assert_eq!(known.not_due(1), Some(5_000));
    let polled = Attempt {
        last_polled_at: Some(at(0) - Duration::from_secs(100)),
        ..known.clone()
    };
    assert_eq!(polled.not_due(1), Some(5 * 900 - 100));
    let due = Attempt {
        last_polled_at: Some(at(0)),
        now: at(5_000),
        ..known
    };
    assert_eq!(due.not_due(2), None);
}

/// The lifecycle itself has to find out what the error means.
#[test]
fn after_an_error_a_watched_task_is_polled_by_its_own_lifecycle() {
    let not_found = QueryProgress {
        not_found_since: START as i64,
        ..QueryProgress::default()
    };
    let failed = QueryProgress {
        last_error: "Unauthorized".into(),
        ..QueryProgress::default()
    };
    for progress in [not_found, failed] {
        let attempt = Attempt {
            progress,
            is_watched: true,
            ..seen(1_000)
        };
        assert_eq!(attempt.not_due(2), None);
    }
}

/// Returns the expectation after 60 tasks that took about this long.
fn expected_after(seconds: u64) -> Expectation {
    let kind = TaskKind::of(&VideoTask::default());
    let mut times = CompletionTimes::default();
    for index in 0..60 {
        let after = seconds * (90 + index % 20) / 100;
        times.observe(&kind, Duration::from_secs(after));
    }
    times.expectation(None)
}

#[test]
fn the_first_poll_of_a_task_waits_for_a_minute_at_most() {
    let first = |expectation: &Expectation, id_created_at| {
        let attempt = Attempt {
            expectation: expectation.clone(),
            id_created_at,
            ..unseen()
        };
        attempt.not_due(1)
    };
    let long = expected_after(10_000);
    assert_eq!(first(&long, Some(at(0))), Some(60));
    assert_eq!(first(&long, None), None, "it may have ended");
    let short = expected_after(40);
    let delay = first(&short, Some(at(0)));
    assert!(delay.is_some_and(|it| (15..40).contains(&it)), "{delay:?}");
    let minute_ago = at(0) - Duration::from_secs(MINUTE);
    assert_eq!(first(&short, Some(minute_ago)), None);
    assert_eq!(first(&Expectation::default(), Some(at(0))), None);
}

#[test]
fn an_unchanged_task_is_polled_later_while_it_is_watched() {
    let next = |attempt: &Attempt| {
        let delay = Duration::from_secs(10);
        let delay = attempt.timing(|timing| timing.backstop_or(delay));
        delay.as_secs()
    };
    let attempt = seen(1_000);
    assert_eq!(next(&attempt), 10);
    let mut watched = Attempt {
        is_watched: true,
        ..attempt
    };
    assert_eq!(next(&watched), 5_000);
    watched.windows.url_lifetime = Duration::from_secs(HOUR);
    assert_eq!(next(&watched), HOUR / 2, "half of the life of the URL");
    let last = Attempt {
        is_watched: true,
        ..seen(7 * DAY - MINUTE)
    };
    assert_eq!(next(&last), 10, "the query window closes");
}

#[test]
fn a_window_that_closed_before_the_attempt_was_missed() {
    let missed_window = |attempt: Attempt| attempt.timing(|timing| timing.missed_window());
    assert!(!missed_window(seen(7 * DAY - 1)));
    assert!(missed_window(seen(7 * DAY)));
    let late = Attempt {
        now: at(8 * DAY),
        ..unseen()
    };
    assert!(!missed_window(late), "it may be younger");
}

/// Workers were down from the start of a lifecycle until its estimated window had closed.
#[test]
fn an_estimated_window_does_not_limit_the_wait_for_the_rate_limit() {
    let until_closed = |attempt: Attempt| {
        let late = Attempt {
            now: at(167 * HOUR),
            ..attempt
        };
        late.timing(|timing| timing.until_closed())
    };
    assert_eq!(until_closed(unseen()), Duration::MAX);
    assert_eq!(until_closed(seen(0)), Duration::from_secs(HOUR));
}

#[test]
fn a_task_whose_window_closes_soon_does_not_wait_for_the_watcher() {
    let not_due_at_age = |age: u64, attempt| {
        let watched = Attempt {
            id_created_at: Some(at(0) - Duration::from_secs(age)),
            is_watched: true,
            ..unseen()
        };
        watched.not_due(attempt)
    };
    for attempt in 1..4 {
        for minutes in [1, 59] {
            let age = 168 * HOUR - minutes * MINUTE;
            assert_eq!(not_due_at_age(age, attempt), None, "{minutes} minutes left");
        }
        assert_eq!(not_due_at_age(170 * HOUR, attempt), None, "closed");
        assert!(not_due_at_age(167 * HOUR, attempt).is_some());
    }
}
