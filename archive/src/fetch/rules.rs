//! Rules for the URLs, redirects and addresses that an account allows. The errors contain neither the path nor the
//! query of a URL.

use std::net::IpAddr;

use reqwest::Url;

use super::{FetchRules, address};

/// Checks a URL before its host name is resolved.
pub(super) fn check_url(rules: &FetchRules, url: &Url) -> Result<(), String> {
    rules.hosts.check(url)?;
    let host = url.host_str().unwrap_or_default();
    // `reqwest` would send a user name or password as an `Authorization` header.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the video URL on `{host}` contains a user name or a password"
        ));
    }
    // `reqwest` does not call the resolver for an IP address.
    match address::literal(host) {
        Some(address) => check_addresses(rules, host, &[address]),
        None => Ok(()),
    }
}

/// Checks a redirect.
pub(super) fn check_redirect(rules: &FetchRules, from: &Url, to: &Url) -> Result<(), String> {
    let redirected = |problem| {
        format!(
            "redirect from `{}`: {problem}",
            from.host_str().unwrap_or_default()
        )
    };
    if from.scheme() == "https" && to.scheme() != "https" {
        let host = to.host_str().unwrap_or_default();
        let problem = format!("downgrade from https to {} on `{host}`", to.scheme());
        return Err(redirected(problem));
    }
    check_url(rules, to).map_err(redirected)
}

/// Checks the addresses to which a name was resolved. Through a proxy, only the proxy itself and the hosts that
/// bypass it are resolved here. The proxy is not in `url_hosts`, and its address is not checked.
pub(super) fn check_resolved(
    rules: &FetchRules,
    name: &str,
    addresses: &[IpAddr],
) -> Result<(), String> {
    match rules.proxy.is_some() && !rules.hosts.contain(name) {
        true => Ok(()),
        false => check_addresses(rules, name, addresses),
    }
}

/// Checks the addresses of a host. If any is not public, the host is refused: no legitimate host has both kinds.
pub(super) fn check_addresses(
    rules: &FetchRules,
    host: &str,
    addresses: &[IpAddr],
) -> Result<(), String> {
    if rules.hosts.is_internal(host) {
        return Ok(());
    }
    let is_allowed =
        |address: IpAddr| rules.allowed_networks.contain(address) && !address::is_metadata(address);
    let mut not_public = addresses
        .iter()
        .filter(|address| !is_allowed(**address))
        .filter_map(|address| Some((address, address::why_not_public(*address)?)));
    match not_public.next() {
        Some((address, description)) => {
            let problem = match address::literal(host) {
                Some(_) => format!("is {description}"),
                None => format!("resolves to {address}, {description}"),
            };
            Err(format!(
                "video host `{host}` {problem}; if the host is internal, add it to `url_hosts` with the prefix \
                 `http://`; if a proxy or VPN resolves names to such addresses, add their network to \
                 `allowed_networks`"
            ))
        }
        None => Ok(()),
    }
}

impl FetchRules {
    /// Returns the first of a host's addresses that is not public, with a description such as "a private address".
    /// Returns `None` if downloads from these addresses are allowed.
    pub fn refused_address(
        &self,
        host: &str,
        addresses: &[IpAddr],
    ) -> Option<(IpAddr, &'static str)> {
        if self.hosts.is_internal(host) {
            return None;
        }
        let is_allowed = |address: IpAddr| {
            self.allowed_networks.contain(address) && !address::is_metadata(address)
        };
        let mut refused = addresses.iter().filter(|address| !is_allowed(**address));
        refused.find_map(|address| Some((*address, address::why_not_public(*address)?)))
    }
}

#[cfg(test)]
mod tests {
    use seedance_archiver_http::Proxy;

    use super::*;
    use crate::fetch::{Networks, UrlHosts};

    fn rules() -> FetchRules {
        hosts().into()
    }

