//! Logs failed and cancelled activity attempts, and counts the failed ones. No other code does, so each failure is reported once.

use temporalio_common::error::{ApplicationErrorCategory, ApplicationFailure};
use temporalio_sdk::{
    activities::{ActivityError, ActivityInfo},
    interceptors::{ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next},
};

use crate::telemetry::record;

/// Logs failed and cancelled activity attempts, and counts the failed ones.
pub(super) struct FailureInterceptor;

impl ActivityInboundInterceptor for FailureInterceptor {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let attempt = Attempt::new(input.activity_info());
        Box::pin(async move {
            let result = next.run(input).await;
            if let Err(error) = &result {
                attempt.report(error);
            }
            result
        })
    }
}

/// The fields of a log event.
struct Attempt {
    activity_type: String,
    activity_id: String,
    workflow_id: String,
    run_id: String,
    attempt: u32,
}

impl Attempt {
    fn new(info: &ActivityInfo) -> Self {
        Self {
            activity_type: info.activity_type.clone(),
            activity_id: info.activity_id.clone(),
            workflow_id: info.workflow_id.clone().unwrap_or_default(),
            run_id: info.workflow_run_id.clone().unwrap_or_default(),
            attempt: info.attempt,
        }
    }

    fn report(&self, error: &ActivityError) {
        match error {
            ActivityError::Application(failure) => self.report_failure(failure),
            ActivityError::Cancelled { .. } => {
                tracing::info!(
                    workflow_id = self.workflow_id,
                    run_id = self.run_id,
                    activity_type = self.activity_type,
                    activity_id = self.activity_id,
                    attempt = self.attempt,
                    "activity cancelled"
                );
            }
            _ => {}
        }
    }

    fn report_failure(&self, failure: &ApplicationFailure) {
        let failure_type = failure.type_name().unwrap_or("Error");
        record::failed_attempt(&self.activity_type, failure_type);
        let next_attempt_s = failure.next_retry_delay().map(|delay| delay.as_secs_f64());
        macro_rules! log {
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
            // `StillWaiting` is not an error.
            ApplicationErrorCategory::Benign => log!(debug, "activity waiting"),
            _ if failure.is_non_retryable() => log!(error, "activity failed"),
            _ => log!(warn, "activity attempt failed; will retry"),
        }
    }
}
