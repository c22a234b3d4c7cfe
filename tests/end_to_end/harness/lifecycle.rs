//! Waiting for what a lifecycle shows while it runs.

use seedance_archiver::temporal::lifecycles::{Lifecycle, Step};

use crate::until::until_async;

/// Waits until the pending activity of a lifecycle waits for its next attempt with a message that contains `text`.
pub(crate) async fn until_waiting(lifecycle: &Lifecycle, text: &str) -> anyhow::Result<()> {
    until_async(text, || async {
        let snapshot = lifecycle.describe().await?;
        let step = snapshot.and_then(|snapshot| snapshot.step());
        Ok(matches!(step, Some(Step::Waiting(message)) if message.contains(text)))
    })
    .await
}
