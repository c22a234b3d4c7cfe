//! The webhook of an account: who receives its events, and with which keys they are signed.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretSlice};
use seedance_archiver_http::{Network, Proxy, unencrypted};

use super::Secret;

/// Prefix of a key of Standard Webhooks.
const KEY_PREFIX: &str = "whsec_";
/// Length of a key in bytes, as Standard Webhooks recommends.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Who receives the events of an account.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// URL to which events are posted. It is a secret, because receivers often have a token in it.
    pub url: Secret,
    /// The keys, separated by white space. Each one signs every event, so that a receiver accepts the new key and the old
    /// one while it is rotated.
    pub keys: Secret,
}

impl Webhook {
    /// Returns the current URL. `proxy` is that of the account.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL cannot be read or is invalid, or if events to it would cross public networks unencrypted:
    /// the URL is a secret. The error completes the sentence "the URL …" and contains no part of the URL.
    pub(crate) fn receiver(&self, proxy: Option<&Proxy>) -> Result<Url, String> {
        let url = self.url.read();
        let url = url.map_err(|error| format!("cannot be read: {error}"))?;
        let url = parse_url(url.expose_secret())?;
        check_route(&url, proxy)?;
        Ok(url)
    }

    /// Returns the current keys.
    ///
    /// # Errors
    ///
    /// Returns an error if the keys cannot be read or one is invalid. It completes the sentence "the key …" and contains no
    /// part of a key.
    pub(crate) fn signing_keys(&self) -> Result<Vec<SecretSlice<u8>>, String> {
        let keys = self.keys.read();
        let keys = keys.map_err(|error| format!("cannot be read: {error}"))?;
        keys.expose_secret()
            .split_whitespace()
            .map(parse_key)
            .collect()
    }
}

fn check_route(url: &Url, proxy: Option<&Proxy>) -> Result<(), String> {
    let Some(network) = unencrypted(url) else {
        return Ok(());
    };
    let through = proxy.and_then(Proxy::unencrypted);
    if network == Network::Public || through == Some(Network::Public) {
        return Err(
            "uses plain HTTP over a public network, which would send the URL unencrypted; use `https://`"
                .to_owned(),
        );
    }
    Ok(())
}

fn parse_url(text: &str) -> Result<Url, String> {
    let fix = "use a URL such as `https://receiver.example/events`";
    let url = Url::parse(text).map_err(|_| format!("is not a URL; {fix}"))?;
    match url.scheme() {
        "https" | "http" if !url.has_host() => Err(format!("has no host; {fix}")),
        "https" | "http" if url.fragment().is_some() => {
            Err(format!("has a fragment, which is not sent; {fix}"))
        }
        "https" | "http" => Ok(url),
        _ => Err(format!("is not an HTTP URL; {fix}")),
    }
}

fn parse_key(text: &str) -> Result<SecretSlice<u8>, String> {
    let encoded = text.strip_prefix(KEY_PREFIX).unwrap_or(text);
    let key = BASE64_STANDARD.decode(encoded).ok();
    let key = key.filter(|key| KEY_LENGTHS.contains(&key.len()));
    key.map(SecretSlice::from).ok_or_else(|| {
        format!(
            "must be {} to {} random bytes in base64, with or without the prefix `{KEY_PREFIX}`; use the output of \
             `openssl rand -base64 32`",
            KEY_LENGTHS.start(),
            KEY_LENGTHS.end()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn webhook(url: &str, keys: &str) -> Webhook {
        Webhook {
            url: url.to_owned().into(),
            keys: keys.to_owned().into(),
        }
    }

    #[test]
    fn a_url_is_http_and_its_errors_do_not_repeat_it() {
        for url in [
            "https://a.example/t0ken",
            "https://user:t0ken@a.example/?t0ken",
            "http://localhost:9/t0ken",
        ] {
            assert_eq!(webhook(url, KEY).receiver(None).unwrap().as_str(), url);
        }
        for url in [
            "t0ken",
            "ftp://a.example/t0ken",
            "https://",
            "https://a.example/#t0ken",
        ] {
            let error = webhook(url, KEY).receiver(None).unwrap_err();
            assert!(error.contains("; use a URL such as"), "{error}");
            assert!(!error.contains("t0ken"), "{error}");
        }
    }

    #[test]
    fn plain_http_stays_in_private_networks() {
        let check = |url, proxy: Option<&str>| {
            let proxy = proxy.map(|proxy| Proxy::parse(proxy).unwrap());
            webhook(url, KEY).receiver(proxy.as_ref()).is_ok()
        };
        assert!(check("https://a.example", None));
        assert!(check("http://receiver.events.svc:8080", None));
        assert!(check("http://127.0.0.1:8080", Some("environment")));
        assert!(!check("http://a.example", None));
        assert!(!check("http://10.0.0.1", Some("http://proxy.example:3128")));
        assert!(check(
            "https://a.example",
            Some("http://proxy.example:3128")
        ));
    }

    #[test]
    fn several_keys_are_separated_by_white_space() {
        let without_prefix = KEY.strip_prefix("whsec_").unwrap();
        let keys = webhook("", &format!("{KEY}\n  {without_prefix} \n"));
        let keys = keys.signing_keys().unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].expose_secret(), keys[1].expose_secret());
        assert_eq!(keys[0].expose_secret().len(), 24);
    }

    #[test]
    fn a_key_is_random_bytes_and_its_errors_do_not_repeat_it() {
        for key in [
            "whsec_c2hvcnQ=",
            "not base64!",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            &format!("{KEY} whsec_c2hvcnQ="),
        ] {
            let error = webhook("", key).signing_keys().unwrap_err();
            assert!(error.contains("openssl rand -base64 32"), "{error}");
            assert!(
                !error.contains("c2hv") && !error.contains("MfKQ"),
                "{error}"
            );
        }
    }
}
