//! The search attributes of a lifecycle.
//!
//! An upsert is a command in the history: a replay must produce the same ones.

use seedance_archiver_proto::{
    names,
    names::search_attribute as name,
    v1::{VideoTask, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::{
    SearchAttributeKey, SearchAttributeUpdate, Timestamp as AttributeTime,
};

/// Maximum length of a value, in characters. Some visibility stores reject longer ones.
const MAX_VALUE: usize = 200;

const DEADLINE: SearchAttributeKey<AttributeTime> =
    SearchAttributeKey::datetime(name::ARCHIVE_DEADLINE);

/// Returns the attributes of a task: id, account, status, model and archive deadline, if known.
pub fn for_task(account: &str, task: &VideoTask) -> Vec<SearchAttributeUpdate> {
    let keywords = [
        keyword(SearchAttributeKey::keyword(name::STATUS), &task.status),
        keyword(SearchAttributeKey::keyword(name::MODEL), &task.model),
    ];
    let deadline = (task.archive_deadline > 0)
        .then(|| AttributeTime::new(task.archive_deadline, 0))
        .and_then(|time| DEADLINE.try_value_set(time).ok());
    let id = for_id(account, &task.id);
    id.chain(keywords.into_iter().flatten())
        .chain(deadline)
        .collect()
}

fn for_id(account: &str, task_id: &str) -> impl Iterator<Item = SearchAttributeUpdate> {
    let account = names::account_or_default(account);
    let keywords = [
        keyword(SearchAttributeKey::keyword(name::TASK_ID), task_id),
        keyword(SearchAttributeKey::keyword(name::ACCOUNT), account),
    ];
    keywords.into_iter().flatten()
}

/// Returns the attributes of an ended lifecycle: its outcome and those of the task.
pub fn for_result(
    request: &VideoTaskLifecycleRequest,
    result: &VideoTaskLifecycleResult,
) -> Vec<SearchAttributeUpdate> {
    let mut attributes = match &result.task {
        Some(task) => for_task(&request.account, task),
        None => for_id(&request.account, &request.task_id).collect(),
    };
    let outcome = SearchAttributeKey::keyword(name::OUTCOME);
    attributes.extend(keyword(outcome, &result.outcome));
    attributes
}

fn keyword(key: SearchAttributeKey<String>, value: &str) -> Option<SearchAttributeUpdate> {
    let value: String = value.chars().take(MAX_VALUE).collect();
    let value = Some(value).filter(|value| !value.is_empty())?;
    key.try_value_set(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_known_is_not_written() {
        let names = |updates: Vec<SearchAttributeUpdate>| {
            let names = updates.iter().map(|update| update.name().to_owned());
            names.collect::<Vec<_>>()
        };
        let mut task = VideoTask {
            id: "cgt-1".into(),
            status: "running".into(),
            ..VideoTask::default()
        };
        assert_eq!(
            names(for_task("", &task)),
            ["SeedanceTaskId", "SeedanceAccount", "SeedanceStatus"]
        );
        task.model = "seedance-1-0-pro".into();
        task.archive_deadline = 1_750_000_000;
        assert_eq!(names(for_task("eu", &task)).len(), 5);
        task.archive_deadline = i64::MAX;
        assert_eq!(names(for_task("eu", &task)).len(), 4, "not a valid time");
        task.archive_deadline = 1;
        assert_eq!(names(for_task("eu", &task)).len(), 5);
        let result = VideoTaskLifecycleResult {
            outcome: "unknown".into(),
            ..VideoTaskLifecycleResult::default()
        };
        let request = VideoTaskLifecycleRequest {
            task_id: "cgt-1".into(),
            ..VideoTaskLifecycleRequest::default()
        };
        assert_eq!(
            names(for_result(&request, &result)),
            ["SeedanceTaskId", "SeedanceAccount", "SeedanceOutcome"]
        );
    }
}
