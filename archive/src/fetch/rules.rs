//! Rules for the URLs, redirects and addresses that an account allows. The errors contain neither the path nor the
//! query of a URL.

use std::net::IpAddr;

use reqwest::Url;

use super::{UrlHosts, address};

/// Checks a URL before its host name is resolved.
pub(super) fn check_url(hosts: &UrlHosts, url: &Url) -> Result<(), String> {
    hosts.check(url)?;
    let host = url.host_str().unwrap_or_default();
    // `reqwest` would send a user name or password as an `Authorization` header.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the video URL on `{host}` contains a user name or a password"
        ));
    }
    // `reqwest` does not call the resolver for an IP address.
    match address::literal(host) {
        Some(address) => check_addresses(hosts, host, &[address]),
        None => Ok(()),
    }
}

/// Checks a redirect.
pub(super) fn check_redirect(hosts: &UrlHosts, from: &Url, to: &Url) -> Result<(), String> {
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
    check_url(hosts, to).map_err(redirected)
}

/// Checks the addresses of a host. If any is not public, the host is refused: no legitimate host has both kinds.
pub(super) fn check_addresses(
    hosts: &UrlHosts,
    host: &str,
    addresses: &[IpAddr],
) -> Result<(), String> {
    if hosts.is_internal(host) {
        return Ok(());
    }
    let mut not_public = addresses
        .iter()
        .filter_map(|address| Some((address, address::why_not_public(*address)?)));
    match not_public.next() {
        Some((address, description)) => {
            let problem = match address::literal(host) {
                Some(_) => format!("is {description}"),
                None => format!("resolves to {address}, {description}"),
            };
            Err(format!(
                "video host `{host}` {problem}; if the host is internal, add it to `url_hosts` with the prefix \
                 `http://`"
            ))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(check_url(&hosts(), &url(allowed)), Ok(()), "{allowed}");
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
            let error = check_url(&hosts(), &url(refused)).unwrap_err();
            assert!(
                error.contains(expected) && !error.contains("secret"),
                "{refused}: {error}"
            );
        }
    }

    #[test]
    fn a_redirect_must_not_leave_https_or_the_allowed_hosts() {
        let check = |from, to| check_redirect(&hosts(), &url(from), &url(to));
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
        let check = |host, addresses: &[IpAddr]| check_addresses(&hosts(), host, addresses);
        assert_eq!(check("volces.com", &[public]), Ok(()));
        assert_eq!(check("simulator", &[private]), Ok(()));
        let error = check("volces.com", &[public, private]).unwrap_err();
        assert!(
            error.contains("`volces.com` resolves to 10.0.0.1, a private"),
            "{error}"
        );
    }
}
