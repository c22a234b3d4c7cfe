//! Limits of `SweepPage`.

/// Maximum page number that the API's list accepts.
pub const MAX_PAGE_NUM: i64 = 500;
