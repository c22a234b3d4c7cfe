//! Checks that a video can be fetched, for each account that has one: requests its first byte with the rules of a
//! transfer.

use std::time::Duration;

use futures::future::join_all;
use seedance_archiver_proto::status;

use super::CheckResult;
use crate::{
    archive::fetch::{Error, VideoClient},
    config::{Account, Accounts},
    http,
    seedance::{Client, Record},
};

/// Delay before the list, because the check of the API has just listed a task, and the service allows one list a second.
const LIST_DELAY: Duration = Duration::from_millis(1100);
/// Number of tasks that are listed to find one with a video.
const LISTED_TASKS: usize = 50;

/// Checks all accounts concurrently. Sends at most one request to a video host for each account, because the host
/// limits how often a URL can be used.
pub async fn check(seedance: &Client, accounts: &Accounts) -> Vec<CheckResult> {
    let checks = accounts
        .iter()
        .map(|account| check_account(seedance, account));
    join_all(checks).await
}

async fn check_account(seedance: &Client, account: &Account) -> CheckResult {
    let name = format!("video of `{}`", account.name());
    let task = match newest_with_video(seedance, account).await {
        Ok(Some(task)) => task,
        Ok(None) => return CheckResult::ok(name, "not tested: no listed task has a video"),
        // Whether the API works is another check.
        Err(error) => return CheckResult::ok(name, format!("not tested: {error}")),
    };
    let Some(url) = task.main_url() else {
        return CheckResult::ok(name, "not tested: the newest task has no URL");
    };
    let client = match VideoClient::new(account.fetch_rules()) {
        Ok(client) => client,
        Err(error) => {
            let found = format!("cannot create the HTTP client: {}", http::describe(error));
            return CheckResult::failed(name, found, "correct `proxy` of the account");
        }
    };
    match client.probe(url.expose()).await {
        Ok((host, status)) if status.is_success() => CheckResult::ok(
            name,
            format!("fetched the first byte of `{}` from `{host}`", task.id()),
        ),
        Ok((host, status)) => CheckResult::warning(
            name,
            format!(
                "`{host}` returned HTTP {} for the video of `{}`",
                status.as_u16(),
                task.id()
            ),
            "none needed if the URL was revoked or used up; otherwise check the clock of this machine, and a proxy \
             or firewall that answers for the host",
        ),
        Err(Error::NotAllowed(problem)) => {
            CheckResult::failed(name, problem.clone(), setting(&problem))
        }
        Err(Error::Unavailable(problem)) => CheckResult::failed(
            name,
            problem,
            "check DNS, firewall and TLS on this machine; if requests must use a proxy, set `proxy` \
             (SEEDANCE_PROXY)",
        ),
    }
}

/// Returns the setting that allows the download.
fn setting(problem: &str) -> &'static str {
    if problem.contains("not in `url_hosts`") {
        "add the host to `url_hosts` (SEEDANCE_URL_HOSTS) if you trust it"
    } else if problem.contains("`allowed_networks`") {
        "add the network to `allowed_networks` (SEEDANCE_ALLOWED_NETWORKS) if a VPN or proxy of this machine answers \
         every name like this, or set `proxy`; for an internal host, add `http://` and its name to `url_hosts`"
    } else if problem.contains("instead of https") || problem.contains("downgrade from https") {
        "add `http://` and the name of the host to `url_hosts` (SEEDANCE_URL_HOSTS), only if the host is internal"
    } else {
        "check what the service returns for this task with `seedance-archiver query`"
    }
}

/// Returns the newest succeeded task with a URL that has not expired. If the list has no URLs, queries the newest
/// succeeded task.
async fn newest_with_video(seedance: &Client, account: &Account) -> Result<Option<Record>, String> {
    let mut endpoint = account.endpoint.clone();
    endpoint.list_page_size = LISTED_TASKS;
    tokio::time::sleep(LIST_DELAY).await;
    let page = seedance.list(&endpoint, &account.lists.first()).await;
    let page = page.map_err(|error| error.to_string())?;
    let now = seedance.clock().now();
    let is_alive = |task: &Record| {
        let url = task.main_url();
        url.is_some_and(|url| url.expires_at().is_none_or(|end| now < end))
    };
    let mut succeeded: Vec<_> = page.records;
    succeeded.retain(|task| task.status() == status::SUCCEEDED);
    succeeded.sort_by_key(|task| std::cmp::Reverse(task.created_at()));
    let newest = succeeded.first().map(|task| task.id().to_owned());
    if let Some(index) = succeeded.iter().position(is_alive) {
        return Ok(Some(succeeded.swap_remove(index)));
    }
    let Some(id) = newest else {
        return Ok(None);
    };
    let fresh = seedance.query(&account.endpoint, &id).await;
    let fresh = fresh.map_err(|error| error.to_string())?;
    Ok(Some(fresh).filter(is_alive))
}
