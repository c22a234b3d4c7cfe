//! Tasks of which the API has no record.

use super::*;

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

    // Nothing but errors until the window had closed: the first 404 says only that.
    let mut state = never_seen(DAY + 600);
    state.id_created_at = Some(at(0) - Duration::from_secs(6 * DAY));
    assert_eq!(after(state, not_found(DAY)), never(QUERY_WINDOW_CLOSED));
    assert_eq!(after(state, not_found(DAY - 1)), never(TASK_NOT_FOUND));

    let mut state = seen("running", 8 * DAY);
    state.first_polled_at = at(8 * DAY);
    assert_eq!(
        after(state, Response::Unchanged),
        never(OUTSIDE_QUERY_WINDOW)
    );
}

#[test]
fn a_task_without_a_creation_time_is_not_polled_long_after_the_window_of_its_id() {
    let mut state = seen("running", DAY + 600);
    if let Some(seen) = &mut state.last_seen {
        seen.created_at = None;
    }
    assert_eq!(after(state, not_found(DAY)), poll_after(60));
    state.id_created_at = Some(at(0) - Duration::from_secs(6 * DAY));
    assert_eq!(after(state, not_found(DAY)), never(QUERY_WINDOW_CLOSED));
    assert_eq!(after(state, not_found(DAY + 590)), poll_after(60));
    assert_eq!(after(state, not_found(DAY - 1)), poll_after(60));
    assert_eq!(after(state, Response::Unchanged), poll_after(60));
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
    let mut state = never_seen(QUERY_WINDOW);
    state.id_created_at = Some(at(0) - Duration::from_secs(60));
    assert_eq!(
        after(state, not_found(QUERY_WINDOW - 10)),
        never(QUERY_WINDOW_CLOSED)
    );
}
