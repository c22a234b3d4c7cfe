//! Follows a generation: first the request, then the lifecycle of its task.

use indicatif::MultiProgress;
use seedance_archiver_proto::v1::{
    CreateVideoTaskResult, GenerateVideoResult, VideoTaskLifecycleResult,
};

use super::progress::ProgressLine;
use crate::{
    cli::task_result::TaskResult,
    temporal::{
        generations::Generation,
        lifecycles::{Lifecycle, LifecycleError},
    },
};

/// A generation that ended.
pub(crate) struct Generated {
    /// Its task, without an id if that is not known.
    pub(crate) task: TaskResult,
    /// Its submission, empty if the generation failed.
    pub(crate) submission: CreateVideoTaskResult,
}

/// Waits until a generation ended, with a progress line.
pub(crate) async fn follow_generation(generation: &Generation) -> Generated {
    let bars = MultiProgress::new();
    let mut line = ProgressLine::new(&bars, generation.submission_id(), false);
    let result = generation.follow(|task_id, step| {
        if let Some(task_id) = task_id {
            line.set_name(task_id);
        }
        line.show(&step);
    });
    let generated = match result.await {
        Ok(result) => ended(generation, result).await,
        Err(error) => failed(error),
    };
    if !generated.task.task_id.is_empty() {
        line.set_name(&generated.task.task_id);
    }
    match &generated.task.result {
        // The caller prints it.
        Err(_) => line.clear(),
        Ok(_) => {
            line.finish(&generated.task.result);
            if !bars.is_hidden() {
                // The bar stays, and the cursor is at its end.
                errln!("");
            }
        }
    }
    generated
}

fn failed(error: LifecycleError) -> Generated {
    Generated {
        task: TaskResult {
            task_id: String::new(),
            result: Err(error),
        },
        submission: CreateVideoTaskResult::default(),
    }
}

async fn ended(generation: &Generation, result: GenerateVideoResult) -> Generated {
    let task_id = result.task_id;
    let lifecycle = Lifecycle::for_task(generation.client(), generation.account(), &task_id);
    let cost = match task_id.is_empty() {
        true => None,
        false => lifecycle.cost().await.ok(),
    };
    let result_of_task = VideoTaskLifecycleResult {
        outcome: result.outcome,
        task: result.task,
        manifest: result.manifest,
        reason: result.reason,
        message: result.message,
        warnings: result.warnings,
    };
    Generated {
        task: TaskResult {
            task_id,
            result: Ok((result_of_task, cost)),
        },
        submission: result.submission.unwrap_or_default(),
    }
}
