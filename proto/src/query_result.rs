//! The result of `QueryVideoTask`: a task, facts about the worker that ran the activity, and the sealed record.

use crate::v1::{QueryVideoTaskResult, VideoTask};

/// Facts about the worker that ran `QueryVideoTask`, which the lifecycle needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerFacts {
    /// Whether the search attributes that every task has are registered in the namespace.
    pub has_search_attributes: bool,
    /// Whether those of drafts are registered too.
    pub has_draft_attributes: bool,
    /// Whether that of users is registered too.
    pub has_user_attribute: bool,
    /// Task queue on which the worker polls for `ArchiveVideo`. Empty: the workflow's task queue, followed by
    /// `-transfers`.
    pub transfers_task_queue: String,
}

/// Implements the conversions. The fields that both messages have are listed once, and the patterns have no `..`: a
/// field that is added to one message but not to the other must not compile.
macro_rules! conversions {
    ($($field:ident,)*) => {
        impl QueryVideoTaskResult {
            /// Returns the result for a task and the facts about the worker, without a record.
            pub fn new(task: VideoTask, worker: WorkerFacts) -> Self {
                let VideoTask { $($field,)* } = task;
                let WorkerFacts {
                    has_search_attributes,
                    has_draft_attributes,
                    has_user_attribute,
                    transfers_task_queue,
                } = worker;
                Self {
                    $($field,)*
                    has_search_attributes,
                    has_draft_attributes,
                    has_user_attribute,
                    transfers_task_queue,
                    sealed_record: String::new(),
                }
            }

            /// Splits the result into the task and the facts about the worker. The record is dropped.
            pub fn into_parts(self) -> (VideoTask, WorkerFacts) {
                let Self {
                    $($field,)*
                    has_search_attributes,
                    has_draft_attributes,
                    has_user_attribute,
                    transfers_task_queue,
                    sealed_record: _,
                } = self;
                let worker = WorkerFacts {
                    has_search_attributes,
                    has_draft_attributes,
                    has_user_attribute,
                    transfers_task_queue,
                };
                (VideoTask { $($field,)* }, worker)
            }
        }
    };
}

conversions! {
    id,
    model,
    status,
    error,
    created_at,
    updated_at,
    content,
    seed,
    resolution,
    ratio,
    duration,
    frames,
    framespersecond,
    generate_audio,
    tools,
    safety_identifier,
    priority,
    draft,
    draft_task_id,
    service_tier,
    execution_expires_after,
    usage,
    revised_prompt,
    output_format,
    subdivisionlevel,
    fileformat,
    archive_deadline,
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn worker() -> WorkerFacts {
        WorkerFacts {
            has_search_attributes: true,
            has_draft_attributes: true,
            has_user_attribute: true,
            transfers_task_queue: "transfers".into(),
        }
    }

    fn task() -> VideoTask {
        VideoTask {
            id: "cgt-1".into(),
            status: "running".into(),
            seed: Some(7),
            archive_deadline: 1_750_000_000,
            ..VideoTask::default()
        }
    }

    #[test]
    fn into_parts_is_the_inverse_of_new() {
        let result = QueryVideoTaskResult::new(task(), worker());
        assert_eq!(result.into_parts(), (task(), worker()));
    }

    #[test]
    fn a_result_can_be_decoded_as_a_task() {
        let result = QueryVideoTaskResult {
            sealed_record: "sealed-record:v1:AA".into(),
            ..QueryVideoTaskResult::new(task(), worker())
        };
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!(serde_json::from_value::<VideoTask>(json).unwrap(), task());
        assert_eq!(
            VideoTask::decode(result.encode_to_vec().as_slice()).unwrap(),
            task()
        );
    }
}
