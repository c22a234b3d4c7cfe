//! Where an account's videos may come from: URLs in answers are not trusted.

use reqwest::Url;
use seedance_archiver_proto::redact;

use super::address;

/// Hosts that serve an account's videos: each name stands for itself and all under it. One that begins
/// with `http://` is the operator's own: it may do so without TLS, and from inside the network.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlHosts(Vec<String>);

const OWN: &str = "http://";

impl UrlHosts {
    /// These hosts.
    pub fn new<T: Into<String>>(hosts: impl IntoIterator<Item = T>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_lowercase());
        Self(hosts.collect())
    }

    /// These hosts, as somebody has written them. The error completes the sentence "the hosts …".
    pub fn parse<T: AsRef<str>>(hosts: &[T]) -> Result<Self, String> {
        let wrong = hosts.iter().map(T::as_ref).find(|host| !is_host(host));
        match wrong {
            Some(host) => Err(format!(
                "has the host `{}`: give names such as `volces.com`, which stands for all under it, \
                 without port and path, and with `http://` before it only where there is no TLS",
                redact::url_queries(host)
            )),
            None if hosts.is_empty() => Err("names no host, so nothing could be fetched".into()),
            None => Ok(Self::new(hosts.iter().map(T::as_ref))),
        }
    }

    /// These hosts and that of a URL.
    pub fn and_of(mut self, url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        self.0.push(match url.scheme() {
            "http" => format!("{OWN}{host}"),
            _ => host.to_owned(),
        });
        self
    }

    /// Whether the video may be fetched from there; the error says why not.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        let mut names = self
            .0
            .iter()
            .map(|name| name.strip_prefix(OWN).unwrap_or(name));
        if !names.any(|name| is_under(host, name)) {
            return Err(format!(
                "the video URL is on the host `{host}`, which is not among the account's `url_hosts`: \
                 {self}"
            ));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.is_own(host) => Ok(()),
            scheme => Err(format!("the video URL on `{host}` is {scheme}, not https")),
        }
    }

    /// Whether the host is one that the account names with `http://`.
    pub fn is_own(&self, host: &str) -> bool {
        let mut own = self.0.iter().filter_map(|name| name.strip_prefix(OWN));
        own.any(|name| is_under(host, name))
    }
}

impl std::fmt::Display for UrlHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

fn is_host(text: &str) -> bool {
    let text = text.to_lowercase();
    let host = text.strip_prefix(OWN).unwrap_or(&text);
    let url = Url::parse(&format!("https://{host}/"));
    let is_same = url.is_ok_and(|url| url.host_str() == Some(host) && url.port().is_none());
    is_same && !host.starts_with(['.', '*']) && !host.ends_with('.')
}

/// Nothing is under an address: `127.0.0.1` only ends like `0.0.1`. And an empty name is nobody's.
fn is_under(host: &str, name: &str) -> bool {
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
    fn what_can_never_be_a_host_is_refused() {
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
    fn hosts_and_what_is_under_them() {
        let hosts = UrlHosts::new([
            "Volces.com",
            "http://127.0.0.1",
            "http://[::1]",
            "0.0.9",
            "",
        ])
        .and_of(&"http://simulator:8240/api/v3".parse().unwrap())
        .and_of(&"https://gateway.example/api/v3".parse().unwrap());
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
        for (refused, why) in [
            ("https://evilvolces.com/a.mp4", "not among"),
            ("https://volces.com.evil.example/a.mp4", "not among"),
            ("https://user:volces.com@evil.example/", "not among"),
            ("https://evil.example./a.mp4", "not among"),
            ("http://127.0.0.2/a.mp4", "not among"),
            ("https://127.0.0.9/a.mp4", "not among"),
            ("http://ark.volces.com/a.mp4", "not https"),
            ("http://gateway.example/a.mp4", "not https"),
            ("ftp://127.0.0.1/a.mp4", "not https"),
            ("data:video/mp4,a?X-Tos-Signature=s", "not among"),
        ] {
            let fault = check(refused).unwrap_err();
            assert!(
                fault.contains(why) && !fault.contains("Signature"),
                "{fault}"
            );
        }
    }

    #[test]
    fn own_hosts_are_those_named_without_tls() {
        let hosts = UrlHosts::new(["http://simulator", "http://[::1]", "volces.com", "http://"]);
        for own in ["simulator", "a.simulator", "[::1]"] {
            assert!(hosts.is_own(own), "{own}");
        }
        for other in ["volces.com", "notsimulator", "127.0.0.1", "evil.example."] {
            assert!(!hosts.is_own(other), "{other}");
        }
    }
}
