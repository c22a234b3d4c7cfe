//! Where an account's videos may come from: URLs in answers are not trusted.

use reqwest::Url;

use super::SecretUrl;

/// Hosts that serve an account's videos: each name stands for itself and all under it.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlHosts(Vec<String>);

impl UrlHosts {
    /// These hosts.
    pub fn new<T: Into<String>>(hosts: impl IntoIterator<Item = T>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.into().to_lowercase());
        Self(hosts.collect())
    }

    /// These hosts and that of a URL.
    pub fn and_of(mut self, url: &Url) -> Self {
        self.0.extend(url.host_str().map(str::to_owned));
        self
    }

    /// Whether the video may be fetched from there; the error says why not. Without TLS it may come
    /// from a loopback host only, and only where that is among the hosts.
    pub fn check(&self, url: &SecretUrl) -> Result<(), String> {
        let Ok(url) = Url::parse(url.expose()) else {
            return Err("the video URL is not a URL".into());
        };
        let host = url.host_str().unwrap_or_default();
        if !self.0.iter().any(|allowed| is_under(host, allowed)) {
            return Err(format!(
                "the video URL is on the host `{host}`, which is not among the account's `url_hosts`: \
                 {}",
                self.0.join(", ")
            ));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_loopback(&url) => Ok(()),
            scheme => Err(format!("the video URL on `{host}` is {scheme}, not https")),
        }
    }
}

fn is_under(host: &str, allowed: &str) -> bool {
    host.strip_suffix(allowed)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']);
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_what_is_under_them() {
        let hosts = UrlHosts::new(["Volces.com", "127.0.0.1", "[::1]"]);
        let check = |url: &str| hosts.check(&SecretUrl::new(url.into()));
        for allowed in [
            "https://volces.com/a.mp4",
            "https://ark.tos-ap-southeast-1.volces.com/a.mp4?X-Tos-Signature=s",
            "http://127.0.0.1:8240/a.mp4",
            "http://[::1]/a.mp4",
        ] {
            assert_eq!(check(allowed), Ok(()), "{allowed}");
        }
        for (refused, why) in [
            ("https://evilvolces.com/a.mp4", "not among"),
            ("https://volces.com.evil.example/a.mp4", "not among"),
            ("https://user:volces.com@evil.example/", "not among"),
            ("http://127.0.0.2/a.mp4", "not among"),
            ("http://ark.volces.com/a.mp4", "not https"),
            ("ftp://127.0.0.1/a.mp4", "not https"),
            ("nonsense?X-Tos-Signature=s", "not a URL"),
        ] {
            let fault = check(refused).unwrap_err();
            assert!(
                fault.contains(why) && !fault.contains("Signature"),
                "{fault}"
            );
        }
    }
}
