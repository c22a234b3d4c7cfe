//! Command-line options.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
/// A video is larger than what precedes its filling.
const MIN_BYTES: u64 = 1 << 20;

#[derive(clap::Args, Serialize)]
pub(crate) struct Options {
    /// What to measure
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "one,floor,many,scale,verify"
    )]
    pub(super) parts: Vec<Part>,
    /// Size of the video of `one`, such as 64MiB. The videos of the other parts are not larger
    #[arg(long, value_parser = size, default_value = "1GiB")]
    pub(super) bytes: u64,
    /// Runs of `one`
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), default_value_t = 3)]
    pub(super) runs: u32,
    /// Program to measure
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/release/seedance-archiver"
    )]
    pub(super) archiver: PathBuf,
    /// Write the results to this file, as JSON
    #[arg(
        long,
        value_name = "FILE",
        default_value = "target/bench/transfers.json"
    )]
    pub(super) out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// One video at a time, beside curl and rclone
    One,
    /// The CPU time that no transfer can do without
    Floor,
    /// 32 videos at once, some of them from slow hosts
    Many,
    /// 1, 2 and 4 workers on one task queue
    Scale,
    /// `verify --deep`, beside curl and rclone
    Verify,
}

impl Part {
    pub(super) const ALL: [Self; 5] = [
        Self::One,
        Self::Floor,
        Self::Many,
        Self::Scale,
        Self::Verify,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Floor => "floor",
            Self::Many => "many",
            Self::Scale => "scale",
            Self::Verify => "verify",
        }
    }
}

fn size(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(name, bytes)| {
        let number = text.strip_suffix(name)?;
        Some((number, *bytes))
    });
    let (number, unit) = unit.unwrap_or((text, 1));
    let number: Option<u64> = number.trim_end().parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(unit));
    match bytes {
        Some(bytes) if bytes >= MIN_BYTES => Ok(bytes),
        _ => Err("must be a size of at least 1MiB, such as 64MiB or 1GiB".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_is_in_bytes() {
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(size("64 MiB"), Ok(64 << 20));
        assert_eq!(size("2048KiB"), Ok(2 << 20));
        assert_eq!(size("1048576"), Ok(1 << 20));
        for invalid in ["", "GiB", "1 GB", "-1GiB", "1023KiB", "99999999999GiB"] {
            assert!(size(invalid).is_err(), "{invalid}");
        }
    }
}
