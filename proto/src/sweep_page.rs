//! Names and limits of `SweepPage`.

use crate::v1::SweepPage;

/// Maximum page number that the API's list accepts.
pub const MAX_PAGE_NUM: i64 = 500;

impl SweepPage {
    /// Returns the list that the page belongs to, in words: its filters.
    pub fn list_name(&self) -> String {
        let filters = [("service tier", &self.service_tier), ("model", &self.model)];
        let filters = filters.iter().filter(|(_, value)| !value.is_empty());
        let filters: Vec<_> = filters
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        match filters.as_slice() {
            [] => "all tasks".to_owned(),
            filters => filters.join(", "),
        }
    }
}
