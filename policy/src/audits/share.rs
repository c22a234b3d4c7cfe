//! The part of an archive that one audit verifies.

use std::{fmt, str::FromStr};

use super::HASHES;

/// Maximum number of audits that verify an archive. Each lists all of it.
const MAX_AUDITS: u32 = 1_000;

/// A fraction of an archive, from 1/1000 to 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    numerator: u32,
    denominator: u32,
}

/// A text that is not a [`Share`]. The message completes "the share …".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidShare;

impl Share {
    /// Everything.
    pub const ALL: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// Returns the share in a request: everything if the text is empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a share.
    pub fn in_request(text: &str) -> Result<Self, InvalidShare> {
        match text {
            "" => Ok(Self::ALL),
            text => text.parse(),
        }
    }

    /// Returns the number of hashes in the share, rounded up, so that [`audits`](Self::audits) of them are all hashes.
    pub(super) fn hashes(self) -> u64 {
        let hashes = HASHES * u64::from(self.numerator);
        hashes.div_ceil(u64::from(self.denominator))
    }

    /// Returns how many audits verify everything.
    pub fn audits(self) -> u32 {
        self.denominator.div_ceil(self.numerator)
    }
}

impl FromStr for Share {
    type Err = InvalidShare;

    fn from_str(text: &str) -> Result<Self, InvalidShare> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let number = |text: &str| text.trim().parse().map_err(|_| InvalidShare);
        let share = Self {
            numerator: number(numerator)?,
            denominator: number(denominator)?,
        };
        let is_valid = (1..=share.denominator).contains(&share.numerator)
            && share.denominator <= MAX_AUDITS.saturating_mul(share.numerator);
        is_valid.then_some(share).ok_or(InvalidShare)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            denominator => write!(f, "{}/{denominator}", self.numerator),
        }
    }
}

impl std::error::Error for InvalidShare {}

impl fmt::Display for InvalidShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be a fraction from `1/{MAX_AUDITS}` to `1`, such as `1/30`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_fraction_of_at_most_1() {
        for (text, shown, audits) in [
            ("1/30", "1/30", 30),
            ("1", "1", 1),
            ("2/7", "2/7", 4),
            (" 1 / 2 ", "1/2", 2),
            ("30/30", "30/30", 1),
            ("1/1000", "1/1000", 1_000),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!(
                (share.to_string().as_str(), share.audits()),
                (shown, audits)
            );
        }
        for invalid in [
            "",
            "0",
            "0/30",
            "1/0",
            "0/0",
            "2",
            "31/30",
            "1/1001",
            "-1/30",
            "1/-30",
            "0.5",
            "50%",
            "1/2/3",
            "one",
            "1/99999999999",
        ] {
            assert_eq!(invalid.parse::<Share>(), Err(InvalidShare), "{invalid:?}");
        }
        assert_eq!(
            InvalidShare.to_string(),
            "must be a fraction from `1/1000` to `1`, such as `1/30`"
        );
    }

    #[test]
    fn a_request_without_a_share_means_everything() {
        assert_eq!(Share::in_request(""), Ok(Share::ALL));
        assert_eq!(Share::in_request("1/30").unwrap().to_string(), "1/30");
        assert_eq!(Share::ALL.hashes(), HASHES);
    }
}
