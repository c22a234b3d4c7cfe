//! A simulated task.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use jiff::{Timestamp, tz};
use parking_lot::Mutex;
use seedance_archiver_proto::status;
use tokio::sync::watch;

use crate::{
    create_request::CreateRequest,
    script::{Ending, Script},
    source::{Source, mix},
};

/// A task whose status depends only on the time, unless it is cancelled.
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) request: CreateRequest,
    pub(crate) script: Script,
    pub(crate) seed: u64,
    pub(crate) created_at: SystemTime,
    /// Orders tasks that were created at the same time.
    pub(crate) number: u64,
    /// The video, before any corruption.
    pub(crate) video: Arc<Source>,
    pub(crate) last_frame: Option<Arc<Source>>,
    corrupted_video: Option<Arc<Source>>,
    /// The signatures of the first video URLs, oldest first: as many as the script makes fail.
    video_signatures: Mutex<Vec<String>>,
    queued_at: SystemTime,
    runs_at: SystemTime,
    ends_at: SystemTime,
    cancelled_at: Mutex<Option<SystemTime>>,
    is_hidden: AtomicBool,
    is_unlisted: AtomicBool,
    /// Whether downloads may pass [`Script::hold_at`].
    is_released: watch::Sender<bool>,
    /// Whether a query or a list returned the task.
    was_returned: AtomicBool,
}

/// When a task changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The creation time in the record.
    pub(crate) created_at: SystemTime,
    pub(crate) queued_at: SystemTime,
    pub(crate) runs_at: SystemTime,
    pub(crate) ends_at: SystemTime,
}

impl Task {
    pub(crate) fn new(number: u64, request: CreateRequest, script: Script, times: Times) -> Self {
        let created_at = times.created_at;
        let seed = mix(fastrand::u64(..));
        let corrupted_video = script
            .corrupt
            .map(|corruption| Source::corrupted(&script, seed, corruption));
        Self {
            id: new_id(created_at),
            video: Arc::new(Source::video(&script, seed)),
            corrupted_video: corrupted_video.map(Arc::new),
            last_frame: script.last_frame.map(Source::last_frame).map(Arc::new),
            video_signatures: Mutex::default(),
            number,
            created_at,
            queued_at: times.queued_at,
            runs_at: times.runs_at,
            ends_at: times.ends_at,
            cancelled_at: Mutex::default(),
            is_hidden: AtomicBool::new(false),
            is_unlisted: AtomicBool::new(script.unlisted),
            is_released: watch::Sender::new(script.hold_at.is_none()),
            was_returned: AtomicBool::new(false),
            seed,
            request,
            script,
        }
    }

    /// Returns the key by which tasks are ordered, oldest first.
    pub(crate) fn age_key(&self) -> (SystemTime, u64) {
        (self.created_at, self.number)
    }

    /// Returns the status at the time `now`, and when it started.
    pub(crate) fn status(&self, now: SystemTime) -> (&'static str, SystemTime) {
        let cancelled_at = *self.cancelled_at.lock();
        if let Some(cancelled_at) = cancelled_at.filter(|at| *at <= now) {
            (status::CANCELLED, cancelled_at)
        } else if now < self.runs_at {
            (status::QUEUED, self.created_at)
        } else if self.script.ending == Ending::Cancelled {
            (status::CANCELLED, self.runs_at)
        } else if now < self.ends_at {
            (status::RUNNING, self.runs_at)
        } else {
            (self.script.ending.status(), self.ends_at)
        }
    }

    /// Returns the times at which the status changes, oldest first, beginning with the creation.
    pub(crate) fn status_changes(&self) -> Vec<SystemTime> {
        let mut changes = vec![self.queued_at, self.runs_at, self.ends_at];
        // A status of zero duration is skipped.
        changes.dedup();
        changes
    }

    pub(crate) fn cancel(&self, now: SystemTime) {
        *self.cancelled_at.lock() = Some(now);
    }

    /// Returns whether the API returns 404 for the task.
    pub(crate) fn is_hidden(&self) -> bool {
        self.is_hidden.load(Ordering::Relaxed)
    }

    pub(crate) fn set_hidden(&self, is_hidden: bool) {
        self.is_hidden.store(is_hidden, Ordering::Relaxed);
    }

    /// Returns whether lists omit the task.
    pub(crate) fn is_unlisted(&self) -> bool {
        self.is_unlisted.load(Ordering::Relaxed)
    }

    pub(crate) fn set_unlisted(&self, is_unlisted: bool) {
        self.is_unlisted.store(is_unlisted, Ordering::Relaxed);
    }

    /// Releases held downloads.
    pub(crate) fn release(&self) {
        self.is_released.send_replace(true);
    }

    /// Returns the position at which downloads pause now.
    pub(crate) fn hold_at(&self) -> Option<u64> {
        self.script.hold_at.filter(|_| !*self.is_released.borrow())
    }

    /// Waits until downloads are released.
    pub(crate) async fn released(&self) {
        // Never fails, because `self` owns the sender.
        let _ = self.is_released.subscribe().wait_for(|it| *it).await;
    }

    pub(crate) fn was_returned(&self) -> bool {
        self.was_returned.load(Ordering::Relaxed)
    }

    pub(crate) fn set_returned(&self) {
        self.was_returned.store(true, Ordering::Relaxed);
    }

    /// Returns the video that the next download serves.
    pub(crate) fn served_video(&self, earlier_downloads: u64) -> &Arc<Source> {
        let limit = self.script.corrupt_downloads;
        self.corrupted_video
            .as_ref()
            .filter(|_| limit.is_none_or(|limit| earlier_downloads < limit))
            .unwrap_or(&self.video)
    }

    /// Adds the signature of a video URL if the URL is one of the first that the script makes fail.
    pub(crate) fn add_video_signature(&self, signature: String) {
        let mut signatures = self.video_signatures.lock();
        if signatures.len() < self.script.dead_urls && !signatures.contains(&signature) {
            signatures.push(signature);
        }
    }

    /// Returns whether the script makes the video URL with this signature fail.
    pub(crate) fn is_dead_url(&self, signature: &str) -> bool {
        let dead = self.video_signatures.lock();
        dead.iter().any(|dead| dead == signature)
    }
}

/// Returns an id in the service's format, `cgt-20260828062711-hj94q`: the time in UTC+8 and a random suffix.
fn new_id(created_at: SystemTime) -> String {
    let time = Timestamp::try_from(created_at)
        .unwrap_or_default()
        .to_zoned_datetime(tz::offset(8).to_time_zone());
    let suffix: String = (0..5).map(|_| fastrand::char('a'..='z')).collect();
    format!("cgt-{}-{suffix}", time.strftime("%Y%m%d%H%M%S"))
}
