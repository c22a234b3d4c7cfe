//! What may be fetched. Each rule gives its reason, without path and query of the URL.

use std::net::IpAddr;

use reqwest::Url;

use super::{UrlHosts, address};

/// Whether a URL may be asked for, as far as it tells by itself.
pub(super) fn check_url(hosts: &UrlHosts, url: &Url) -> Result<(), String> {
    hosts.check(url)?;
    let host = url.host_str().unwrap_or_default();
    // `reqwest` would make an `Authorization` header of it.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the video URL on `{host}` has a user name or a password"
        ));
    }
    // `reqwest` connects to such a host without a question to the resolver.
    match address::literal(host) {
        Some(address) => check_addresses(hosts, host, &[address]),
        None => Ok(()),
    }
}

/// Whether a redirect may be followed.
pub(super) fn check_redirect(hosts: &UrlHosts, from: &Url, to: &Url) -> Result<(), String> {
    let redirected = |why| {
        format!(
            "redirected by `{}`: {why}",
            from.host_str().unwrap_or_default()
        )
    };
    if from.scheme() == "https" && to.scheme() != "https" {
        let host = to.host_str().unwrap_or_default();
        let why = format!("from https to {} on `{host}`", to.scheme());
        return Err(redirected(why));
    }
    check_url(hosts, to).map_err(redirected)
}

/// Whether a host may have these addresses. One that is not public is enough to refuse them all: no
/// honest host has such a mixture.
pub(super) fn check_addresses(
    hosts: &UrlHosts,
    host: &str,
    addresses: &[IpAddr],
) -> Result<(), String> {
    if hosts.is_own(host) {
        return Ok(());
    }
    let mut faults = addresses
        .iter()
        .filter_map(|address| Some((address, address::why_not_public(*address)?)));
    match faults.next() {
        Some((address, what)) => Err(format!(
            "the video's host `{host}` has {address}, {what}: only a host that `url_hosts` names with \
             `http://` may"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> UrlHosts {
        let inside = [
            "127.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[::ffff:a9fe:a9fe]",
            "1.1.1.1",
        ];
        UrlHosts::new(inside.into_iter().chain([
            "volces.com",
            "http://simulator",
            "http://127.0.0.7",
        ]))
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn urls() {
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
        for (refused, why) in [
            ("https://evil.example/secret.mp4", "not among"),
            ("http://volces.com/secret.mp4", "not https"),
            ("https://user@volces.com/secret.mp4", "user name"),
            ("https://:password@volces.com/secret.mp4", "password"),
            ("https://127.0.0.1/secret.mp4", "127.0.0.1, a loopback"),
            ("https://2130706433/secret.mp4", "127.0.0.1, a loopback"),
            ("https://0177.0.0.1/secret.mp4", "127.0.0.1, a loopback"),
            ("https://0x7f.1/secret.mp4", "127.0.0.1, a loopback"),
            ("https://127.1/secret.mp4", "127.0.0.1, a loopback"),
            ("https://127.0.0.1./secret.mp4", "127.0.0.1, a loopback"),
            ("https://①②⑦.0.0.1/secret.mp4", "127.0.0.1, a loopback"),
            (
                "https://%31%32%37.0.0.1/secret.mp4",
                "127.0.0.1, a loopback",
            ),
            ("https://0xa9fea9fe/secret.mp4", "metadata"),
            ("https://[::1]/secret.mp4", "::1, a loopback"),
            ("https://[0:0:0:0:0:0:0:1]/secret.mp4", "::1, a loopback"),
            ("https://[::ffff:169.254.169.254]/secret.mp4", "metadata"),
        ] {
            let fault = check_url(&hosts(), &url(refused)).unwrap_err();
            assert!(
                fault.contains(why) && !fault.contains("secret"),
                "{refused}: {fault}"
            );
        }
    }

    #[test]
    fn redirects() {
        let check = |from, to| check_redirect(&hosts(), &url(from), &url(to));
        for (from, to) in [
            ("https://volces.com/", "https://a.volces.com/"),
            ("http://simulator/", "https://volces.com/"),
            ("http://simulator/", "http://simulator/secret.mp4"),
        ] {
            assert_eq!(check(from, to), Ok(()), "{from} {to}");
        }
        for (from, to, why) in [
            (
                "https://volces.com/",
                "http://simulator/secret.mp4",
                "from https to http",
            ),
            (
                "https://simulator/",
                "http://simulator/secret.mp4",
                "from https to http",
            ),
            (
                "https://volces.com/",
                "ftp://volces.com/secret.mp4",
                "from https to ftp",
            ),
            (
                "https://volces.com/",
                "https://evil.example/secret.mp4",
                "not among",
            ),
            (
                "https://volces.com/",
                "https://127.0.0.1/secret.mp4",
                "a loopback",
            ),
            (
                "http://simulator/",
                "http://169.254.169.254/secret",
                "not https",
            ),
            (
                "https://volces.com/",
                "https://a@volces.com/secret",
                "user name",
            ),
        ] {
            let fault = check(from, to).unwrap_err();
            assert!(fault.contains(why) && !fault.contains("secret"), "{fault}");
            assert!(fault.starts_with("redirected by `"), "{fault}");
        }
    }

    #[test]
    fn one_address_inside_is_enough() {
        let [public, private] = ["1.1.1.1", "10.0.0.1"].map(|address| address.parse().unwrap());
        let check = |host, addresses: &[IpAddr]| check_addresses(&hosts(), host, addresses);
        assert_eq!(check("volces.com", &[public]), Ok(()));
        assert_eq!(check("simulator", &[private]), Ok(()));
        let fault = check("volces.com", &[public, private]).unwrap_err();
        assert!(
            fault.contains("`volces.com` has 10.0.0.1, a private"),
            "{fault}"
        );
    }
}
