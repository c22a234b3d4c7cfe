//! What a lifecycle knows, and where it shows it.

use seedance_archiver_proto::{
    phase,
    v1::{LifecycleProgress, VideoTask, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::SearchAttributeUpdate;

use super::Context;
use crate::details;

/// The last record that became known.
pub(super) fn last_seen(ctx: &Context) -> Option<VideoTask> {
    ctx.state(|state| state.progress.task.clone())
}

/// Remembers whether search attributes can be written; it is not part of the record.
pub(super) fn without_flag(ctx: &Context, task: VideoTask) -> VideoTask {
    ctx.state_mut(|state| state.has_search_attributes |= task.has_search_attributes);
    VideoTask {
        has_search_attributes: false,
        ..task
    }
}

/// Writes search attributes, where they are registered.
pub(super) fn write_attributes(ctx: &Context, attributes: Vec<SearchAttributeUpdate>) {
    if ctx.state(|state| state.has_search_attributes) {
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