    fn hosts() -> UrlHosts {
        let addresses = [
            "127.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[::ffff:a9fe:a9fe]",
            "1.1.1.1",
        ];
        UrlHosts::new(addresses.into_iter().chain([
            "volces.com",
            "http://simulator",
            "http://127.0.0.7",
        ]))
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_needs_an_allowed_host_https_and_a_public_address() {
        for allowed in [
            "https://volces.com/secret.mp4",
            "https://a.volces.com:8443/secret.mp4",
            "https://1.1.1.1/secret.mp4",
            "http://127.0.0.7/secret.mp4",
            "https://127.7/secret.mp4",
            "http://simulator:8240/secret.mp4",
        ] {
            assert_eq!(check_url(&rules(), &url(allowed)), Ok(()), "{allowed}");
        }
        for (refused, expected) in [
            ("https://evil.example/secret.mp4", "not in"),
            ("http://volces.com/secret.mp4", "instead of https"),
            ("https://user@volces.com/secret.mp4", "user name"),
            ("https://:password@volces.com/secret.mp4", "password"),
            ("https://127.0.0.1/secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://2130706433/secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://0177.0.0.1/secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://0x7f.1/secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://127.1/secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://127.0.0.1./secret.mp4", "`127.0.0.1` is a loopback"),
            ("https://①②⑦.0.0.1/secret.mp4", "`127.0.0.1` is a loopback"),
            (
                "https://%31%32%37.0.0.1/secret.mp4",
                "`127.0.0.1` is a loopback",
            ),
            ("https://0xa9fea9fe/secret.mp4", "metadata"),
            ("https://[::1]/secret.mp4", "`[::1]` is a loopback"),
            (
                "https://[0:0:0:0:0:0:0:1]/secret.mp4",
                "`[::1]` is a loopback",
            ),
            ("https://[::ffff:169.254.169.254]/secret.mp4", "metadata"),
        ] {
            let error = check_url(&rules(), &url(refused)).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains("secret"),
                "{refused}: {error}"
            );
        }
    }

    #[test]
    fn a_redirect_must_not_leave_https_or_the_allowed_hosts() {
        let check = |from, to| check_redirect(&rules(), &url(from), &url(to));
        for (from, to) in [
            ("https://volces.com/", "https://a.volces.com/"),
            ("http://simulator/", "https://volces.com/"),
            ("http://simulator/", "http://simulator/secret.mp4"),
        ] {
            assert_eq!(check(from, to), Ok(()), "{from} {to}");
        }
        for (from, to, expected) in [
            (
                "https://volces.com/",
                "http://simulator/secret.mp4",
                "downgrade from https to http",
            ),
            (
                "https://simulator/",
                "http://simulator/secret.mp4",
                "downgrade from https to http",
            ),
            (
                "https://volces.com/",
                "ftp://volces.com/secret.mp4",
                "downgrade from https to ftp",
            ),
            (
                "https://volces.com/",
                "https://evil.example/secret.mp4",
                "not in",
            ),
            (
                "https://volces.com/",
                "https://127.0.0.1/secret.mp4",
                "a loopback",
            ),
            (
                "http://simulator/",
                "http://169.254.169.254/secret",
                "instead of https",
            ),
            (
                "https://volces.com/",
                "https://a@volces.com/secret",
                "user name",
            ),
        ] {
            let error = check(from, to).unwrap_err();
            let leaks_path = error.contains("secret");
            assert!(error.contains(expected) && !leaks_path, "{error}");
            assert!(error.starts_with("redirect from `"), "{error}");
        }
    }

    #[test]
    fn a_host_with_any_non_public_address_is_refused() {
        let [public, private] = ["1.1.1.1", "10.0.0.1"].map(|address| address.parse().unwrap());
        let check = |host, addresses: &[IpAddr]| check_addresses(&rules(), host, addresses);
        assert_eq!(check("volces.com", &[public]), Ok(()));
        assert_eq!(check("simulator", &[private]), Ok(()));
        let error = check("volces.com", &[public, private]).unwrap_err();
        assert!(
            error.contains("`volces.com` resolves to 10.0.0.1, a private"),
            "{error}"
        );
    }

    #[test]
    fn an_allowed_network_counts_as_public() {
        let rules = FetchRules {
            allowed_networks: Networks::parse(&["198.18.0.0/15", "169.254.0.0/16"]).unwrap(),
            ..rules()
        };
        let check =
            |address: &str| check_addresses(&rules, "volces.com", &[address.parse().unwrap()]);
        assert_eq!(check("198.18.0.7"), Ok(()));
        assert_eq!(check("::ffff:198.19.0.7"), Ok(()));
        assert_eq!(check("169.254.1.1"), Ok(()));
        for refused in ["10.0.0.1", "127.0.0.1", "169.254.169.254"] {
            let error = check(refused).unwrap_err();
            assert!(error.contains("`allowed_networks`"), "{error}");
        }
        let plain = check_url(&rules, &url("http://volces.com/secret.mp4"));
        assert!(plain.unwrap_err().contains("instead of https"));
    }

    #[test]
    fn the_address_of_a_proxy_is_not_checked() {
        let private = ["10.0.0.1".parse().unwrap()];
        let direct = check_resolved(&rules(), "proxy.example", &private);
        assert!(direct.is_err());
        let rules = FetchRules {
            proxy: Some(Proxy::parse("environment").unwrap()),
            ..rules()
        };
        assert_eq!(check_resolved(&rules, "proxy.example", &private), Ok(()));
        // A host that bypasses the proxy.
        let bypassing = check_resolved(&rules, "a.volces.com", &private);
        assert!(bypassing.unwrap_err().contains("a private address"));
        let other = check_url(&rules, &url("https://evil.example/secret.mp4"));
        assert!(other.unwrap_err().contains("not in `url_hosts`"));
    }
}
