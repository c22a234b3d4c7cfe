//! The search attributes of a lifecycle.
//!
//! An upsert is a command in the history: a replay must produce the same ones.

use seedance_archiver_policy::drafts;
use seedance_archiver_proto::{
    names,
    names::search_attribute as name,
    time::unix_seconds,
    v1::{VideoTask, VideoTaskLifecycleRequest, VideoTaskLifecycleResult},
};
use temporalio_common::search_attributes::{
    SearchAttributeKey, SearchAttributeUpdate, Timestamp as AttributeTime,
};

/// Maximum length of a value, in characters. Some visibility stores reject longer ones.
pub const MAX_VALUE: usize = 200;

const DEADLINE: SearchAttributeKey<AttributeTime> =
    SearchAttributeKey::datetime(name::ARCHIVE_DEADLINE);
const DRAFT: SearchAttributeKey<bool> = SearchAttributeKey::bool(name::DRAFT);
const DRAFT_DEADLINE: SearchAttributeKey<AttributeTime> =
    SearchAttributeKey::datetime(name::DRAFT_DEADLINE);

/// Returns the attributes of a task: id, account, status, model, archive deadline and user, if known, and those of a draft
/// or of a video made from one.
pub fn for_task(account: &str, task: &VideoTask) -> Vec<SearchAttributeUpdate> {
    let keywords = [
        keyword(SearchAttributeKey::keyword(name::STATUS), &task.status),
        keyword(SearchAttributeKey::keyword(name::MODEL), &task.model),
    ];
    let id = for_id(account, &task.id);
    id.chain(keywords.into_iter().flatten())
        .chain(time(DEADLINE, task.archive_deadline))
        .chain(of_draft(task))
        .chain(user(&task.safety_identifier))
        .collect()
}

/// Returns the attribute of a user. An id that is too long is left out: the start of it may be that of another user.
fn user(id: &str) -> Option<SearchAttributeUpdate> {
    let is_whole = id.chars().count() <= MAX_VALUE;
    is_whole.then(|| keyword(SearchAttributeKey::keyword(name::USER), id))?
}

fn of_draft(task: &VideoTask) -> impl Iterator<Item = SearchAttributeUpdate> {
    let draft = task.draft().then(|| DRAFT.try_value_set(true).ok());
    let deadline = drafts::deadline(task).map_or(0, unix_seconds);
    let made_from = SearchAttributeKey::keyword(name::DRAFT_TASK_ID);
    let attributes = [
        draft.flatten(),
        time(DRAFT_DEADLINE, deadline),
        keyword(made_from, &task.draft_task_id),
    ];
    attributes.into_iter().flatten()
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

fn time(
    key: SearchAttributeKey<AttributeTime>,
    unix_seconds: i64,
) -> Option<SearchAttributeUpdate> {
    let time = (unix_seconds > 0).then(|| AttributeTime::new(unix_seconds, 0))?;
    key.try_value_set(time).ok()
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
        let draft = VideoTask {
            draft: Some(true),
            created_at: 1,
            ..task.clone()
        };
        let of_draft = names(for_task("eu", &draft)).split_off(5);
        assert_eq!(of_draft, ["SeedanceDraft"], "it may not succeed");
        let draft = VideoTask {
            status: "succeeded".into(),
            ..draft
        };
        let of_draft = names(for_task("eu", &draft)).split_off(5);
        assert_eq!(of_draft, ["SeedanceDraft", "SeedanceDraftDeadline"]);
        task.draft_task_id = "cgt-1".into();
        let of_final = names(for_task("eu", &task)).split_off(5);
        assert_eq!(of_final, ["SeedanceDraftTaskId"]);
        task.draft_task_id.clear();
        task.safety_identifier = "u".repeat(MAX_VALUE);
        assert_eq!(names(for_task("eu", &task)).split_off(5), ["SeedanceUser"]);
        task.safety_identifier.push('u');
        assert_eq!(names(for_task("eu", &task)).len(), 5, "the value is cut");
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
