//! The tasks and what was asked of them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use jiff::{Timestamp, tz};
use seedance_archiver_proto::status;

use crate::{
    create::Request,
    script::{Ending, Script},
    source::{Source, mix},
};

/// A task: where it stands follows from the time alone, unless somebody cancels it.
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) request: Request,
    pub(crate) script: Script,
    pub(crate) seed: u64,
    pub(crate) video: Arc<Source>,
    /// The video as it is served where the script wants it corrupt.
    corrupt: Option<Arc<Source>>,
    pub(crate) last_frame: Option<Arc<Source>>,
    /// Signatures of the video's URLs, oldest first.
    pub(crate) signatures: Mutex<Vec<String>>,
    number: u64,
    created_at: SystemTime,
    queued_until: SystemTime,
    runs_until: SystemTime,
    cancelled_at: Mutex<Option<SystemTime>>,
    hidden: AtomicBool,
}

/// What was asked of a task so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Requests for its record, those that were refused included.
    pub queries: u64,
    /// Requests for its video that were answered with bytes.
    pub downloads: u64,
    /// Bytes of its video that were sent.
    pub bytes_sent: u64,
    /// Callbacks that were sent about it, each attempt counted.
    pub callbacks: u64,
}

impl Task {
    pub(crate) fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Relaxed)
    }

    /// The video as the download after so many others gets it.
    pub(crate) fn served(&self, downloads: u64) -> &Arc<Source> {
        let last = self.script.corrupt_downloads;
        let corrupt = self.corrupt.as_ref();
        corrupt
            .filter(|_| last.is_none_or(|last| downloads < last))
            .unwrap_or(&self.video)
    }

    pub(crate) fn created_at(&self) -> SystemTime {
        self.created_at
    }

    /// When its status changes, oldest first, its creation included.
    pub(crate) fn changes(&self) -> Vec<SystemTime> {
        let mut changes = vec![self.created_at, self.queued_until, self.runs_until];
        // A status that lasts no time is never taken.
        changes.dedup();
        changes
    }

    /// The status, and since when.
    pub(crate) fn status(&self, now: SystemTime) -> (&'static str, SystemTime) {
        if let Some(cancelled_at) = *lock(&self.cancelled_at) {
            (status::CANCELLED, cancelled_at)
        } else if now < self.queued_until {
            (status::QUEUED, self.created_at)
        } else if self.script.ending == Ending::Cancelled {
            (status::CANCELLED, self.queued_until)
        } else if now < self.runs_until {
            (status::RUNNING, self.queued_until)
        } else {
            (self.script.ending.status(), self.runs_until)
        }
    }
}

/// All tasks, and the statistics of every id that was asked about.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Mutex<BTreeMap<String, Arc<Task>>>,
    stats: Mutex<BTreeMap<String, Stats>>,
    created: AtomicU64,
    /// Requests for a list, those that were refused included.
    pub(crate) lists: AtomicU64,
}

impl Tasks {
    /// Creates a task that begins now, or has begun so long ago as its script says. `queued` and `running` count where the script says nothing.
    pub(crate) fn create(
        &self,
        request: Request,
        script: Script,
        queued: Duration,
        running: Duration,
    ) -> Arc<Task> {
        let now = SystemTime::now() - script.age;
        let queued_until = now + script.queued.unwrap_or(queued);
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let seed = mix(fastrand::u64(..));
        let corrupt = script.corrupt;
        let corrupt = corrupt.map(|it| Source::corrupted(&script, seed, it));
        let task = Arc::new(Task {
            id: new_id(now),
            video: Arc::new(Source::video(&script, seed)),
            corrupt: corrupt.map(Arc::new),
            last_frame: script.last_frame.map(Source::last_frame).map(Arc::new),
            signatures: Mutex::default(),
            number,
            created_at: now,
            queued_until,
            runs_until: queued_until + script.running.unwrap_or(running),
            cancelled_at: Mutex::default(),
            hidden: AtomicBool::new(false),
            seed,
            request,
            script,
        });
        lock(&self.tasks).insert(task.id.clone(), task.clone());
        task
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Task>> {
        lock(&self.tasks).get(id).cloned()
    }

    /// Whether the API says that there is no such task, although there is.
    pub(crate) fn hide(&self, id: &str, hidden: bool) {
        if let Some(task) = self.find(id) {
            task.hidden.store(hidden, Ordering::Relaxed);
        }
    }

    /// Newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Task>> {
        let mut tasks: Vec<_> = lock(&self.tasks).values().cloned().collect();
        tasks.sort_by_key(|task| std::cmp::Reverse((task.created_at, task.number)));
        tasks
    }

    /// Cancels a queued task and deletes the record of an ended one. A running or cancelled task is
    /// left alone; the error is its status.
    pub(crate) fn delete(&self, task: &Task) -> Result<(), &'static str> {
        let now = SystemTime::now();
        match task.status(now).0 {
            status @ (status::RUNNING | status::CANCELLED) => return Err(status),
            status::QUEUED => *lock(&task.cancelled_at) = Some(now),
            _ => {
                lock(&self.tasks).remove(&task.id);
            }
        }
        Ok(())
    }

    pub(crate) fn stats(&self, id: &str) -> Stats {
        lock(&self.stats).get(id).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self, id: &str, change: impl FnOnce(&mut Stats)) {
        change(lock(&self.stats).entry(id.to_owned()).or_default());
    }
}

/// What is behind these locks stays whole whoever panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `cgt-20260828062711-hj94q`: the time in China and five characters.
fn new_id(now: SystemTime) -> String {
    let time = Timestamp::try_from(now)
        .unwrap_or_default()
        .to_zoned_datetime(tz::offset(8).to_time_zone());
    let end: String = (0..5).map(|_| fastrand::char('a'..='z')).collect();
    format!("cgt-{}-{end}", time.strftime("%Y%m%d%H%M%S"))
}
