//! Words of `VideoTask.service_tier` and `SweepPage.service_tier`.

/// Online: made at once.
pub const DEFAULT: &str = "default";
/// Offline: cheaper, and may take hours.
pub const FLEX: &str = "flex";

/// Every tier that the API documents, each of which it lists by itself.
pub const ALL: [&str; 2] = [DEFAULT, FLEX];
