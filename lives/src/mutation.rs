//! Errors that the glue may have. Each must be found.

/// An error in the glue between the decisions and the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mutation {
    /// A poll does not keep to `Retry-After`.
    IgnoresRetryAfter,
    /// A transfer does not query a fresh URL.
    QueriesNoFreshUrl,
    /// The first 404 ends a lifecycle.
    GivesUpAfterOneNotFound,
    /// A watched task is not polled until its last poll.
    NeverPollsWatched,
    /// Failures of a transfer are not counted, so that each delay is that after the first one.
    CountsNoFailures,
    /// The window is not looked at before a query.
    PollsAfterTheWindow,
    /// The heartbeat is lost: each attempt starts from nothing.
    ForgetsTheLastAttempt,
    /// Requests do not wait for the rate limit.
    IgnoresTheRateLimit,
    /// A succeeded task without a URL counts as changed.
    ArchivesWithoutUrl,
    /// 401 ends a lifecycle.
    GivesUpWhenUnauthorized,
    /// A corrupt download ends a lifecycle.
    GivesUpWhenCorrupt,
    /// The store is not retried.
    GivesUpWithoutTheStore,
    /// The verdict is the last failure, whatever came before.
    BlamesTheLastFailure,
    /// A new activity does not know that the task was seen.
    ForgetsThatItWasSeen,
    /// A query waits for the rate limit until after the window.
    WaitsForTheRateLimit,
    /// `Retry-After` moves the last attempt to the deadline, when the URL is dead.
    WaitsUntilTheDeadline,
    /// The failure of the host hides the `Retry-After` of the API.
    HidesRetryAfter,
    /// A transfer does not ask for a URL before the query window closes.
    RenewsNoUrl,
    /// The watcher does not keep to the `Retry-After` of a query.
    WatcherIgnoresRetryAfter,
    /// The watcher does not keep to the `Retry-After` of a list.
    ListsBeforeRetryAfter,
    /// Lists do not wait for their rate limit.
    IgnoresTheListLimit,
    /// The watcher does not remember that the query of a task failed.
    ForgetsFailedQueries,
    /// The watcher delivers no record.
    DeliversNothing,
    /// A callback queries its task although the service asked to wait.
    CallbackIgnoresRetryAfter,
}

impl Mutation {
    /// Those that are found within some thousands of lives.
    pub const FREQUENT: [Self; 20] = [
        Self::IgnoresRetryAfter,
        Self::QueriesNoFreshUrl,
        Self::GivesUpAfterOneNotFound,
        Self::NeverPollsWatched,
        Self::CountsNoFailures,
        Self::PollsAfterTheWindow,
        Self::ForgetsTheLastAttempt,
        Self::IgnoresTheRateLimit,
        Self::ArchivesWithoutUrl,
        Self::GivesUpWhenUnauthorized,
        Self::GivesUpWhenCorrupt,
        Self::GivesUpWithoutTheStore,
        Self::BlamesTheLastFailure,
        Self::ForgetsThatItWasSeen,
        Self::WatcherIgnoresRetryAfter,
        Self::ListsBeforeRetryAfter,
        Self::IgnoresTheListLimit,
        Self::ForgetsFailedQueries,
        Self::DeliversNothing,
        Self::CallbackIgnoresRetryAfter,
    ];
    /// Those that need several things to fail at once: they were in the archiver before whole lives found them.
    pub const RARE: [Self; 4] = [
        Self::WaitsForTheRateLimit,
        Self::WaitsUntilTheDeadline,
        Self::HidesRetryAfter,
        Self::RenewsNoUrl,
    ];
}
