//! A planned fault.

use std::time::Duration;

use seedance_archiver_simulator::{Fault as ApiFault, ListDialect};

use super::{every::every_variant, video::Account};

/// Number of workers.
pub(in crate::chaos) const WORKERS: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::chaos) struct Fault {
    pub(in crate::chaos) at: Duration,
    pub(in crate::chaos) lasts: Duration,
    pub(in crate::chaos) kind: Kind,
}

/// What happens. A part that is killed is started again when the fault ends.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chaos) enum Kind {
    /// A worker is killed with SIGKILL.
    KillWorker(usize),
    /// A worker is stopped with SIGSTOP, and continued.
    StopWorker(usize),
    /// A worker is restarted with a change, and again without it.
    RestartWorker(usize, Change),
    KillTemporal,
    /// PostgreSQL, if the server has it.
    KillDatabase,
    KillStore,
    /// Temporal, PostgreSQL, MinIO and all workers at once.
    KillEverything,
    /// A link is cut.
    Cut(LinkTo),
    /// A link is slow.
    Slow(LinkTo),
    /// A link is half-open.
    HalfOpen(LinkTo),
    /// The disk of the archive in a directory is full.
    FullDisk,
    /// MinIO's disk is full.
    FullStore,
    /// The API of an account gives one answer to everything.
    Answer(Account, Answer),
    /// The API of an account gives one answer to every list request.
    List(Account, ListAnswer),
}

/// What is changed when a worker is restarted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Change {
    /// Another API key of each account.
    Key,
    /// A lower rate limit of each account.
    Rate,
    /// Another version of the program.
    Version,
    /// A clock that is ahead by minutes.
    ClockAhead,
    /// A clock that is behind by minutes.
    ClockBehind,
    /// Not the accounts that most videos are of.
    FewerAccounts,
    /// Of the seal keys of each account only the earlier one.
    EarlierSealKey,
}

impl Change {
    pub(in crate::chaos) const ALL: [Self; 7] = every_variant!(Change {
        Key,
        Rate,
        Version,
        ClockAhead,
        ClockBehind,
        FewerAccounts,
        EarlierSealKey,
    });

    pub(in crate::chaos) fn name(self) -> &'static str {
        match self {
            Self::Key => "worker with another API key",
            Self::Rate => "worker with a lower rate limit",
            Self::Version => "worker of another version",
            Self::ClockAhead => "worker with a clock that is ahead",
            Self::ClockBehind => "worker with a clock that is behind",
            Self::FewerAccounts => "worker with fewer accounts",
            Self::EarlierSealKey => "worker with only the earlier seal key",
        }
    }
}

/// A network link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum LinkTo {
    /// From a worker to Temporal.
    Temporal(usize),
    /// From a worker to MinIO.
    Store(usize),
    /// From a worker to the API of an account and its videos.
    Api(usize, Account),
    /// From Temporal to PostgreSQL, if the server has it.
    Database,
    /// From the callers to Temporal.
    Callers,
    /// From the APIs to the ingress of a worker.
    Callbacks(usize),
}

/// An answer to every call of the API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Answer {
    Fault(ApiFault),
    /// The `Date` header of every answer is wrong by minutes.
    Date,
}

/// An answer to every list request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum ListAnswer {
    Fault(ApiFault),
    Dialect(ListDialect),
}

/// What only one fault at a time may concern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Subject {
    Worker(usize),
    Temporal,
    Database,
    Store,
    Link(LinkTo),
    Disk,
    Api(Account),
    Lists(Account),
}

impl Kind {
    /// Returns whether another worker process follows.
    pub(in crate::chaos) fn replaces_workers(&self) -> bool {
        match self {
            Self::KillWorker(_) | Self::RestartWorker(..) | Self::KillEverything => true,
            Self::StopWorker(_)
            | Self::KillTemporal
            | Self::KillDatabase
            | Self::KillStore
            | Self::Cut(_)
            | Self::Slow(_)
            | Self::HalfOpen(_)
            | Self::FullDisk
            | Self::FullStore
            | Self::Answer(..)
            | Self::List(..) => false,
        }
    }

    /// Returns what no other fault may concern at the same time.
    pub(in crate::chaos) fn occupies(&self) -> Vec<Subject> {
        match self {
            Self::KillWorker(worker)
            | Self::StopWorker(worker)
            | Self::RestartWorker(worker, _) => vec![Subject::Worker(*worker)],
            Self::KillTemporal => vec![Subject::Temporal],
            Self::KillDatabase => vec![Subject::Database],
            // MinIO does not start while its disk is full.
            Self::KillStore | Self::FullStore => vec![Subject::Store],
            Self::KillEverything => {
                let workers = (0..WORKERS).map(Subject::Worker);
                let others = [Subject::Temporal, Subject::Database, Subject::Store];
                workers.chain(others).collect()
            }
            Self::Cut(link) | Self::Slow(link) | Self::HalfOpen(link) => {
                vec![Subject::Link(*link)]
            }
            Self::FullDisk => vec![Subject::Disk],
            Self::Answer(account, _) => vec![Subject::Api(*account)],
            Self::List(account, _) => vec![Subject::Lists(*account)],
        }
    }

    /// Returns whether a worker cannot rely on Temporal meanwhile. `None`: the worker of the callers.
    pub(in crate::chaos) fn concerns_temporal(&self, worker: Option<usize>) -> bool {
        match self {
            Self::KillTemporal | Self::KillDatabase | Self::KillEverything => true,
            Self::Cut(link) | Self::Slow(link) | Self::HalfOpen(link) => match link {
                LinkTo::Temporal(of) => Some(*of) == worker,
                LinkTo::Database => true,
                LinkTo::Callers => worker.is_none(),
                LinkTo::Store(_) | LinkTo::Api(..) | LinkTo::Callbacks(_) => false,
            },
            _ => false,
        }
    }

