//! Free space for the videos.

use std::path::Path;

use anyhow::{Context, ensure};

use super::{
    many,
    options::{Options, Part},
    scale, verify,
};

/// Space that is needed for each byte of a video: MinIO frees that of deleted ones later.
const FACTOR: u64 = 3;

/// Returns an error if a directory has too little space.
pub(super) fn check(options: &Options, directory: &Path) -> anyhow::Result<()> {
    let stat = rustix::fs::statvfs(directory);
    let stat = stat.with_context(|| format!("cannot read the space of {}", directory.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let needed = needed(options.parts.iter().copied(), options.bytes);
    ensure!(
        free >= needed,
        "{} has {} MiB of free space, {} MiB are needed; fix: set TMPDIR, or a smaller --bytes",
        directory.display(),
        free >> 20,
        needed >> 20
    );
    Ok(())
}

fn needed(parts: impl Iterator<Item = Part>, bytes: u64) -> u64 {
    let largest = parts.map(|part| match part {
        Part::One | Part::Floor => bytes,
        Part::Many => bytes.min(many::MAX_BYTES) * many::VIDEOS as u64,
        Part::Scale => bytes.min(scale::MAX_BYTES) * scale::VIDEOS as u64,
        Part::Verify => bytes.min(verify::MAX_BYTES) * verify::VIDEOS as u64,
    });
    largest.max().unwrap_or_default().saturating_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_part_decides() {
        let gibibyte = 1 << 30;
        let needed = |parts: &[Part], bytes| needed(parts.iter().copied(), bytes);
        assert_eq!(needed(&[Part::One], 4 * gibibyte), 12 * gibibyte);
        assert_eq!(needed(&[Part::Verify], 4 * gibibyte), 3 * gibibyte);
        assert_eq!(needed(&[Part::One, Part::Many], gibibyte), 6 * gibibyte);
        assert_eq!(needed(&[Part::One], u64::MAX / 2), u64::MAX);
    }
}
