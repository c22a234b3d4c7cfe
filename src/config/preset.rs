//! What is known of the public services.

use std::time::Duration;

use super::UrlHosts;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A service that accounts are of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) base_url: &'static str,
    pub(super) url_lifetime: Duration,
}

/// Where nothing else is said.
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
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let found = PRESETS.into_iter().find(|preset| preset.name == name);
        found.ok_or_else(|| {
            let names = PRESETS.map(|preset| preset.name).join(", ");
            format!("must be one of {names}")
        })
    }
}

/// The services serve videos from their own object store.
pub(super) fn url_hosts() -> UrlHosts {
    UrlHosts::new(["volces.com", "bytepluses.com"])
}