    /// Returns whether a worker may not answer workflow tasks in time meanwhile. `None`: the worker of the callers.
    pub(in crate::chaos) fn interrupts(&self, worker: Option<usize>) -> bool {
        match self {
            Self::KillWorker(of) | Self::StopWorker(of) | Self::RestartWorker(of, _) => {
                Some(*of) == worker
            }
            _ => self.concerns_temporal(worker),
        }
    }

    /// Returns whether a worker can do less than others meanwhile, or all can do little.
    pub(in crate::chaos) fn hampers(&self, worker: usize) -> bool {
        match self {
            Self::KillStore | Self::FullStore => true,
            Self::Cut(link) | Self::Slow(link) | Self::HalfOpen(link) => match link {
                LinkTo::Temporal(of) | LinkTo::Store(of) | LinkTo::Api(of, _) => *of == worker,
                LinkTo::Database => true,
                // What a callback completes is no work of a worker.
                LinkTo::Callers | LinkTo::Callbacks(_) => false,
            },
            _ => self.interrupts(Some(worker)),
        }
    }

    /// Returns whether the videos of an account notice the fault.
    pub(in crate::chaos) fn concerns(&self, account: Account) -> bool {
        match self {
            Self::Cut(LinkTo::Api(_, of))
            | Self::Slow(LinkTo::Api(_, of))
            | Self::HalfOpen(LinkTo::Api(_, of))
            | Self::Answer(of, _)
            | Self::List(of, _) => *of == account,
            _ => true,
        }
    }

    /// Returns a name that does not depend on the part that the fault concerns.
    pub(in crate::chaos) fn name(&self) -> String {
        let link = |mode: &str, link: &LinkTo| match link {
            LinkTo::Temporal(_) => format!("{mode} link to Temporal"),
            LinkTo::Store(_) => format!("{mode} link to the store"),
            LinkTo::Api(..) => format!("{mode} link to the API"),
            LinkTo::Database => format!("{mode} link to the database"),
            LinkTo::Callers => format!("{mode} link of the callers"),
            LinkTo::Callbacks(_) => format!("{mode} link of the callbacks"),
        };
        match self {
            Self::KillWorker(_) => "killed worker".into(),
            Self::StopWorker(_) => "stopped worker".into(),
            Self::RestartWorker(_, change) => change.name().into(),
            Self::KillTemporal => "killed Temporal".into(),
            Self::KillDatabase => "killed database".into(),
            Self::KillStore => "killed store".into(),
            Self::KillEverything => "killed everything".into(),
            Self::Cut(it) => link("cut", it),
            Self::Slow(it) => link("slow", it),
            Self::HalfOpen(it) => link("half-open", it),
            Self::FullDisk => "full disk".into(),
            Self::FullStore => "full disk of the store".into(),
            Self::Answer(_, answer) => format!("API: {answer:?}"),
            Self::List(_, answer) => format!("lists: {answer:?}"),
        }
    }

    /// Returns the reasons for which a video may be lost that cannot be had anyway, if its deadline passes meanwhile.
    pub(in crate::chaos) fn reasons(&self) -> &'static [&'static str] {
        match self {
            Self::KillStore
            | Self::FullStore
            | Self::Cut(LinkTo::Store(_))
            | Self::Slow(LinkTo::Store(_))
            | Self::HalfOpen(LinkTo::Store(_)) => &["store_unavailable"],
            Self::Cut(LinkTo::Api(..))
            | Self::Slow(LinkTo::Api(..))
            | Self::HalfOpen(LinkTo::Api(..)) => &["upstream_unavailable", "query_window_closed"],
            Self::KillEverything => &[
                "store_unavailable",
                "outside_query_window",
                "query_window_closed",
                "rate_limited",
            ],
            Self::Answer(_, Answer::Fault(fault)) => match fault {
                ApiFault::Unauthorized | ApiFault::Forbidden => &["unauthorized"],
                ApiFault::RateLimited { .. } => &["rate_limited"],
                // `rate_limited`: the client itself holds queries back until the time in `Retry-After`.
                ApiFault::Overloaded { .. } => &["upstream_unavailable", "rate_limited"],
                ApiFault::Page | ApiFault::ErrorAs200 | ApiFault::Truncated => {
                    &["unexpected_response", "upstream_unavailable"]
                }
                _ => &["upstream_unavailable"],
            },
            // Polls find what a callback would have said.
            Self::Cut(LinkTo::Callbacks(_))
            | Self::Slow(LinkTo::Callbacks(_))
            | Self::HalfOpen(LinkTo::Callbacks(_)) => &[],
            // As with other changes. Besides, a transfer waits for a worker that serves the account, until the URL has expired.
            Self::RestartWorker(_, Change::FewerAccounts) => &[
                "outside_query_window",
                "query_window_closed",
                "rate_limited",
                "url_expired",
            ],
            // It asks for another URL than the one it cannot unseal, which is too late once the query window has closed.
            Self::RestartWorker(_, Change::EarlierSealKey) => &[
                "outside_query_window",
                "query_window_closed",
                "rate_limited",
                "url_expired",
                "seal_key_missing",
            ],
            // Only videos that can be had go to the disk.
            Self::FullDisk | Self::List(..) | Self::Answer(_, Answer::Date) => &[],
            // The first poll comes late.
            Self::StopWorker(_) => &["outside_query_window", "query_window_closed"],
            // That too, or the clock says so. A worker that starts beside others, also one that waited for Temporal, sends no
            // query until they have counted it: it postpones even the last one of a task.
            _ => &[
                "outside_query_window",
                "query_window_closed",
                "rate_limited",
            ],
        }
    }
}
