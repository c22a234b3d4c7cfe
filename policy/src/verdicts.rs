//! Verdicts with which `QueryVideoTask` stops polling, because the record of a task can no longer be queried.

use seedance_archiver_proto::{
    names::failure,
    reason::{CANCELLED_AND_PURGED, OUTSIDE_QUERY_WINDOW, RECORD_VANISHED, TASK_NOT_FOUND},
};

/// Returns the type of the failure that reports a verdict with this reason.
pub fn failure_type(reason: &str) -> &'static str {
    match reason {
        TASK_NOT_FOUND | CANCELLED_AND_PURGED => failure::TASK_NOT_FOUND,
        _ => failure::QUERY_WINDOW_CLOSED,
    }
}

/// Explains a verdict with this reason. `account` and `base_url` say where the task was queried.
pub fn explanation(reason: &str, account: &str, base_url: &str) -> String {
    match reason {
        TASK_NOT_FOUND => format!(
            "task not found by account `{account}` at {base_url}; it may belong to another account or region"
        ),
        OUTSIDE_QUERY_WINDOW => {
            "by the time in its id, the task was outside the query window at the first poll".into()
        }
        CANCELLED_AND_PURGED => {
            "task was cancelled: it was last seen queued, and its record no longer exists".into()
        }
        RECORD_VANISHED => "task not found, although it had started".into(),
        _ => "query window closed".into(),
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_proto::reason::QUERY_WINDOW_CLOSED;

    use super::*;

    #[test]
    fn only_a_task_that_does_not_exist_is_not_found() {
        assert_eq!(failure_type(TASK_NOT_FOUND), "TaskNotFound");
        assert_eq!(failure_type(CANCELLED_AND_PURGED), "TaskNotFound");
        for reason in [
            RECORD_VANISHED,
            OUTSIDE_QUERY_WINDOW,
            QUERY_WINDOW_CLOSED,
            "unauthorized",
        ] {
            assert_eq!(failure_type(reason), "QueryWindowClosed", "{reason}");
        }
    }

    #[test]
    fn a_task_that_is_not_found_is_explained_by_its_account() {
        assert_eq!(
            explanation(TASK_NOT_FOUND, "eu", "https://ark.example/api/v3"),
            "task not found by account `eu` at https://ark.example/api/v3; it may belong to another account or \
             region"
        );
    }

    #[test]
    fn each_verdict_is_explained() {
        for (reason, expected) in [
            (
                OUTSIDE_QUERY_WINDOW,
                "outside the query window at the first poll",
            ),
            (CANCELLED_AND_PURGED, "task was cancelled"),
            (RECORD_VANISHED, "task not found, although it had started"),
            (QUERY_WINDOW_CLOSED, "query window closed"),
        ] {
            let explanation = explanation(reason, "eu", "https://ark.example/api/v3");
            assert!(explanation.contains(expected), "{reason}: {explanation}");
        }
    }
}
