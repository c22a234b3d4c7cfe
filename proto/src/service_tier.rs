//! Values of `VideoTask.service_tier` and `SweepPage.service_tier`.

/// Online: generated immediately.
pub const DEFAULT: &str = "default";
/// Offline: cheaper, but may take hours.
pub const FLEX: &str = "flex";

/// Every tier that the API documents. The API has a list for each.
pub const ALL: [&str; 2] = [DEFAULT, FLEX];
