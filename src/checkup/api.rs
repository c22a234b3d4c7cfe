//! The Seedance API of each account: whether it is there, takes the key and has the same time.

use futures::future::join_all;
use seedance_archiver_workflows::format;

use super::Finding;
use crate::{
    config::{Account, Accounts},
    seedance::{Answer, Client, Probe},
};

/// From where on a clock that is wrong should be looked at, and from where on it does harm: stores
/// refuse requests that are signed 15 minutes ago.
const CLOCK_WARNING: u64 = 30;
const CLOCK_FAILED: u64 = 5 * 60;

/// Asks each account's API, all at once.
pub async fn check(client: &Client, accounts: &Accounts) -> Vec<Finding> {
    let probes = accounts.iter().map(async |account| {
        let probe = client.probe(&account.endpoint).await;
        [Some(api(account, &probe)), clock(account, &probe)]
    });
    join_all(probes)
        .await
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

fn api(account: &Account, probe: &Probe) -> Finding {
    let name = format!("API of `{}`", account.name());
    let base = &account.endpoint.base_url;
    match &probe.answer {
        Answer::Accepted => Finding::ok(name, format!("{base} takes the key")),
        Answer::Rejected(words) => Finding::failed(
            name,
            format!("{base} refuses the key: {words}"),
            format!(
                "give the account `{}` a key of this service and region, and one that may use the model",
                account.name()
            ),
        ),
        Answer::NotTheApi(words) => Finding::failed(
            name,
            format!("what answers at {base} is not the task API: {words}"),
            "correct the base URL, up to and including `/api/v3`, and task_path where a gateway has its own",
        ),
        Answer::Unclear(words) => Finding::warning(
            name,
            format!("{base} does not say whether it takes the key: {words}"),
            "try again later; workers wait until it answers",
        ),
        Answer::Unreachable(words) => Finding::failed(
            name,
            format!("{base} cannot be reached: {words}"),
            "correct the base URL, or let this machine reach it: DNS, firewall, TLS (proxies of the \
             environment are not used)",
        ),
        Answer::NoKey(words) => Finding::failed(
            name,
            format!("there is no key: {words}"),
            "put the key into its file",
        ),
    }
}

fn clock(account: &Account, probe: &Probe) -> Option<Finding> {
    let name = format!("clock against `{}`", account.name());
    let ahead = probe.clock_ahead?;
    let distance = ahead.unsigned_abs();
    if distance < CLOCK_WARNING {
        return Some(Finding::ok(name, "is the same, to within half a minute"));
    }
    let time = format::duration(std::time::Duration::from_secs(distance));
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let found =
        format!("this machine is {time} {side} the service, so deadlines are wrong by as much");
    let fix = "set this machine's clock by NTP, e.g. `timedatectl set-ntp true`";
    Some(match distance {
        CLOCK_FAILED.. => Finding::failed(name, found, fix),
        _ => Finding::warning(name, found, fix),
    })
}
