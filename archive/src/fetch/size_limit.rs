//! The size limit of a download. Without it, an endless body would fill the store.

/// The size limit of a download, and the number of bytes so far.
#[derive(Debug)]
pub struct SizeLimit {
    limit: u64,
    bytes: u64,
}

impl SizeLimit {
    /// Default limit, which is much larger than any video that the service generates.
    pub const DEFAULT: u64 = 20 * 1024 * 1024 * 1024;

    /// Returns a limit of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, bytes: 0 }
    }

    /// Counts bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the limit is exceeded.
    pub fn add(&mut self, bytes: u64) -> Result<(), TooLarge> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.check_next(0)
    }

    /// Checks whether `bytes` more bytes are within the limit, without counting them.
    ///
    /// # Errors
    ///
    /// Returns an error if they would exceed the limit.
    pub fn check_next(&self, bytes: u64) -> Result<(), TooLarge> {
        if self.bytes.saturating_add(bytes) > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        Ok(())
    }
}

/// The error of a download that exceeds its size limit.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the video is larger than {limit} bytes")]
pub struct TooLarge {
    limit: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_may_be_as_large_as_the_limit() {
        let mut size = SizeLimit::new(10);
        assert_eq!(size.add(4), Ok(()));
        assert_eq!(size.check_next(6), Ok(()));
        assert_eq!(size.check_next(7), Err(TooLarge { limit: 10 }));
        assert_eq!(size.add(6), Ok(()));
        assert_eq!(size.add(1), Err(TooLarge { limit: 10 }));
    }

    #[test]
    fn a_huge_declared_size_does_not_overflow() {
        let mut size = SizeLimit::new(10);
        assert_eq!(size.add(1), Ok(()));
        assert_eq!(size.check_next(u64::MAX), Err(TooLarge { limit: 10 }));
        assert_eq!(size.add(u64::MAX), Err(TooLarge { limit: 10 }));
    }
}
