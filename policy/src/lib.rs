//! The decisions of seedance-archiver, as pure functions.
//!
//! Every function takes plain values and, where the decision depends on the time, an explicit `now`. The
//! crate depends on the contract (`seedance-archiver-proto`) and the standard library alone: it cannot
//! reach Temporal, the network, a file or a clock, and `clippy.toml` bans what the standard library offers.
//! So every decision can be tested in milliseconds, and gives the same result when a workflow is
//! replayed.
//!
//! - [`poll`]: when to poll a task again, and when polling can no longer help.
//! - [`completions`]: when tasks are likely to end, learned from the ones that ended before.
//! - [`windows`]: how long a task can be queried, and how long its video URL works.
//! - [`audits`]: which part of an archive an audit verifies.
//! - [`deadlines`]: until when the video of a task can be fetched.
//! - [`drafts`]: until when a final video can be made from a draft.
//! - [`accounts`]: how long a request waits for a worker that serves its account.
//! - [`destinations`]: when a video goes to the archive of its account instead of its destination.
//! - [`outcomes`]: the result of a lifecycle.
//! - [`verdicts`]: what a verdict on a task means.
//! - [`watch`]: what the watcher of an account asks the API next.
//! - [`pages`]: the order in which a sweep lists pages.
//! - [`shares`]: how the workers share the rate limits of an account.
//! - [`events`]: when the delivery of an event is retried or given up.
//! - [`submissions`]: whether a create request may be sent again, and which task an unanswered one created.
//! - [`sweeps`]: when a sweep retries, gives up and restarts a lifecycle.
//! - [`transfers`]: when a failed transfer is retried.
//! - [`priority`]: which transfer goes first.
//! - [`retry`]: the delays between attempts.
//!
//! # Example
//!
//! A task was created an hour ago and is still running. The next poll is due in a minute. A day before the
//! query window closes, a 429 with a `Retry-After` of two days does not delay the last poll past the
//! window:
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use seedance_archiver_policy::{
//!     poll::{self, LastSeen, NextPoll, PollSchedule, Response, TaskState},
//!     windows::Windows,
//! };
//!
//! let hour = Duration::from_secs(60 * 60);
//! let (schedule, windows) = (PollSchedule::default(), Windows::default());
//! let created_at = SystemTime::UNIX_EPOCH + hour;
//! let state = |now| TaskState {
//!     last_seen: Some(LastSeen {
//!         created_at: Some(created_at),
//!         expires_at: None,
//!         status: "running",
//!         at: now,
//!     }),
//!     id_created_at: None,
//!     first_polled_at: created_at,
//!     now,
//!     expectation: None,
//! };
//!
//! let next = poll::next(&schedule, &windows, &state(created_at + hour), Response::Unchanged);
//! assert_eq!(next, NextPoll::After(Duration::from_secs(60)));
//!
//! let day_6 = created_at + 6 * 24 * hour;
//! let limited = Response::Error { retry_after: Some(48 * hour) };
//! let next = poll::next(&schedule, &windows, &state(day_6), limited);
//! assert_eq!(next, NextPoll::After(24 * hour - windows.margin));
//! ```

pub mod accounts;
pub mod audits;
pub mod completions;
pub mod deadlines;
pub mod destinations;
pub mod drafts;
pub mod events;
pub mod outcomes;
pub mod pages;
pub mod poll;
pub mod priority;
pub mod retry;
pub mod shares;
pub mod submissions;
pub mod sweeps;
pub mod transfers;
pub mod verdicts;
pub mod watch;
pub mod windows;
