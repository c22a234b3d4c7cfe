//! Presets of the public services.

use std::time::Duration;

use reqwest::Url;

use super::UrlHosts;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A public service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) base_url: &'static str,
    pub(super) url_lifetime: Duration,
}

/// The preset whose base URL the account from the environment uses without `SEEDANCE_BASE_URL`.
pub(super) const DEFAULT: Preset = PRESETS[0];

const PRESETS: [Preset; 3] = [
    Preset {
        name: "byteplus",
        base_url: "https://ark.ap-southeast.bytepluses.com/api/v3",
        url_lifetime: DAY,
    },
    Preset {
        name: "volcengine",
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        url_lifetime: DAY,
    },
    Preset {
        name: "powertokens",
        base_url: "https://api.powertokens.ai/byteplus/api/v3",
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

    /// Returns the base URL. `None` never occurs: the URLs of all presets are valid.
    pub(super) fn base_url(&self) -> Option<Url> {
        self.base_url.parse().ok()
    }
}

/// Returns the hosts from which the public services serve videos.
pub(super) fn url_hosts() -> UrlHosts {
    UrlHosts::new(["volces.com", "bytepluses.com"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_of_every_preset_is_valid() {
        for preset in PRESETS {
            assert!(preset.base_url().is_some(), "{}", preset.name);
        }
    }
}
