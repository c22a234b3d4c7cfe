//! How a worker runs: which task queues it serves, how much at once, and how it starts and stops.

use std::{fmt, net::SocketAddr, str::FromStr, time::Duration};

use crate::telemetry::LogFormat;

/// How a worker runs. The default is what a worker does that is told nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// Where health and metrics are asked for. `None`: nowhere.
    pub admin_address: Option<SocketAddr>,
    /// The task queues that it serves.
    pub queues: Queues,
    /// How long transfers may go on after a shutdown was asked for, before they hand over. Questions and waits
    /// have 10 s of it at most.
    pub grace_period: GracePeriod,
    /// How much it does at once.
    pub capacity: Capacity,
    /// The worker deployment that it is a version of. `None`: versioning is off.
    pub deployment: Option<Deployment>,
    /// How logs are written. `None`: as text on a terminal, as JSON elsewhere.
    pub log_format: Option<LogFormat>,
}

/// Task queues that a worker serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queues {
    /// Workflows, questions, waits and sweeps.
    pub query: bool,
    /// Transfers.
    pub transfer: bool,
}

/// A time, 10 s by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GracePeriod(pub Duration);

/// How much a worker does at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Workflow tasks.
    pub workflow: Share,
    /// Activities of the query task queue.
    pub query: Share,
    /// Activities of the transfers task queue.
    pub transfer: Share,
    /// Most activities a second that the server gives out of the query task queue, to all workers together.
    /// `None`: as many as there are.
    pub queries_per_second: Option<f64>,
    /// What is used up before no more is taken on. `None`: only slots count.
    pub target: Option<Target>,
}

/// Tasks of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Most at once.
    pub slots: usize,
    /// Polls for more at once.
    pub pollers: usize,
}

/// Shares of the machine, or of what its container may use, from 0 to 1. While one is exceeded, nothing
/// more is taken on; slots are the upper bound still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Of memory.
    pub memory: f64,
    /// Of CPU.
    pub cpu: f64,
}

/// A version of a worker deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Name of the deployment.
    pub name: String,
    /// Its version.
    pub build_id: String,
    /// What becomes of lifecycles that run when there is a newer one.
    pub versioning: Versioning,
}

/// What becomes of lifecycles that run when there is a newer version.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Versioning {
    /// They go on there: a lifecycle may wait for two weeks, and its old workers would have to.
    #[default]
    AutoUpgrade,
    /// They stay with the version that they began with, for as long as they take.
    Pinned,
}

/// Transfers at once. Each may hold a buffer while it waits for its host, so no more than there are.
pub(crate) const MOST_TRANSFERS: usize = 32;
/// Slots of questions of which enough are left beside the waits of `AwaitVideoTask`, which hold up to 50.
pub(crate) const LEAST_QUERIES: usize = 60;

impl Default for Queues {
    fn default() -> Self {
        Self {
            query: true,
            transfer: true,
        }
    }
}

impl Default for GracePeriod {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl Default for Capacity {
    fn default() -> Self {
        let share = |slots| Share { slots, pollers: 5 };
        Self {
            workflow: share(100),
            query: share(100),
            transfer: share(MOST_TRANSFERS),
            queries_per_second: None,
            target: None,
        }
    }
}

impl FromStr for Queues {
    type Err = String;

    /// Names with commas between them: `query`, `transfer`.
    fn from_str(list: &str) -> Result<Self, String> {
        let mut queues = Self {
            query: false,
            transfer: false,
        };
        for name in list.split(',').map(str::trim) {
            match name {
                "query" => queues.query = true,
                "transfer" => queues.transfer = true,
                _ => return Err("must be `query`, `transfer` or `query,transfer`".to_owned()),
            }
        }
        Ok(queues)
    }
}

impl fmt::Display for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(self.query, "query"), (self.transfer, "transfer")];
        let names: Vec<_> = names.iter().filter(|it| it.0).map(|it| it.1).collect();
        write!(f, "{}", names.join(","))
    }
}

impl FromStr for Versioning {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.trim() {
            "auto_upgrade" => Ok(Self::AutoUpgrade),
            "pinned" => Ok(Self::Pinned),
            _ => Err("must be `auto_upgrade` or `pinned`".to_owned()),
        }
    }
}

impl fmt::Display for Versioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AutoUpgrade => "auto_upgrade",
            Self::Pinned => "pinned",
        })
    }
}
