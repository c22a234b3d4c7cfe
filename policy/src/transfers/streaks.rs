//! Consecutive failures, counted for each side of a transfer. The crash of a worker is a failure of no side.

/// The side of a transfer that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    /// The host of the video.
    Host,
    /// The object store.
    Store,
    /// The task API, or the account's keys.
    Api,
    /// The URL: it stopped working, and the API returned no fresh one.
    Url,
}

/// The consecutive failures of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Streak {
    /// Number of failures.
    pub failures: u32,
    /// How far the transfer got with this side before the last failure.
    pub reached: u64,
}

/// The consecutive failures of each side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Streaks {
    /// Failures of the host.
    pub host: Streak,
    /// Failures of the store.
    pub store: Streak,
    /// Failures of the API.
    pub api: Streak,
    /// Failures of the URL.
    pub url: Streak,
}

/// How far a transfer got, by all attempts together, in bytes. A byte that is transferred again does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reached {
    /// Bytes that came from the host.
    pub downloaded: u64,
    /// Bytes that the store confirmed.
    pub stored: u64,
}

impl Streaks {
    /// Adds a failure, and returns the number of consecutive failures of this side. The failure is the first one if the
    /// transfer got further with this side since the last one.
    pub fn add(&mut self, side: Side, reached: Reached) -> u32 {
        let (streak, reached) = match side {
            Side::Host => (&mut self.host, reached.downloaded),
            Side::Store => (&mut self.store, reached.stored),
            Side::Api => (&mut self.api, reached.downloaded),
            Side::Url => (&mut self.url, reached.downloaded),
        };
        let failures = match reached > streak.reached {
            true => 0,
            false => streak.failures,
        };
        *streak = Streak {
            failures: failures.saturating_add(1),
            reached,
        };
        if side == Side::Url {
            // The API answered: with a URL that does not work.
            self.api = Streak::default();
        }
        self.of(side).failures
    }

    /// Returns the consecutive failures of a side.
    pub fn of(&self, side: Side) -> Streak {
        match side {
            Side::Host => self.host,
            Side::Store => self.store,
            Side::Api => self.api,
            Side::Url => self.url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(downloaded: u64, stored: u64) -> Reached {
        Reached { downloaded, stored }
    }

    #[test]
    fn each_side_has_its_own_count() {
        let mut streaks = Streaks::default();
        let mut add = |side| streaks.add(side, reached(0, 0));
        assert_eq!(
            [add(Side::Host), add(Side::Host), add(Side::Host)],
            [1, 2, 3]
        );
        assert_eq!(
            [add(Side::Store), add(Side::Api), add(Side::Host)],
            [1, 1, 4]
        );
        assert_eq!(
            [add(Side::Store), add(Side::Api), add(Side::Url)],
            [2, 2, 1]
        );
        assert_eq!(add(Side::Api), 1, "the API answered in between");
    }

    #[test]
    fn progress_of_a_side_starts_its_count_again() {
        let mut streaks = Streaks::default();
        assert_eq!(streaks.add(Side::Store, reached(10, 0)), 1);
        assert_eq!(streaks.add(Side::Store, reached(20, 0)), 2);
        assert_eq!(streaks.add(Side::Store, reached(20, 5)), 1);
        assert_eq!(streaks.add(Side::Store, reached(30, 5)), 2);
        assert_eq!(streaks.add(Side::Host, reached(30, 5)), 1);
        assert_eq!(streaks.add(Side::Host, reached(30, 30)), 2);
        assert_eq!(streaks.add(Side::Host, reached(31, 30)), 1);
    }
}
