use std::fmt;

use reqwest::{ClientBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::{Network, unencrypted};

/// The value of a setting that stands for the proxy variables of the environment.
const ENVIRONMENT: &str = "environment";
/// The variables of the environment that name a proxy for `https` URLs, the first that is set counts.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// An HTTP proxy. Its `Display` and `Debug` output contains no user name and no password.
#[derive(Clone)]
pub struct Proxy(Kind);

#[derive(Clone)]
enum Kind {
    /// Those of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, except for the hosts in `NO_PROXY`.
    Environment,
    /// One proxy for all hosts.
    Url { url: SecretString, address: String },
}

impl Proxy {
    /// Returns the proxies that the variables of the environment name.
    pub fn environment() -> Self {
        Self(Kind::Environment)
    }

    /// Parses `environment`, or the URL of a proxy such as `http://user:password@host:3128`.
    ///
    /// # Errors
    ///
    /// Returns an error without the URL, which may contain a password. It completes "the setting …".
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == ENVIRONMENT {
            return Ok(Self::environment());
        }
        let invalid = |problem: &str| {
            format!(
                "{problem}; use `http://host:port`, `http://user:password@host:port` or `environment`"
            )
        };
        let url = Url::parse(text).map_err(|_| invalid("is not the URL of a proxy"))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let (Some(host), "http" | "https") = (host, url.scheme()) else {
            return Err(invalid("is not the URL of an HTTP proxy"));
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("has a path or a query"));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        let note = if has_credentials {
            " (with a user name)"
        } else {
            ""
        };
        Ok(Self(Kind::Url {
            address: format!("{}://{host}:{port}{note}", url.scheme()),
            url: text.to_owned().into(),
        }))
    }

    /// Returns the name of the environment variable that names a proxy, if one is set.
    pub fn variable(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
        let is_set = |name: &&&str| variable(name).is_some_and(|value| !value.trim().is_empty());
        VARIABLES.iter().find(is_set).copied()
    }

    /// Returns whether the proxy is given by its URL, instead of by the environment.
    pub fn is_url(&self) -> bool {
        matches!(self.0, Kind::Url { .. })
    }

    /// Returns whether the proxy has credentials.
    pub fn is_secret(&self) -> bool {
        match &self.0 {
            Kind::Environment => false,
            Kind::Url { url, .. } => url.expose_secret().contains('@'),
        }
    }

    /// Returns the networks that requests to the proxy cross unencrypted, or `None` if they are encrypted or the
    /// environment names the proxy.
    pub fn unencrypted(&self) -> Option<Network> {
        match &self.0 {
            Kind::Environment => None,
            Kind::Url { url, .. } => unencrypted(&Url::parse(url.expose_secret()).ok()?),
        }
    }

    /// Lets a client send its requests through the proxy.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL of the proxy is invalid.
    pub fn apply(&self, client: ClientBuilder) -> Result<ClientBuilder, reqwest::Error> {
        match &self.0 {
            // The default of a builder whose `no_proxy` was not called.
            Kind::Environment => Ok(client),
            Kind::Url { url, .. } => Ok(client.proxy(reqwest::Proxy::all(url.expose_secret())?)),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Environment => f.write_str(ENVIRONMENT),
            Kind::Url { address, .. } => f.write_str(address),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_http_url_or_the_environment() {
        for (text, shown) in [
            ("environment", "environment"),
            (" http://proxy.example:3128 ", "http://proxy.example:3128"),
            ("http://10.0.0.1", "http://10.0.0.1:80"),
            ("https://proxy.example/", "https://proxy.example:443"),
            (
                "http://user:secret@proxy.example:3128",
                "http://proxy.example:3128 (with a user name)",
            ),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
            assert_eq!(proxy.is_secret(), text.contains("secret"));
        }
        for text in [
            "",
            "proxy.example:3128",
            "socks5://proxy.example:1080",
            "http://",
            "http://user:secret@proxy.example/path",
            "http://proxy.example?secret",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.contains("use `http://host:port`"), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_environment_names_a_proxy_for_https() {
        let variable = |set: &'static str| move |name: &str| (name == set).then(|| "p".to_owned());
        assert_eq!(
            Proxy::variable(variable("https_proxy")),
            Some("https_proxy")
        );
        assert_eq!(Proxy::variable(variable("ALL_PROXY")), Some("ALL_PROXY"));
        assert_eq!(Proxy::variable(variable("HTTP_PROXY")), None);
        assert_eq!(Proxy::variable(|_| Some(" ".to_owned())), None);
    }
}
