//! The size of the parts of an upload. All parts but the last are of the same size, as Cloudflare R2 requires.

use crate::store::MAX_PARTS;

/// Returns the size of the parts of an object of `length` bytes: the size of one buffer, or of as few as make no more than
/// [`MAX_PARTS`] parts. If the length is unknown, one buffer.
pub(super) fn part_size(length: Option<u64>, buffer_size: u64) -> u64 {
    let in_parts_of_one_buffer = buffer_size.saturating_mul(MAX_PARTS).max(1);
    let buffers = length.unwrap_or(0).div_ceil(in_parts_of_one_buffer);
    buffers.max(1).saturating_mul(buffer_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: u64 = 5 << 20;
    const GIB: u64 = 1 << 30;

    #[test]
    fn an_object_has_at_most_10_000_parts_of_whole_buffers() {
        let limit = MAX_PARTS * BUFFER;
        for (length, buffers) in [
            (0, 1),
            (1, 1),
            (20 * GIB, 1),
            (limit, 1),
            (limit + 1, 2),
            (60 * GIB, 2),
            (2 * limit, 2),
            (2 * limit + 1, 3),
            (1024 * GIB, 21),
        ] {
            let size = part_size(Some(length), BUFFER);
            assert_eq!(size, buffers * BUFFER, "{length}");
            assert!(length.div_ceil(size) <= MAX_PARTS, "{length}");
        }
    }

    #[test]
    fn an_object_of_unknown_length_has_parts_of_one_buffer() {
        assert_eq!(part_size(None, BUFFER), BUFFER);
    }

    #[test]
    fn no_length_overflows() {
        assert_eq!(part_size(Some(u64::MAX), 0), 0);
        assert!(part_size(Some(u64::MAX), u64::MAX) > 0);
        assert!(part_size(Some(u64::MAX), 1) > 0);
    }
}
