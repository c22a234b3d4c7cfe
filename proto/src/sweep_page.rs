//! Limits of `SweepPage`.

/// Highest page number that the API's list accepts.
pub const MAX_PAGE_NUM: i64 = 500;
