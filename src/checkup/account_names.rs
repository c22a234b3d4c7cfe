//! Checks that no other deployment in the namespace has accounts of the same names.

use seedance_archiver_proto::names;
use temporalio_client::Client;

use super::CheckResult;
use crate::{
    config::Accounts,
    temporal::{interval_schedule, watchers},
};

/// Checks the accounts with `auto_archive`: the ids of their watchers and schedules consist of their names. Returns only
/// those that another deployment has. A server that cannot be queried is a finding of other checks.
pub async fn check(client: &Client, accounts: &Accounts, task_queue: &str) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for account in accounts.iter().filter(|it| it.auto_archive) {
        results.extend(check_name(client, account.name(), task_queue).await);
    }
    results
}

/// Returns a finding if the watcher or the schedule of an account is on another task queue. A watcher stays there. Workers move
/// a schedule to theirs.
async fn check_name(client: &Client, account: &str, task_queue: &str) -> Option<CheckResult> {
    let watcher = watchers::describe(client, account, task_queue).await;
    let watcher = watcher.unwrap_or_default();
    if let Some(other) = watcher.other_queue(task_queue) {
        let problem = format!(
            "workers of the task queue `{other}` archive an account of this name in this namespace; those of \
             `{task_queue}` find no new tasks"
        );
        return Some(failed(account, problem, watchers::other_queue_fix(account)));
    }
    let id = names::sweep_workflow_id(account);
    let schedule = interval_schedule::find(client, &id).await.ok().flatten()?;
    let other = interval_schedule::task_queue_of(&schedule);
    let other = other.filter(|other| other != task_queue)?;
    let problem = format!(
        "the schedule `{id}` starts the sweeps of an account of this name on the task queue `{other}`, not on \
         `{task_queue}`"
    );
    let if_renamed = "start a worker: it moves the schedule within 10 minutes";
    Some(failed(
        account,
        problem,
        watchers::name_conflict_fix(if_renamed),
    ))
}

fn failed(account: &str, problem: String, fix: String) -> CheckResult {
    CheckResult::failed(format!("name of `{account}`"), problem, fix)
}
