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
        let name = account.name();
        if let Some(other) = other_queue(client, name, task_queue).await {
            results.push(CheckResult::failed(
                format!("name of `{name}`"),
                format!(
                    "workers of the task queue `{other}` archive an account of this name in this namespace; those of \
                     `{task_queue}` find no new tasks"
                ),
                watchers::other_queue_fix(name),
            ));
        }
    }
    results
}

/// Returns the task queue of the account's watcher or schedule if it is not `task_queue`.
async fn other_queue(client: &Client, account: &str, task_queue: &str) -> Option<String> {
    let watcher = watchers::describe(client, account, task_queue).await;
    let watcher = watcher.unwrap_or_default();
    if let Some(other) = watcher.other_queue(task_queue) {
        return Some(other.to_owned());
    }
    let schedule = interval_schedule::find(client, &names::sweep_workflow_id(account)).await;
    let schedule = schedule.ok().flatten()?;
    interval_schedule::task_queue_of(&schedule).filter(|other| other != task_queue)
}
