//! Polls of tasks whose completion time is expected.

use seedance_archiver_proto::v1::VideoTask;

use super::*;
use crate::completions::{CompletionTimes, TaskKind};

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
