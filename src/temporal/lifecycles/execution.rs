//! The status of a workflow execution.

use serde::Serialize;
use temporalio_client::WorkflowExecutionStatus;

/// The status of a workflow execution, by Temporal's names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, strum::Display, strum::IntoStaticStr)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "lowercase")]
pub enum ExecutionStatus {
    /// Running.
    Running,
    /// Paused by an operator.
    Paused,
    /// Closed with a result.
    Completed,
    /// Closed with a failure.
    Failed,
    /// Cancelled.
    Cancelled,
    /// Terminated.
    Terminated,
    /// Exceeded a timeout.
    #[strum(serialize = "timed out")]
    TimedOut,
    /// Continued in another run.
    #[strum(serialize = "continued as new")]
    ContinuedAsNew,
    /// A status that this version does not know.
    Unknown,
}

impl ExecutionStatus {
    /// Returns whether the lifecycle is still open, in this run or in the one that continues it.
    pub fn is_open(self) -> bool {
        !self.is_finished() && !self.is_stopped()
    }

    /// Returns whether the workflow closed by itself, with a result or a failure.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }

    /// Returns whether the workflow was cancelled, terminated or timed out.
    pub fn is_stopped(self) -> bool {
        matches!(self, Self::Cancelled | Self::Terminated | Self::TimedOut)
    }
}

impl From<WorkflowExecutionStatus> for ExecutionStatus {
    fn from(status: WorkflowExecutionStatus) -> Self {
        match status {
            WorkflowExecutionStatus::Running => Self::Running,
            WorkflowExecutionStatus::Paused => Self::Paused,
            WorkflowExecutionStatus::Completed => Self::Completed,
            WorkflowExecutionStatus::Failed => Self::Failed,
            WorkflowExecutionStatus::Canceled => Self::Cancelled,
            WorkflowExecutionStatus::Terminated => Self::Terminated,
            WorkflowExecutionStatus::TimedOut => Self::TimedOut,
            WorkflowExecutionStatus::ContinuedAsNew => Self::ContinuedAsNew,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serializes_as_temporals_name() {
        for (status, name) in [
            (ExecutionStatus::Running, "running"),
            (ExecutionStatus::Cancelled, "cancelled"),
            (ExecutionStatus::TimedOut, "timed out"),
            (ExecutionStatus::ContinuedAsNew, "continued as new"),
        ] {
            assert_eq!(status.to_string(), name);
            assert_eq!(serde_json::to_value(status).unwrap(), name);
        }
    }

    #[test]
    fn a_paused_lifecycle_is_open() {
        assert!(ExecutionStatus::Paused.is_open());
        assert!(ExecutionStatus::Failed.is_finished() && !ExecutionStatus::Failed.is_open());
        assert!(ExecutionStatus::TimedOut.is_stopped() && !ExecutionStatus::TimedOut.is_open());
    }
}
