//! Values of `VideoTask.service_tier` and `SweepPage.service_tier`.

/// Online: generated immediately.
pub const DEFAULT: &str = "default";
/// Offline: cheaper, but may take hours.
pub const FLEX: &str = "flex";

/// Priority: named by official clients of the API.
pub const PRIORITY: &str = "priority";
