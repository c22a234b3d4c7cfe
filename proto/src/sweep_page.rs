//! Bounds of `SweepPage`.

/// Highest page number that the list of the task API accepts.
pub const MAX_PAGE_NUM: i64 = 500;
