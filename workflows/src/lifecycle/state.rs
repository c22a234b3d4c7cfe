//! The state of a lifecycle: its task, and facts about the workers that run its activities.

// The constants that the macro generates have no documentation.
#![allow(missing_docs)]

use seedance_archiver_proto::{
    names::{self, search_attribute},
    phase,
    query_result::WorkerFacts,
    v1::{LifecycleProgress, QueryVideoTaskResult, VideoTask, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::SearchAttributeUpdate;
use temporalio_macros::workflow;
use temporalio_workflow::WorkflowContext;

use crate::{details, encoding::Encoding};

/// Polls a generation task until its status is terminal, then archives its video.
#[workflow]
#[derive(Default)]
pub struct VideoTaskLifecycle {
    /// The reply to the query `progress`.
    pub(super) progress: LifecycleProgress,
    /// Whether a `nudge` arrived since the last poll started.
    pub(super) is_nudged: bool,
    /// Facts about the workers that ran `QueryVideoTask` so far.
    pub(super) worker: WorkerFacts,
    /// The encoding of the request.
    pub(super) encoding: Encoding,
}

pub(super) type Context = WorkflowContext<VideoTaskLifecycle>;

/// Returns the last known record of the task.
pub(super) fn last_seen(ctx: &Context) -> Option<VideoTask> {
    ctx.state(|state| state.progress.task.clone())
}

/// Stores the facts about the worker that answered a query, and returns the task.
pub(super) fn take_task(ctx: &Context, result: QueryVideoTaskResult) -> VideoTask {
    let (task, worker) = result.into_parts();
    ctx.state_mut(|state| {
        state.worker.has_search_attributes |= worker.has_search_attributes;
        state.worker.has_draft_attributes |= worker.has_draft_attributes;
        state.worker.has_user_attribute |= worker.has_user_attribute;
        if !worker.transfers_task_queue.is_empty() {
            state.worker.transfers_task_queue = worker.transfers_task_queue;
        }
    });
    task
}

/// Returns the task queue of the transfer activities.
pub(super) fn transfers_task_queue(ctx: &Context) -> String {
    match ctx.state(|state| state.worker.transfers_task_queue.clone()) {
        queue if queue.is_empty() => names::transfers_task_queue(ctx.task_queue()),
        queue => queue,
    }
}

/// Upserts search attributes if they are registered in the namespace. If they are not, the server would fail
/// the workflow task.
///
/// Whether there is an upsert depends on the attributes of every task alone, as in version 0.1.0, whose workers may replay
/// the history. Those of drafts and of users are in the same upsert, and the SDK does not compare the contents of upserts.
pub(super) fn upsert_search_attributes(ctx: &Context, mut attributes: Vec<SearchAttributeUpdate>) {
    let worker = ctx.state(|state| state.worker.clone());
    if !worker.has_search_attributes {
        return;
    }
    if !worker.has_draft_attributes {
        attributes.retain(|attribute| !search_attribute::OF_DRAFTS.contains(&attribute.name()));
    }
    if !worker.has_user_attribute {
        attributes.retain(|attribute| attribute.name() != search_attribute::USER);
    }
    ctx.upsert_search_attributes(attributes);
}

/// Sets the reply to the query `progress` and the current details in the Temporal UI, of a lifecycle in this phase.
pub(super) fn set_phase(ctx: &Context, phase: &str, task: Option<VideoTask>) {
    let progress = LifecycleProgress {
        phase: phase.to_owned(),
        task,
        // Not known before the end.
        outcome: String::new(),
        reason: String::new(),
    };
    let details = details::for_progress(&progress);
    set_progress(ctx, progress, details);
}

/// Sets the reply to the query `progress` and the current details in the Temporal UI.
pub(super) fn set_progress(ctx: &Context, progress: LifecycleProgress, details: String) {
    ctx.set_current_details(details);
    ctx.state_mut(|state| state.progress = progress);
}

/// Returns the reply to the query `progress` of an ended lifecycle.
pub(super) fn ended_progress(result: &VideoTaskLifecycleResult) -> LifecycleProgress {
    LifecycleProgress {
        phase: phase::ENDED.to_owned(),
        task: result.task.clone(),
        outcome: result.outcome.clone(),
        reason: result.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_of_an_ended_lifecycle_has_its_outcome() {
        let task = Some(VideoTask {
            id: "cgt-1".into(),
            ..VideoTask::default()
        });
        let result = VideoTaskLifecycleResult {
            outcome: "lost".into(),
            task: task.clone(),
            reason: "query_window_closed".into(),
            ..VideoTaskLifecycleResult::default()
        };
        let progress = LifecycleProgress {
            phase: "ended".into(),
            task,
            outcome: "lost".into(),
            reason: "query_window_closed".into(),
        };
        assert_eq!(ended_progress(&result), progress);
    }
}
