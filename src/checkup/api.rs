//! Checks the Seedance API of each account: whether it is reachable and accepts the key, and whether the clocks
//! agree.

use std::time::Duration;

use futures::future::join_all;
use seedance_archiver_workflows::format;

use super::CheckResult;
use crate::{
    config::{Account, Accounts},
    seedance::{Answer, Client, Probe},
};

/// Clock skew, in seconds, above which there is a warning.
const MAX_SKEW: u64 = 30;
/// Clock skew, in seconds, that is a failure. Stores reject requests that were signed 15 minutes ago.
const MAX_TOLERABLE_SKEW: u64 = 5 * 60;

/// Checks the API of all accounts concurrently.
pub async fn check(client: &Client, accounts: &Accounts) -> Vec<CheckResult> {
    let probes = accounts.iter().map(async |account| {
        let model = account.lists.models.first();
        let probe = client.probe(&account.endpoint, model.map(String::as_str));
        let probe = probe.await;
        [Some(api(account, &probe)), clock(account, &probe)]
    });
    join_all(probes)
        .await
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

fn api(account: &Account, probe: &Probe) -> CheckResult {
    let name = format!("API of `{}`", account.name());
    let base = &account.endpoint.base_url;
    match &probe.answer {
        Answer::Accepted => CheckResult::ok(name, format!("{base} accepted the key")),
        Answer::Rejected(error) => CheckResult::failed(
            name,
            format!("{base} rejected the key: {error}"),
            format!(
                "set the key of the account `{}` to one of this service and region that has access to the \
                 model",
                account.name()
            ),
        ),
        Answer::CannotList(error) => CheckResult::warning(
            name,
            format!("{base} accepted the key, but rejected the list of tasks: {error}"),
            "name the models that the key may use in `lists.models` (SEEDANCE_LIST_MODELS); `rescue` and sweeps need \
             the list",
        ),
        Answer::NotTheApi(response) => CheckResult::failed(
            name,
            format!("{base} is not the task API: {response}"),
            "correct the base URL, up to and including `/api/v3`, and set task_path if a gateway uses \
             another path",
        ),
        Answer::Unclear(error) => CheckResult::warning(
            name,
            format!("{base} failed before it checked the key: {error}"),
            "try again later; workers retry until the service responds",
        ),
        Answer::Unreachable(error) => CheckResult::failed(
            name,
            format!("cannot reach {base}: {error}"),
            "correct the base URL, or check DNS, firewall and TLS on this machine; proxy variables are ignored \
             unless `proxy` (SEEDANCE_PROXY) is set",
        ),
        Answer::NoKey(error) => CheckResult::failed(
            name,
            error.clone(),
            "write the key to its file, and use a base URL with `https://`",
        ),
    }
}

fn clock(account: &Account, probe: &Probe) -> Option<CheckResult> {
    let name = format!("clock against `{}`", account.name());
    let ahead = probe.clock_ahead?;
    let skew = ahead.unsigned_abs();
    if skew < MAX_SKEW {
        let found = format!("differs by less than {MAX_SKEW} s");
        return Some(CheckResult::ok(name, found));
    }
    let time = format::duration(Duration::from_secs(skew));
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let found =
        format!("this machine is {time} {side} the service, so deadlines are off by as much");
    let fix = "synchronize the clock of this machine by NTP, e.g. `timedatectl set-ntp true`";
    Some(match skew {
        MAX_TOLERABLE_SKEW.. => CheckResult::failed(name, found, fix),
        _ => CheckResult::warning(name, found, fix),
    })
}
