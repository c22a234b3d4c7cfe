//! When each part of an archive was verified.

use std::ops::Range;

use seedance_archiver_proto::v1::AuditedPart;

use super::{HASHES, Share};

/// The parts of an archive, without gaps and in order, each with the time when it was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
struct Part {
    hashes: Range<u64>,
    /// Unix seconds, 0 if it was not verified yet.
    verified_at: i64,
}

impl Part {
    fn len(&self) -> u64 {
        self.hashes.end - self.hashes.start
    }
}

impl Coverage {
    /// Returns the coverage in a report. What the report does not say, or says twice, counts as not verified.
    pub fn new(parts: &[AuditedPart]) -> Self {
        let mut known: Vec<_> = parts.iter().filter_map(part).collect();
        known.sort_by_key(|part| part.hashes.start);
        let mut coverage = Self(Vec::new());
        let mut end = 0;
        for part in known {
            if part.hashes.start < end {
                continue;
            }
            coverage.push(end..part.hashes.start, 0);
            end = part.hashes.end;
            coverage.push(part.hashes, part.verified_at);
        }
        coverage.push(end..HASHES, 0);
        coverage
    }

    /// Returns the parts that were verified longest ago, together as large as the share.
    pub fn due(&self, share: Share) -> Vec<Range<u64>> {
        let mut parts: Vec<_> = self.0.iter().collect();
        parts.sort_by_key(|part| (part.verified_at, part.hashes.start));
        let mut left = share.hashes();
        let mut due = Vec::new();
        for part in parts {
            let len = part.len().min(left);
            if len > 0 {
                due.push(part.hashes.start..part.hashes.start + len);
            }
            left -= len;
        }
        due
    }

    /// Returns the coverage after the parts that are [due](Self::due) were verified.
    pub fn after(&self, share: Share, verified_at: i64) -> Self {
        let due = self.due(share);
        let mut coverage = Self(Vec::new());
        for part in &self.0 {
            let verified = due.iter().find(|due| due.start == part.hashes.start);
            let end = verified.map_or(part.hashes.start, |due| due.end);
            coverage.push(part.hashes.start..end, verified_at);
            coverage.push(end..part.hashes.end, part.verified_at);
        }
        coverage
    }

    /// Returns when the part that was verified longest ago was verified, in Unix seconds. 0: a part was not verified yet.
    pub fn oldest(&self) -> i64 {
        self.0
            .iter()
            .map(|part| part.verified_at)
            .min()
            .unwrap_or_default()
    }

    /// Returns the parts for a report.
    pub fn parts(&self) -> Vec<AuditedPart> {
        let parts = self.0.iter().map(|part| AuditedPart {
            from: number(part.hashes.start),
            to: number(part.hashes.end),
            verified_at: part.verified_at,
        });
        parts.collect()
    }

    /// Adds a part at the end.
    fn push(&mut self, hashes: Range<u64>, verified_at: i64) {
        match self.0.last_mut() {
            _ if hashes.is_empty() => {}
            Some(last) if last.verified_at == verified_at => last.hashes.end = hashes.end,
            _ => self.0.push(Part {
                hashes,
                verified_at,
            }),
        }
    }
}

/// Returns a part of a report, if it is valid.
fn part(part: &AuditedPart) -> Option<Part> {
    let hashes = u64::try_from(part.from).ok()?..u64::try_from(part.to).ok()?;
    let is_valid = !hashes.is_empty() && hashes.end <= HASHES && part.verified_at >= 0;
    is_valid.then_some(Part {
        hashes,
        verified_at: part.verified_at,
    })
}

fn number(hash: u64) -> i64 {
    i64::try_from(hash).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(parts: &[(i64, i64, i64)]) -> Coverage {
        let part = |(from, to, verified_at): &(i64, i64, i64)| AuditedPart {
            from: *from,
            to: *to,
            verified_at: *verified_at,
        };
        Coverage::new(&parts.iter().map(part).collect::<Vec<_>>())
    }

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    /// Returns the first and the last hash of each part that is due.
    fn due(coverage: &Coverage, share: &str) -> Vec<(u64, u64)> {
        let due = coverage.due(share.parse().unwrap()).into_iter();
        due.map(|part| (part.start, part.end - 1)).collect()
    }

    #[test]
    fn what_was_verified_longest_ago_is_due() {
        let (half, last) = (1 << 31, HASHES - 1);
        let quarter = half / 2;
        let nothing = Coverage::new(&[]);
        assert_eq!(due(&nothing, "1/2"), [(0, half - 1)]);
        let first = nothing.after(share("1/2"), 100);
        assert_eq!(
            (due(&first, "1/2"), first.oldest()),
            (vec![(half, last)], 0)
        );
        let second = first.after(share("1/4"), 200);
        assert_eq!(due(&second, "1/4"), [(half + quarter, last)]);
        let third = second.after(share("1/4"), 300);
        assert_eq!(
            (due(&third, "1/2"), third.oldest()),
            (vec![(0, half - 1)], 100)
        );
        let everything = third.after(Share::ALL, 400);
        assert_eq!(everything, coverage(&[(0, 1 << 32, 400)]));
    }

    #[test]
    fn parts_that_were_verified_early_are_due_wherever_they_are() {
        let (half, end) = (1 << 31, 1 << 32);
        let coverage = coverage(&[(0, 10, 5), (10, 20, 9), (20, half, 7), (half, end, 9)]);
        let due = due(&coverage, "1/2");
        assert_eq!(due, [(0, 9), (20, half as u64 - 1), (10, 19)]);
    }

    #[test]
    fn what_an_edited_report_does_not_say_is_not_verified() {
        let end = 1 << 32;
        let unknown = coverage(&[]);
        for invalid in [
            (-1, 5, 9),
            (5, 5, 9),
            (9, 5, 9),
            (0, end + 1, 9),
            (0, end, -9),
        ] {
            assert_eq!(coverage(&[invalid]), unknown, "{invalid:?}");
        }
        let gaps = coverage(&[(20, 30, 9), (5, 10, 9), (7, 15, 9), (30, end, 9)]);
        assert_eq!(
            gaps,
            coverage(&[(0, 5, 0), (5, 10, 9), (10, 20, 0), (20, end, 9)])
        );
        assert_eq!(Coverage::new(&gaps.parts()), gaps);
    }
}
