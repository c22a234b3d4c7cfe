//! What is sampled of each worker, and what is expected of it.

/// A number of a worker over time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Series {
    ResidentMemory,
    Descriptors,
    Connections,
    Threads,
    RuntimeTasks,
    SlotsUsed,
    OpenLifecycles,
    WatchedTasks,
    ListRequests,
}

/// Of which workers the values are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scope {
    /// Each has a level of its own.
    EachWorker,
    /// Each exports the same number.
    Largest,
    /// The work moves between them: only the sum has a level.
    Sum,
}

/// What is expected once the load has settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Afterwards {
    Anything,
    Zero,
    /// The level before the load.
    AsBefore,
    /// At most twice the level before the load, by the lowest values. Caches are full then, and a worker still lists: a
    /// page takes memory for a while, which a leak takes for good.
    TwiceAtMost,
}

impl Series {
    pub(super) const ALL: [Self; 9] = [
        Self::ResidentMemory,
        Self::Descriptors,
        Self::Connections,
        Self::Threads,
        Self::RuntimeTasks,
        Self::SlotsUsed,
        Self::OpenLifecycles,
        Self::WatchedTasks,
        Self::ListRequests,
    ];

    /// Returns the name of its column.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::ResidentMemory => "resident_mebibytes",
            Self::Descriptors => "descriptors",
            Self::Connections => "connections",
            Self::Threads => "threads",
            Self::RuntimeTasks => "runtime_tasks",
            Self::SlotsUsed => "slots_used",
            Self::OpenLifecycles => "open_lifecycles",
            Self::WatchedTasks => "watched_tasks",
            Self::ListRequests => "list_requests_total",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::ResidentMemory => "resident memory, MiB",
            Self::Descriptors => "open file descriptors",
            Self::Connections => "TCP connections",
            Self::Threads => "threads",
            Self::RuntimeTasks => "tasks of the runtime",
            Self::SlotsUsed => "used slots of workflow and activity tasks",
            Self::OpenLifecycles => "open lifecycles",
            Self::WatchedTasks => "watched tasks",
            Self::ListRequests => "list requests a minute",
        }
    }

    /// Returns the metric of a worker, and a label that its samples have. The rest comes from `/proc`.
    pub(super) fn metric(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::ResidentMemory | Self::Descriptors | Self::Connections | Self::Threads => None,
            Self::RuntimeTasks => Some(("seedance_archiver_runtime_tasks", "")),
            Self::SlotsUsed => Some(("temporal_worker_task_slots_used", "")),
            Self::OpenLifecycles => Some(("seedance_archiver_open_lifecycles", "")),
            Self::WatchedTasks => Some(("seedance_archiver_watched_tasks", "")),
            Self::ListRequests => Some((
                "seedance_archiver_watcher_requests_total",
                "request=\"list\"",
            )),
        }
    }

    /// Returns whether its values are totals, of which the rate is compared.
    pub(super) fn is_total(self) -> bool {
        self == Self::ListRequests
    }

    pub(super) fn scope(self) -> Scope {
        match self {
            Self::OpenLifecycles => Scope::Largest,
            // A worker that lists, or receives a large video, takes more meanwhile.
            Self::ResidentMemory | Self::WatchedTasks | Self::ListRequests => Scope::Sum,
            _ => Scope::EachWorker,
        }
    }

    /// Returns how much a level may rise by chance, besides a tenth: faults are not the same in every third, and a watcher
    /// or a large video may be on another worker.
    pub(super) fn slack(self) -> f64 {
        match self {
            Self::ResidentMemory => 24.0,
            Self::Threads => 4.0,
            Self::Descriptors | Self::Connections | Self::SlotsUsed => 10.0,
            // Running activities and connections have a few each.
            Self::RuntimeTasks | Self::OpenLifecycles | Self::WatchedTasks => 30.0,
            Self::ListRequests => 20.0,
        }
    }

    pub(super) fn afterwards(self) -> Afterwards {
        match self {
            Self::Descriptors
            | Self::Connections
            | Self::Threads
            | Self::RuntimeTasks
            | Self::SlotsUsed => Afterwards::AsBefore,
            Self::OpenLifecycles | Self::WatchedTasks => Afterwards::Zero,
            Self::ResidentMemory => Afterwards::TwiceAtMost,
            Self::ListRequests => Afterwards::Anything,
        }
    }
}
