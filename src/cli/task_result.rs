//! The result of a task's lifecycle.

use seedance_archiver_proto::v1::VideoTaskLifecycleResult;

use crate::temporal::lifecycles::{Cost, LifecycleError};

/// The result of a lifecycle and, if known, what it cost.
pub(super) type LifecycleResult = Result<(VideoTaskLifecycleResult, Option<Cost>), LifecycleError>;

/// A task whose lifecycle ended or could not be started.
pub(super) struct TaskResult {
    pub(super) task_id: String,
    pub(super) result: LifecycleResult,
}
