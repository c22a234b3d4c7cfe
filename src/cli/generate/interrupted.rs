//! What to do after `generate --dev` was interrupted. The submission is gone with the Temporal server of the command, so
//! that the same command would create another task.

use std::time::Duration;

use seedance_archiver_proto::{names::DEFAULT_ACCOUNT, visible};
use tokio::time::timeout;

use crate::{cli::shutdown::Shutdown, temporal::generations::Generation};

/// How long to wait for the answer to a request that is on the way.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Prints how to archive the video of the task, if the request created one. Waits for the answer of the API, unless the
/// user interrupts it again.
pub(super) async fn explain(generation: &Generation, shutdown: &Shutdown) {
    let task_id = tokio::select! {
        task_id = timeout(ANSWER_TIMEOUT, generation.task_id()) => task_id.ok().flatten(),
        () = shutdown.forced() => None,
    };
    match task_id {
        Some(id) => {
            let account = match generation.account() {
                DEFAULT_ACCOUNT => String::new(),
                account => format!(" --account {account}"),
            };
            errln!(
                "To archive the video of the task that was created:\n  seedance-archiver archive --dev {}{account}",
                visible::escape(&id)
            );
        }
        None => errln!(
            "The request may have created a task. Look for it in the console of the service before you run the command \
             again, which would create another one."
        ),
    }
}
