//! What a lifecycle knows, and where it shows it.

use seedance_archiver_proto::{
    names, phase,
    v1::{LifecycleProgress, QueryVideoTaskResult, VideoTask, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::SearchAttributeUpdate;

use super::Context;
use crate::details;

/// The last record that became known.
pub(super) fn last_seen(ctx: &Context) -> Option<VideoTask> {
    ctx.state(|state| state.progress.task.clone())
}

/// Remembers the facts about the worker that answered, and returns the task.
pub(super) fn task_in(ctx: &Context, result: QueryVideoTaskResult) -> VideoTask {
    let (task, worker) = result.into_parts();
    ctx.state_mut(|state| {
        state.worker.has_search_attributes |= worker.has_search_attributes;
        if !worker.transfers_task_queue.is_empty() {
            state.worker.transfers_task_queue = worker.transfers_task_queue;
        }
    });
    task
}

/// Where transfers are served.
pub(super) fn transfers_task_queue(ctx: &Context) -> String {
    match ctx.state(|state| state.worker.transfers_task_queue.clone()) {
        queue if queue.is_empty() => names::transfers_task_queue(ctx.task_queue()),
        queue => queue,
    }
}

/// Writes search attributes, where they are registered.
pub(super) fn write_attributes(ctx: &Context, attributes: Vec<SearchAttributeUpdate>) {
    if ctx.state(|state| state.worker.has_search_attributes) {
        ctx.upsert_search_attributes(attributes);
    }
}

/// Keeps what is known, for the query `progress`, and shows it in the UI.
pub(super) fn show(ctx: &Context, phase: &str, task: Option<VideoTask>) {
    let progress = LifecycleProgress {
        phase: phase.to_owned(),
        task,
        ..LifecycleProgress::default()
    };
    ctx.set_current_details(details::of_progress(&progress));
    ctx.state_mut(|state| state.progress = progress);
}

/// The same at the end.
pub(super) fn show_result(ctx: &Context, result: &VideoTaskLifecycleResult) {
    let progress = LifecycleProgress {
        phase: phase::ENDED.to_owned(),
        task: result.task.clone(),
        outcome: result.outcome.clone(),
        reason: result.reason.clone(),
    };
    ctx.set_current_details(details::of_result(result));
    ctx.state_mut(|state| state.progress = progress);
}
