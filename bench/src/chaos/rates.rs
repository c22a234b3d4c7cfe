//! The rate limits of an account in a run, which its workers share.

/// Queries a second, as the accounts files say. Three workers may send 4 each; while one of them watches the account, it may
/// send 10 and each other one 1. A higher limit would be out of reach for the load of a run, also for workers that ignore it.
pub(super) const QUERIES_PER_SECOND: u32 = 12;
/// List requests a second: the default of an account.
pub(super) const LISTS_PER_SECOND: u32 = 1;
/// Callers that ask for one task at once. The workers answer them within half a minute if they keep the limit of queries. A third
/// of them is enough for the checker to find one worker that ignores it.
pub(super) const CROWD: u32 = 30 * QUERIES_PER_SECOND;
