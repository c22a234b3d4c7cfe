//! Where activities end: each failure is told once, whatever layer it comes from.

use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::{
    activities::{ActivityError, ActivityInfo},
    interceptors::{ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next},
};

use crate::telemetry::record;

/// Logs and counts the attempts that fail.
pub(super) struct Boundary;

impl ActivityInboundInterceptor for Boundary {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let attempt = Attempt::of(input.activity_info());
        Box::pin(async move {
            let result = next.run(input).await;
            if let Err(error) = &result {
                attempt.failed(error);
            }
            result
        })
    }
}

/// What an event says of the attempt.
struct Attempt {
    activity_type: String,
    activity_id: String,
    workflow_id: String,
    run_id: String,
    attempt: u32,
}

impl Attempt {
    fn of(info: &ActivityInfo) -> Self {
        Self {
            activity_type: info.activity_type.clone(),
            activity_id: info.activity_id.clone(),
            workflow_id: info.workflow_id.clone().unwrap_or_default(),
            run_id: info.workflow_run_id.clone().unwrap_or_default(),
            attempt: info.attempt,
        }
    }

    fn failed(&self, error: &ActivityError) {
        match error {
            ActivityError::Application(failure) => self.failed_as(failure),
            ActivityError::Cancelled { .. } => {
                tracing::info!(
                    workflow_id = self.workflow_id,
                    run_id = self.run_id,
                    activity_type = self.activity_type,
                    activity_id = self.activity_id,
                    attempt = self.attempt,
                    "told to stop"
                );
            }
            _ => {}
        }
    }

    fn failed_as(&self, failure: &ApplicationFailure) {
        let failure_type = failure.type_name().unwrap_or("Error");
        record::failed_attempt(&self.activity_type, failure_type);
        let next_attempt_s = failure.next_retry_delay().map(|delay| delay.as_secs_f64());
        macro_rules! tell {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    workflow_id = self.workflow_id,
                    run_id = self.run_id,
                    activity_type = self.activity_type,
                    activity_id = self.activity_id,
                    attempt = self.attempt,
                    failure_type,
                    next_attempt_s,
                    error = %failure.source_error(),
                    $message
                )
            };
        }
        match failure.category() {
            // Waiting is what it is for.
            ApplicationErrorCategory::Benign => tell!(debug, "waiting"),
            _ if failure.is_non_retryable() => tell!(error, "failed for good"),
            _ => tell!(warn, "failed, and will be tried again"),
        }
    }
}
