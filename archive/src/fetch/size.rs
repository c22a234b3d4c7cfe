//! How large a video may be: a body without an end would fill the store.

/// The size of a video as it comes.
#[derive(Debug)]
pub struct Size {
    limit: u64,
    bytes: u64,
}

impl Size {
    /// The usual limit: far more than any video of the service.
    pub const LIMIT: u64 = 20 * 1024 * 1024 * 1024;

    /// At most `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, bytes: 0 }
    }

    /// Takes note of bytes.
    pub fn add(&mut self, bytes: u64) -> Result<(), TooLarge> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.with(0)
    }

    /// Whether there is room for bytes that are only announced.
    pub fn with(&self, bytes: u64) -> Result<(), TooLarge> {
        if self.bytes.saturating_add(bytes) > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        Ok(())
    }
}

/// A video that is too large.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the video is larger than {limit} bytes")]
pub struct TooLarge {
    limit: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_fits() {
        let mut size = Size::new(10);
        assert_eq!(size.add(4), Ok(()));
        assert_eq!(size.with(6), Ok(()));
        assert_eq!(size.with(7), Err(TooLarge { limit: 10 }));
        assert_eq!(size.add(6), Ok(()));
        assert_eq!(size.add(1), Err(TooLarge { limit: 10 }));
    }

    #[test]
    fn an_absurd_announcement_does_not_overflow() {
        let mut size = Size::new(10);
        assert_eq!(size.add(1), Ok(()));
        assert_eq!(size.with(u64::MAX), Err(TooLarge { limit: 10 }));
        assert_eq!(size.add(u64::MAX), Err(TooLarge { limit: 10 }));
    }
}
