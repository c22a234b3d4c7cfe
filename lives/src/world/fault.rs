//! What fails, and when.

/// Something that fails for a time.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) kind: Kind,
}

/// What fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Each request to the API returns this status. 404 comes from something on the way to the API.
    Api {
        status: u16,
        retry_after: Option<u64>,
    },
    /// The API returns 404 for every task.
    NotFound,
    /// The API returns something else than a record.
    Unreadable,
    /// The list fails, and queries are answered.
    List,
    /// The host of the videos fails.
    Host { retry_after: Option<u64> },
    /// The host rejects each URL that was signed before the end of the fault.
    Revoked,
    /// The host sends other bytes than those of the video.
    Corrupt,
    /// The object store fails.
    Store,
    /// No worker runs.
    Workers,
    /// The worker of the watcher is dead.
    Watcher,
    /// The visibility store fails.
    Visibility,
}

impl Fault {
    pub(crate) fn is_at(&self, now: u64) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// Returns until when the archiver may wait because of the fault: it keeps to `Retry-After`.
    pub(crate) fn felt_until(&self) -> u64 {
        match self.kind {
            Kind::Api { retry_after, .. } | Kind::Host { retry_after } => {
                self.until + retry_after.unwrap_or_default()
            }
            _ => self.until,
        }
    }
}

impl Kind {
    /// Returns whether queries get no record.
    pub(crate) fn is_of_api(&self) -> bool {
        matches!(self, Self::Api { .. } | Self::NotFound | Self::Unreadable)
    }

    /// Returns whether no video can be downloaded.
    pub(crate) fn is_of_host(&self) -> bool {
        matches!(self, Self::Host { .. } | Self::Corrupt | Self::Revoked)
    }
}
