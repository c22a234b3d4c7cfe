//! What people find a lifecycle by in the Temporal UI: its search attributes.

use seedance_archiver_proto::{
    names,
    names::search_attribute as name,
    v1::{VideoTask, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::{
    SearchAttributeKey, SearchAttributeUpdate, Timestamp as AttributeTime,
};

/// Longest value, in characters: some visibility stores refuse longer ones.
const MAX_VALUE: usize = 200;

const DEADLINE: SearchAttributeKey<AttributeTime> =
    SearchAttributeKey::datetime(name::ARCHIVE_DEADLINE);

/// What is known of a task.
pub fn of_task(account: &str, task: &VideoTask) -> Vec<SearchAttributeUpdate> {
    let account = names::account_or_default(account);
    let words = [
        keyword(SearchAttributeKey::keyword(name::TASK_ID), &task.id),
        keyword(SearchAttributeKey::keyword(name::ACCOUNT), account),
        keyword(SearchAttributeKey::keyword(name::STATUS), &task.status),
        keyword(SearchAttributeKey::keyword(name::MODEL), &task.model),
    ];
    let deadline = (task.archive_deadline > 0)
        .then(|| AttributeTime::new(task.archive_deadline, 0))
        .and_then(|time| DEADLINE.try_value_set(time).ok());
    words.into_iter().flatten().chain(deadline).collect()
}

/// How the lifecycle ended, and what was known last.
pub fn of_result(
    request: &VideoTaskLifecycleRequest,
    result: &VideoTaskLifecycleResult,
) -> Vec<SearchAttributeUpdate> {
    let task = result.task.iter();
    let task = task.flat_map(|task| of_task(&request.account, task));
    let outcome = SearchAttributeKey::keyword(name::OUTCOME);
    task.chain(keyword(outcome, &result.outcome)).collect()
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
    fn only_what_is_known_is_written() {
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
            names(of_task("", &task)),
            ["SeedanceTaskId", "SeedanceAccount", "SeedanceStatus"]
        );
        task.model = "seedance-1-0-pro".into();
        task.archive_deadline = 1_750_000_000;
        assert_eq!(names(of_task("eu", &task)).len(), 5);
        task.archive_deadline = i64::MAX;
        assert_eq!(names(of_task("eu", &task)).len(), 4, "no time");
        let result = VideoTaskLifecycleResult {
            outcome: "unknown".into(),
            ..VideoTaskLifecycleResult::default()
        };
        let request = VideoTaskLifecycleRequest::default();
        assert_eq!(names(of_result(&request, &result)), ["SeedanceOutcome"]);
    }
}
