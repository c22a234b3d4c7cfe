use reqwest::Url;
use seedance_archiver_proto::external;

use super::address;

/// The hosts from which an account downloads videos. Each name includes its subdomains. A name with the prefix
/// `http://` is an internal host, which may use plain HTTP and addresses that are not public.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlHosts(Vec<String>);

/// Prefix of an internal host in the list.
const INTERNAL_PREFIX: &str = "http://";

impl UrlHosts {
    /// Returns a list of hosts without checking them. See [`parse`](Self::parse).
    pub fn new<T: Into<String>>(hosts: impl IntoIterator<Item = T>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_lowercase());
        Self(hosts.collect())
    }

    /// Checks a list of hosts and returns it.
    ///
    /// # Errors
    ///
    /// Returns an error if the list is empty, or contains text that is not a host name. The error completes
    /// "`url_hosts` …".
    pub fn parse<T: AsRef<str>>(hosts: &[T]) -> Result<Self, String> {
        let invalid = hosts.iter().map(T::as_ref).find(|host| !is_host(host));
        match invalid {
            Some(host) => Err(format!(
                "contains `{}`, which is not a host name; use names such as `volces.com` (subdomains are \
                 included), without a port or path; prefix a host with `http://` only if it is internal",
                external::quote(host)
            )),
            None if hosts.is_empty() => {
                Err("is empty, so no video could be downloaded; add a host".into())
            }
            None => Ok(Self::new(hosts.iter().map(T::as_ref))),
        }
    }

    /// Adds the host of a URL, as an internal host if the scheme is `http`.
    pub fn with_host_of(mut self, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        self.0.push(match url.scheme() {
            "http" => format!("{INTERNAL_PREFIX}{host}"),
            _ => host.to_owned(),
        });
        self
    }

    /// Checks whether a video URL is on one of the hosts, and uses `https` unless the host is internal.
    ///
    /// # Errors
    ///
    /// Returns the reason why the URL is not allowed.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        if !self.contain(host) {
            return Err(format!(
                "video host `{host}` is not in `url_hosts` ({self}); add it if you trust it"
            ));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.is_internal(host) => Ok(()),
            scheme => Err(format!(
                "the video URL on `{host}` uses {scheme} instead of https"
            )),
        }
    }

    /// Returns whether a host is one of the hosts, or a subdomain.
    pub fn contain(&self, host: &str) -> bool {
        let mut names = self
            .0
            .iter()
            .map(|name| name.strip_prefix(INTERNAL_PREFIX).unwrap_or(name));
        names.any(|name| is_host_or_subdomain(host, name))
    }

    /// Returns whether a host is internal.
    pub fn is_internal(&self, host: &str) -> bool {
        let mut internal = self
            .0
            .iter()
            .filter_map(|name| name.strip_prefix(INTERNAL_PREFIX));
        internal.any(|name| is_host_or_subdomain(host, name))
    }
}

impl std::fmt::Display for UrlHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_host(text: &str) -> bool {
    let text = text.to_lowercase();
    let host = text.strip_prefix(INTERNAL_PREFIX).unwrap_or(&text);
    let url = Url::parse(&format!("https://{host}/"));
    let is_same = url.is_ok_and(|url| url.host_str() == Some(host) && url.port().is_none());
    is_same && !host.starts_with(['.', '*']) && !host.ends_with('.')
}

/// Returns whether a host is `name` or a subdomain of `name`. Addresses have no subdomains: `127.0.0.1` is not a
/// subdomain of `0.0.1`.
fn is_host_or_subdomain(host: &str, name: &str) -> bool {
    match host.strip_suffix(name) {
        _ if name.is_empty() => false,
        Some("") => true,
        Some(rest) => rest.ends_with('.') && address::literal(host).is_none(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_rejects_text_that_is_not_a_host() {
        let parse = |host: &str| UrlHosts::parse(&[host]).is_ok();
        for host in [
            "volces.com",
            "Volces.com",
            "127.0.0.1",
            "http://[::1]",
            "http://simulator",
        ] {
            assert!(parse(host), "{host}");
        }
        for host in [
            "",
            "http://",
            "https://volces.com",
            "volces.com:443",
            "volces.com/videos",
            "*.volces.com",
            ".volces.com",
            "volces.com.",
            "user@volces.com",
        ] {
            assert!(!parse(host), "{host}");
        }
        assert!(UrlHosts::parse::<&str>(&[]).is_err());
    }

    #[test]
    fn a_host_includes_its_subdomains() {
        let hosts = UrlHosts::new([
            "Volces.com",
            "http://127.0.0.1",
            "http://[::1]",
            "0.0.9",
            "",
        ])
        .with_host_of(&"http://simulator:8240/api/v3".parse().unwrap())
        .with_host_of(&"https://gateway.example/api/v3".parse().unwrap());
        let check = |url: &str| hosts.check(&url.parse().unwrap());
        for allowed in [
            "https://volces.com/a.mp4",
            "https://ark.tos-ap-southeast-1.volces.com/a.mp4?X-Tos-Signature=s",
            "http://127.0.0.1:8240/a.mp4",
            "http://[::1]/a.mp4",
            "http://simulator:8240/a.mp4",
            "https://cdn.gateway.example/a.mp4",
        ] {
            assert_eq!(check(allowed), Ok(()), "{allowed}");
        }
        for (refused, expected) in [
            ("https://evilvolces.com/a.mp4", "not in"),
            ("https://volces.com.evil.example/a.mp4", "not in"),
            ("https://user:volces.com@evil.example/", "not in"),
            ("https://evil.example./a.mp4", "not in"),
            ("http://127.0.0.2/a.mp4", "not in"),
            ("https://127.0.0.9/a.mp4", "not in"),
            ("http://ark.volces.com/a.mp4", "instead of https"),
            ("http://gateway.example/a.mp4", "instead of https"),
            ("ftp://127.0.0.1/a.mp4", "instead of https"),
            ("data:video/mp4,a?X-Tos-Signature=s", "not in"),
        ] {
            let error = check(refused).unwrap_err();
            let leaks_query = error.contains("Signature");
            assert!(error.contains(expected) && !leaks_query, "{error}");
        }
    }

    #[test]
    fn the_prefix_http_makes_a_host_internal() {
        let hosts = UrlHosts::new(["http://simulator", "http://[::1]", "volces.com", "http://"]);
        for internal in ["simulator", "a.simulator", "[::1]"] {
            assert!(hosts.is_internal(internal), "{internal}");
        }
        for other in ["volces.com", "notsimulator", "127.0.0.1", "evil.example."] {
            assert!(!hosts.is_internal(other), "{other}");
        }
    }
}
