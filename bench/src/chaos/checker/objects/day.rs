//! The day of a time, calculated without the archiver's own formatting of times.

use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The days of each month, except for the one that February has in addition in a leap year.
const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Returns the day of a time in UTC, as the directories of an archive name it: `2026/08/28`. `None` before 1970.
pub(super) fn of(at: SystemTime) -> Option<String> {
    let since_epoch = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut days = since_epoch.as_secs() / DAY.as_secs();
    let mut year = 1970;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    Some(format!("{year:04}/{month:02}/{:02}", days + 1))
}

fn days_of_year(year: u64) -> u64 {
    (1..=MONTHS.len())
        .map(|month| days_of_month(year, month))
        .sum()
}

/// `month`: from 1.
fn days_of_month(year: u64, month: usize) -> u64 {
    let is_leap_year =
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    MONTHS[month - 1] + u64::from(month == 2 && is_leap_year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_also_after_leap_days() {
        for (midnight, expected) in [
            (0, "1970/01/01"),
            (946_598_400, "1999/12/31"),
            (951_782_400, "2000/02/29"),
            (951_868_800, "2000/03/01"),
            (1_677_542_400, "2023/02/28"),
            (1_709_164_800, "2024/02/29"),
            (1_735_603_200, "2024/12/31"),
            (1_787_875_200, "2026/08/28"),
            (4_107_456_000, "2100/02/28"),
            (4_107_542_400, "2100/03/01"),
        ] {
            let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let of_day = [midnight, midnight + DAY.as_secs() - 1].map(at).map(of);
            assert_eq!(
                of_day,
                [Some(expected.to_owned()), Some(expected.to_owned())]
            );
        }
        assert_eq!(of(SystemTime::UNIX_EPOCH - DAY), None);
    }
}
