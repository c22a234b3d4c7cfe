//! The `Range` header.

use std::ops::Range;

/// Parses `bytes=a-b`, `bytes=a-` or `bytes=-n`. Returns `None` if the range does not have one of these
/// forms, is empty, or is outside an object of `size` bytes.
pub(crate) fn parse(header: &str, size: u64) -> Option<Range<u64>> {
    let (start, end) = header.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (start, end) {
        ("", last) => size.saturating_sub(last.parse().ok()?)..size,
        (start, "") => start.parse().ok()?..size,
        (start, end) => start.parse().ok()?..end.parse::<u64>().ok()?.checked_add(1)?.min(size),
    };
    (range.start < range.end).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_form_of_range() {
        assert_eq!(parse("bytes=0-9", 100), Some(0..10));
        assert_eq!(parse("bytes=90-", 100), Some(90..100));
        assert_eq!(parse("bytes=-10", 100), Some(90..100));
        assert_eq!(parse("bytes=90-1000", 100), Some(90..100));
        assert_eq!(parse("bytes=100-", 100), None);
        assert_eq!(parse("bytes=5-1", 100), None);
        assert_eq!(parse("bytes=0-18446744073709551615", 100), None);
        assert_eq!(parse("lines=1-2", 100), None);
    }
}
