//! Presets of the public services.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Url;

use super::UrlHosts;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A public service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) base_url: &'static str,
    /// Domain of the service: its API and possibly its videos are on hosts of this domain.
    domain: &'static str,
    pub(super) url_lifetime: Duration,
}

/// The preset whose base URL the account from the environment uses without `SEEDANCE_BASE_URL`.
pub(super) const DEFAULT: Preset = PRESETS[0];

const PUBLIC_HOSTS: [&str; 2] = ["volces.com", "bytepluses.com"];

const PRESETS: [Preset; 3] = [
    Preset {
        name: "byteplus",
        base_url: "https://ark.ap-southeast.bytepluses.com/api/v3",
        domain: "bytepluses.com",
        url_lifetime: DAY,
    },
    Preset {
        name: "volcengine",
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        domain: "volces.com",
        url_lifetime: DAY,
    },
    Preset {
        name: "powertokens",
        base_url: "https://api.powertokens.ai/byteplus/api/v3",
        domain: "powertokens.ai",
        url_lifetime: DAY.saturating_mul(14),
    },
];

impl Preset {
    /// Returns the preset with this name. The error completes the sentence "the setting …".
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let preset = PRESETS.into_iter().find(|preset| preset.name == name);
        preset.ok_or_else(|| {
            let names = PRESETS.map(|preset| preset.name).join(", ");
            format!("must be one of {names}")
        })
    }

    /// Returns the preset of the service at a base URL.
    pub(super) fn at(base_url: &Url) -> Option<Self> {
        let host = base_url.host_str()?;
        let is_of = |preset: &Self| {
            host.strip_suffix(preset.domain)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        PRESETS.into_iter().find(is_of)
    }

    /// Returns the hosts from which the service may serve videos.
    pub(super) fn url_hosts(&self) -> UrlHosts {
        UrlHosts::new(
            PUBLIC_HOSTS
                .into_iter()
                .chain([self.domain])
                .collect::<BTreeSet<_>>(),
        )
    }

    /// Returns the base URL. `None` never occurs: the URLs of all presets are valid.
    pub(super) fn base_url(&self) -> Option<Url> {
        self.base_url.parse().ok()
    }
}

/// Returns the hosts from which the public services serve videos.
pub(super) fn url_hosts() -> UrlHosts {
    UrlHosts::new(PUBLIC_HOSTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_of_every_preset_is_valid() {
        for preset in PRESETS {
            let base_url = preset.base_url().unwrap();
            let found = Preset::at(&base_url).map(|found| found.name);
            assert_eq!(found, Some(preset.name));
        }
    }

    #[test]
    fn a_region_of_a_service_has_its_preset() {
        let name = |url: &str| Preset::at(&url.parse().unwrap()).map(|preset| preset.name);
        assert_eq!(
            name("https://ark.eu-west.bytepluses.com/api/v3"),
            Some("byteplus")
        );
        assert_eq!(name("https://powertokens.ai"), Some("powertokens"));
        assert_eq!(name("https://notpowertokens.ai"), None);
        assert_eq!(name("http://127.0.0.1:8240/api/v3"), None);
    }
}
