//! Follows a lifecycle to its end.

use seedance_archiver_proto::v1::VideoTaskLifecycleResult;

use super::{error::LifecycleError, handle::Lifecycle, pending::Step};
use crate::temporal::progress;

impl Lifecycle {
    /// Waits for the result, and reports the current step a few times a second until then.
    ///
    /// # Errors
    ///
    /// Those of [`Lifecycle::result`]. If the lifecycle cannot be described in between, no step is reported.
    pub async fn follow(
        &self,
        mut report: impl FnMut(Step),
    ) -> Result<VideoTaskLifecycleResult, LifecycleError> {
        let report_step = async || {
            if let Ok(Some(snapshot)) = self.describe().await
                && let Some(step) = snapshot.step()
            {
                report(step);
            }
        };
        progress::report_until(self.result(), report_step).await
    }
}
