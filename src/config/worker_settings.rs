//! The settings of a worker: its task queues, concurrency, deployment and logs.

use std::{fmt, net::SocketAddr, str::FromStr, time::Duration};

use seedance_archiver_workflows::format;
use strum::{Display, EnumString, VariantNames};

use crate::telemetry::LogFormat;

/// The settings of a worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerSettings {
    /// Listen address for health checks and metrics. `None` if neither is served.
    pub admin_address: Option<SocketAddr>,
    /// The task queues that the worker serves.
    pub queues: Queues,
    /// How long transfers may continue after a shutdown signal. Queries and waits may continue for at most 10 s.
    pub grace_period: GracePeriod,
    /// Limits on concurrent work.
    pub capacity: Capacity,
    /// The worker deployment version that the worker belongs to. `None` if worker versioning is off.
    pub deployment: Option<Deployment>,
    /// Format of the logs. `None` for text on a terminal and JSON otherwise.
    pub log_format: Option<LogFormat>,
}

/// Task queues that a worker serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queues {
    /// The queue of workflows, queries, waits and sweeps.
    pub query: bool,
    /// The queue of transfers.
    pub transfer: bool,
}

/// How long transfers may continue after a shutdown signal, 10 s by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GracePeriod(pub Duration);

/// Limits on the concurrent work of a worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Workflow tasks.
    pub workflow: Slots,
    /// Activities of the query task queue.
    pub query: Slots,
    /// Activities of the transfers task queue.
    pub transfer: Slots,
    /// Rate limit that the server applies to the activities of the query task queue, across all workers.
    /// `None` for no limit.
    pub queries_per_second: Option<f64>,
    /// Resource usage above which the worker accepts no more activities. `None` if only the slots limit them.
    pub target: Option<Target>,
}

/// Slots and pollers for one kind of task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots {
    /// Maximum number of concurrent tasks.
    pub slots: usize,
    /// Number of concurrent polls.
    pub pollers: usize,
}

/// Target usage of the machine or container, from 0 to 1. While usage exceeds a target, the worker accepts no
/// more activities; the slots remain the upper bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Target memory usage.
    pub memory: f64,
    /// Target CPU usage.
    pub cpu: f64,
}

/// A worker deployment version.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Name of the deployment.
    pub name: String,
    /// Build id of the version.
    pub build_id: String,
    /// What running lifecycles do when a newer version becomes current.
    pub versioning: Versioning,
}

/// What running lifecycles do when a newer version of the worker becomes current.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, PartialEq, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Versioning {
    /// They continue on the current version. This is the default because a lifecycle may wait for three weeks,
    /// and workers of old versions would have to run for that long.
    #[default]
    AutoUpgrade,
    /// They stay on the version that they started on.
    Pinned,
}

/// Maximum number of concurrent transfers, and the default: each has a buffer.
pub(crate) const MAX_TRANSFER_SLOTS: usize = 32;
/// Minimum number of query slots. The waits of `AwaitVideoTask` hold up to 50, and queries need the rest.
pub(crate) const MIN_QUERY_SLOTS: usize = 60;

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

impl fmt::Display for GracePeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format::duration(self.0))
    }
}

impl Default for Capacity {
    fn default() -> Self {
        let slots = |slots| Slots { slots, pollers: 5 };
        Self {
            workflow: slots(100),
            query: slots(100),
            transfer: slots(MAX_TRANSFER_SLOTS),
            queries_per_second: None,
            target: None,
        }
    }
}

impl FromStr for Queues {
    type Err = String;

    /// Parses a comma-separated list of `query` and `transfer`.
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
        let served = names.iter().filter(|(is_served, _)| *is_served);
        let served: Vec<_> = served.map(|(_, name)| *name).collect();
        f.write_str(&served.join(","))
    }
}
