//! Checks how the requests of each account leave this machine: through which proxy, or to which addresses the host of
//! the API resolves.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures::future::join_all;
use tokio::{net::lookup_host, time::timeout};

use super::CheckResult;
use crate::config::{Account, Accounts, Proxy};

/// Timeout of resolving a name.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The network of benchmarking addresses, from which tools such as Clash and sing-box answer every name.
const FAKE_IP_NETWORK: &str = "198.18.0.0/15";

/// Checks all accounts concurrently. `variable` returns an environment variable.
pub async fn check(
    accounts: &Accounts,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<CheckResult> {
    let proxy_variable = Proxy::variable(variable);
    let checks = accounts.iter().map(async |account| {
        let name = format!("network of `{}`", account.name());
        if let Some(proxy) = &account.proxy {
            return Some(through(name, proxy, proxy_variable));
        }
        let host = account.endpoint.base_url.host_str()?.to_owned();
        let result = match addresses(&host).await {
            Ok(addresses) => resolved(name, account, &host, &addresses),
            Err(error) => unresolved(name, &host, &error),
        };
        Some(with_hint(result, proxy_variable))
    });
    join_all(checks).await.into_iter().flatten().collect()
}

/// Returns the addresses of a host, as a download resolves it.
async fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let lookup = timeout(TIMEOUT, lookup_host((host, 0))).await;
    let lookup = lookup.map_err(|_| format!("no answer within {} s", TIMEOUT.as_secs()))?;
    let addresses = lookup.map_err(|error| error.to_string())?;
    Ok(addresses.map(|address: SocketAddr| address.ip()).collect())
}

fn through(name: String, proxy: &Proxy, variable: Option<&str>) -> CheckResult {
    let is_environment = !proxy.is_url();
    match variable {
        None if is_environment => CheckResult::warning(
            name,
            "`proxy` is `environment`, but HTTPS_PROXY is not set, so no proxy is used",
            "set HTTPS_PROXY in the environment of the worker, or remove `proxy`",
        ),
        Some(variable) if is_environment => CheckResult::ok(
            name,
            format!(
                "requests use the proxy in {variable}, which resolves the names of video hosts"
            ),
        ),
        _ => CheckResult::ok(
            name,
            format!("requests use the proxy {proxy}, which resolves the names of video hosts"),
        ),
    }
}

fn resolved(name: String, account: &Account, host: &str, addresses: &[IpAddr]) -> CheckResult {
    let rules = account.fetch_rules();
    let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let Some((address, description)) = rules.refused_address(host, addresses) else {
        let found = match list == host.trim_matches(['[', ']']) {
            true => format!("connects to {list}"),
            false => format!("`{host}` resolves to {list}"),
        };
        return CheckResult::ok(name, found);
    };
    let network = match address {
        IpAddr::V4(v4) if matches!(v4.octets(), [198, 18 | 19, ..]) => FAKE_IP_NETWORK.to_owned(),
        address => address.to_string(),
    };
    CheckResult::warning(
        name,
        format!(
            "`{host}` resolves to {address}, {description}; if video hosts do too, downloads are refused"
        ),
        format!(
            "if a VPN or proxy of this machine answers every name like this, add its network to \
             `allowed_networks` (SEEDANCE_ALLOWED_NETWORKS), e.g. `{network}`; if the service is internal, add \
             its hosts to `url_hosts` with the prefix `http://`"
        ),
    )
}

fn unresolved(name: String, host: &str, error: &str) -> CheckResult {
    CheckResult::failed(
        name,
        format!("cannot resolve `{host}`: {error}"),
        "correct the base URL, or check DNS on this machine; if requests must use a proxy, set `proxy` \
         (SEEDANCE_PROXY)",
    )
}

/// Adds that a proxy of the environment is not used, because it may be meant.
fn with_hint(result: CheckResult, variable: Option<&str>) -> CheckResult {
    let Some(variable) = variable else {
        return result;
    };
    CheckResult {
        found: format!(
            "{}; {variable} is set, but not used: set `proxy = \"environment\"` \
             (SEEDANCE_PROXY=environment) to use it",
            result.found
        ),
        ..result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkup::CheckState,
        config::{Networks, Secret},
    };

    fn account(base_url: &str) -> Account {
        let base_url = base_url.parse().unwrap();
        Account::new("eu", base_url, Secret::from("key".to_owned()))
    }

    fn check_resolved(account: &Account, address: &str) -> CheckResult {
        let host = account.endpoint.base_url.host_str().unwrap();
        resolved("network".into(), account, host, &[address.parse().unwrap()])
    }

    #[test]
    fn a_fake_address_is_a_warning_that_names_the_network() {
        let mut account = account("https://ark.ap-southeast.bytepluses.com/api/v3");
        let public = check_resolved(&account, "1.1.1.1");
        assert_eq!(public.state, CheckState::Ok);
        for (address, network) in [
            ("198.18.0.7", "198.18.0.0/15"),
            ("10.0.0.7", "10.0.0.7"),
            ("::ffff:198.18.0.7", "::ffff:198.18.0.7"),
        ] {
            let result = check_resolved(&account, address);
            assert_eq!(result.state, CheckState::Warning, "{result:?}");
            let fix = result.fix.unwrap();
            assert!(
                fix.contains("`allowed_networks`") && fix.contains(network),
                "{fix}"
            );
        }
        account.allowed_networks = Networks::parse(&["198.18.0.0/15"]).unwrap();
        let allowed = check_resolved(&account, "198.18.0.7");
        assert_eq!(allowed.state, CheckState::Ok, "{allowed:?}");
    }

    #[test]
    fn an_internal_service_may_have_a_private_address() {
        let result = check_resolved(&account("http://gateway:8080/api/v3"), "10.0.0.7");
        assert_eq!(result.state, CheckState::Ok, "{result:?}");
    }

    #[tokio::test]
    async fn a_proxy_of_the_environment_that_is_not_used_is_mentioned() {
        let mut account = account("http://127.0.0.1:1/api/v3");
        let variable = |name: &str| (name == "HTTPS_PROXY").then(|| "http://p:3128".to_owned());
        let results = check(&[account.clone()].into(), variable).await;
        assert!(
            results[0]
                .found
                .contains("HTTPS_PROXY is set, but not used"),
            "{results:?}"
        );

        account
            .set_proxy(Proxy::parse("environment").unwrap())
            .unwrap();
        let results = check(&[account.clone()].into(), variable).await;
        assert!(
            results[0].found.contains("the proxy in HTTPS_PROXY"),
            "{results:?}"
        );
        let results = check(&[account.clone()].into(), |_| None).await;
        assert_eq!(results[0].state, CheckState::Warning, "{results:?}");

        let proxy = Proxy::parse("http://user:secret@proxy.example:3128").unwrap();
        account.set_proxy(proxy).unwrap();
        let results = check(&[account].into(), variable).await;
        let found = &results[0].found;
        assert!(
            found.contains("http://proxy.example:3128") && !found.contains("secret"),
            "{found}"
        );
    }

    #[tokio::test]
    async fn a_host_without_an_address_is_reported() {
        let account = account("https://ark.invalid/api/v3");
        let results = check(&[account].into(), |_| None).await;
        assert_eq!(results[0].state, CheckState::Failed, "{results:?}");
        assert!(
            results[0].found.starts_with("cannot resolve `ark.invalid`"),
            "{results:?}"
        );
    }
}
