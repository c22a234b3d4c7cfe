//! Until when a final video can be made from a draft.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use seedance_archiver_policy::drafts;
//! use seedance_archiver_proto::v1::VideoTask;
//!
//! let draft = VideoTask {
//!     status: "succeeded".into(),
//!     draft: Some(true),
//!     created_at: 1_787_869_631,
//!     ..VideoTask::default()
//! };
//! let created_at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_787_869_631);
//! assert_eq!(drafts::deadline(&draft), Some(created_at + drafts::LIFETIME));
//! ```

use std::time::{Duration, SystemTime};

use seedance_archiver_proto::{status, time::from_unix_seconds, v1::VideoTask};

/// How long after its creation the id of a draft can be used to create a final video. It does not depend on whether the
/// draft is archived, nor on how long its URL works.
pub const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Returns until when a final video can be made from a task. `None` if it is not a draft that succeeded, or its record
/// does not say when it was created.
///
/// The result depends on the record alone, so a workflow that computes it can be replayed.
pub fn deadline(task: &VideoTask) -> Option<SystemTime> {
    if !task.draft() || task.status != status::SUCCEEDED {
        return None;
    }
    from_unix_seconds(task.created_at)?.checked_add(LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn task() -> VideoTask {
        VideoTask {
            status: status::SUCCEEDED.into(),
            draft: Some(true),
            created_at: 1_000,
            updated_at: 5_000,
            ..VideoTask::default()
        }
    }

    #[test]
    fn a_draft_serves_for_seven_days_from_its_creation() {
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 + 7 * DAY);
        assert_eq!(deadline(&task()), Some(expected));
    }

    #[test]
    fn only_a_draft_that_succeeded_becomes_a_final() {
        for status in ["queued", "running", "failed", "cancelled", "expired", ""] {
            let status = status.to_owned();
            assert_eq!(deadline(&VideoTask { status, ..task() }), None);
        }
        for draft in [None, Some(false)] {
            assert_eq!(deadline(&VideoTask { draft, ..task() }), None);
        }
        let of_draft = VideoTask {
            draft: None,
            draft_task_id: "cgt-1".into(),
            ..task()
        };
        assert_eq!(deadline(&of_draft), None, "a final is not a draft");
    }

    #[test]
    fn a_record_without_a_valid_time_has_no_deadline() {
        for created_at in [0, -1, i64::MAX] {
            let deadline = deadline(&VideoTask {
                created_at,
                ..task()
            });
            assert_eq!(deadline, None, "{created_at}");
        }
    }
}
