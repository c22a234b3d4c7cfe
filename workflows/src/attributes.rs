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
    let words = [
        keyword(SearchAttributeKey::keyword(name::STATUS), &task.status),
        keyword(SearchAttributeKey::keyword(name::MODEL), &task.model),
    ];
    let deadline = (task.archive_deadline > 0)
        .then(|| AttributeTime::new(task.archive_deadline, 0))
        .and_then(|time| DEADLINE.try_value_set(time).ok());
    let named = of_name(account, &task.id);
    named
        .chain(words.into_iter().flatten())
        .chain(deadline)
        .collect()
}

fn of_name(account: &str, task_id: &str) -> impl Iterator<Item = SearchAttributeUpdate> {
    let account = names::account_or_default(account);
    let words = [
        keyword(SearchAttributeKey::keyword(name::TASK_ID), task_id),
        keyword(SearchAttributeKey::keyword(name::ACCOUNT), account),
    ];
    words.into_iter().flatten()
}

/// How the lifecycle ended, and what was known last.
pub fn of_result(
    request: &VideoTaskLifecycleRequest,
    result: &VideoTaskLifecycleResult,
) -> Vec<SearchAttributeUpdate> {
    let mut known = match &result.task {
        Some(task) => of_task(&request.account, task),
        None => of_name(&request.account, &request.task_id).collect(),
    };
    let outcome = SearchAttributeKey::keyword(name::OUTCOME);
    known.extend(keyword(outcome, &result.outcome));
    known
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
        let request = VideoTaskLifecycleRequest {
            task_id: "cgt-1".into(),
            ..VideoTaskLifecycleRequest::default()
        };
        assert_eq!(
            names(of_result(&request, &result)),
            ["SeedanceTaskId", "SeedanceAccount", "SeedanceOutcome"]
        );
    }
}
