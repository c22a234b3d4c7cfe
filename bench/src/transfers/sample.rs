//! What one transfer took.

use serde::Serialize;

/// Bytes of the units in the tables.
const MEGABYTE: f64 = 1e6;
const GIGABYTE: f64 = 1e9;
const MEBIBYTE: f64 = (1 << 20) as f64;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    /// Of the tool.
    pub(super) cpu_seconds: f64,
    /// Peak resident memory of the tool; of the archiver, above that before the first transfer.
    pub(super) peak_bytes: u64,
    /// Of the store's server.
    pub(super) store_cpu_seconds: Option<f64>,
}

pub(super) fn megabytes_per_second(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / MEGABYTE / seconds
}

/// Returns seconds a gigabyte.
pub(super) fn per_gigabyte(seconds: f64, bytes: u64) -> f64 {
    seconds * GIGABYTE / bytes as f64
}

pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Returns a cell of a table.
pub(super) fn cell(value: Option<f64>, decimals: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// Returns the first line of an error for a table: what a tool printed may be long.
pub(super) fn error_cell(error: Option<&str>) -> String {
    let line = error.and_then(|error| error.lines().next());
    line.unwrap_or_default().replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn rates_are_decimal_and_memory_is_binary() {
        assert_eq!(megabytes_per_second(50_000_000, 0.5), 100.0);
        assert_eq!(per_gigabyte(0.5, 250_000_000), 2.0);
        assert_eq!(mebibytes(3 << 20), 3.0);
    }
}
