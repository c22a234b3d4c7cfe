//! The way to the API and to the hosts of videos.

use super::*;

#[test]
fn plain_http_to_a_public_host_needs_permission() {
    const PUBLIC: (&str, &str) = ("SEEDANCE_BASE_URL", "http://gateway.example/api/v3");
    let error = errors(&[KEY, ARCHIVE, PUBLIC]).remove(0);
    assert!(
        error.starts_with("SEEDANCE_BASE_URL uses plain HTTP to a public host"),
        "{error}"
    );
    let lookup = |name: &str| variable(&[KEY, ARCHIVE, PUBLIC], name);
    let loaded = LoadedConfig::load(lookup, None);
    assert_eq!(
        loaded.accounts.iter().count(),
        0,
        "no command may use the account"
    );

    let allow = ("SEEDANCE_ALLOW_PLAIN_HTTP", "true");
    assert!(load(&[KEY, ARCHIVE, PUBLIC, allow]).is_ok());
    for private in [
        "http://127.0.0.1:8240/api/v3",
        "http://gateway:8080",
        "http://a.b.svc",
    ] {
        let base_url = ("SEEDANCE_BASE_URL", private);
        assert!(load(&[KEY, ARCHIVE, base_url]).is_ok(), "{private}");
        // The proxy would read the key.
        let proxy = ("SEEDANCE_PROXY", "http://proxy.example:3128");
        assert_eq!(
            errors(&[KEY, ARCHIVE, base_url, proxy]).len(),
            1,
            "{private}"
        );
    }
    let proxy = ("SEEDANCE_PROXY", "http://proxy.example:3128");
    assert!(load(&[KEY, ARCHIVE, proxy]).is_ok(), "the preset uses TLS");
}

#[test]
fn a_proxy_and_networks_are_set_by_variables() {
    let proxy = (
        "SEEDANCE_PROXY",
        "http://user:very-secret@proxy.example:3128",
    );
    let networks = ("SEEDANCE_ALLOWED_NETWORKS", "198.18.0.0/15, fd00::/8");
    let lookup = |name: &str| variable(&[KEY, ARCHIVE, proxy, networks], name);
    let loaded = LoadedConfig::load(lookup, None);
    let account = loaded.accounts.get("").unwrap();
    assert!(
        account.endpoint.http.is_some(),
        "the API is called through the proxy"
    );
    let rules = account.fetch_rules();
    let shown = "http://proxy.example:3128 (with a user name)";
    assert_eq!(rules.proxy.unwrap().to_string(), shown);
    assert_eq!(
        rules.allowed_networks.to_string(),
        "198.18.0.0/15, fd00::/8"
    );
    let setting = |name: &str| {
        let mut settings = loaded.settings.iter();
        settings.find(|setting| setting.name == name).unwrap()
    };
    assert_eq!(setting("accounts.default.proxy").value, shown);
    assert!(!format!("{loaded:?}").contains("very-secret"));

    for (proxy, problem) in [
        ("socks5://very-secret", "is not the URL of an HTTP proxy"),
        ("http://user:very-secret@host/path", "has a path"),
    ] {
        let error = errors(&[KEY, ARCHIVE, ("SEEDANCE_PROXY", proxy)]).remove(0);
        assert!(
            error.starts_with(&format!("SEEDANCE_PROXY {problem}")),
            "{error}"
        );
        assert!(!error.contains("very-secret"), "{error}");
    }
    let error = errors(&[KEY, ARCHIVE, ("SEEDANCE_ALLOWED_NETWORKS", "clash")]).remove(0);
    assert!(error.contains("is not a network"), "{error}");
}
