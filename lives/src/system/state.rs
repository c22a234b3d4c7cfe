//! What a lifecycle knows and does.

use seedance_archiver_policy::{deadlines::TransferTimes, transfers::History};
use seedance_archiver_proto::v1::{QueryProgress, QueryVideoTaskRequest, VideoTask};

use crate::log::End;

/// The lifecycle of a task.
#[derive(Debug, Default)]
pub(super) struct Lifecycle {
    pub(super) stage: Stage,
    /// Number of the attempt that is due. Earlier ones are not.
    pub(super) epoch: u32,
    /// The last record that an activity returned.
    pub(super) seen: Option<VideoTask>,
    pub(super) known_status: String,
    pub(super) may_have_been_seen: bool,
    pub(super) started_at: u64,
    pub(super) last_polled_at: i64,
}

/// What a lifecycle does.
#[derive(Debug, Default)]
pub(super) enum Stage {
    #[default]
    Unstarted,
    Polling(Box<Polling>),
    Archiving(Box<Transfer>),
    Ended(End),
}

/// An activity `QueryVideoTask`.
#[derive(Debug)]
pub(super) struct Polling {
    pub(super) request: QueryVideoTaskRequest,
    /// The last heartbeat.
    pub(super) progress: QueryProgress,
    pub(super) attempt: u32,
    pub(super) scheduled_at: u64,
}

impl Lifecycle {
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Unstarted | Stage::Ended(_))
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    pub(super) fn is_polling(&self) -> bool {
        matches!(self.stage, Stage::Polling(_))
    }

    pub(super) fn into_end(self) -> Option<End> {
        match self.stage {
            Stage::Ended(end) => Some(end),
            _ => None,
        }
    }
}

/// The transfer of a video, across attempts.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) task: VideoTask,
    pub(super) times: TransferTimes,
    /// The newest URL that a query returned: `FreshUrls`.
    pub(super) fresh_url: Option<String>,
    pub(super) history: History,
    /// How many seconds of the download the next attempt needs not repeat.
    pub(super) stored: u64,
    /// How many seconds of the download an attempt got at most.
    pub(super) reached: u64,
}
