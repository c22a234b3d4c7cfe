//! A planned video.

use std::time::Duration;

use seedance_archiver_simulator::{Fault as ApiFault, Script};

/// Who asks for a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Trigger {
    /// A workflow calls `AwaitVideoTask`.
    Call,
    /// Nobody: the account has `auto_archive`.
    Nobody,
}

/// An account, each with an API of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Account {
    Called,
    Automatic,
}

impl Account {
    pub(in crate::chaos) const ALL: [Self; 2] = [Self::Called, Self::Automatic];

    pub(in crate::chaos) fn name(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Automatic => "automatic",
        }
    }
}

/// How the lifecycle of a video may end.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chaos) enum Expected {
    Archived,
    /// `unsuccessful`, with one of these reasons.
    Unsuccessful(Vec<&'static str>),
    /// `lost`, or `unknown` if the API never returned a record, with one of these reasons.
    Lost(Vec<&'static str>),
}

#[derive(Clone, Debug, PartialEq)]
pub(in crate::chaos) struct Video {
    /// When the task is created.
    pub(in crate::chaos) at: Duration,
    pub(in crate::chaos) trigger: Trigger,
    pub(in crate::chaos) script: Script,
    /// The worker to which callbacks are posted.
    pub(in crate::chaos) callback: Option<usize>,
    /// How long the API returns 404 after the creation.
    pub(in crate::chaos) hidden_for: Duration,
    /// What is wrong with the queries of its task after the creation, and for how long. Those of other tasks are answered.
    pub(in crate::chaos) query_fault: Option<(ApiFault, Duration)>,
    /// Whether the video goes to the archive on the small disk.
    pub(in crate::chaos) to_disk: bool,
    pub(in crate::chaos) expected: Expected,
}

impl Video {
    pub(in crate::chaos) fn account(&self) -> Account {
        match self.trigger {
            Trigger::Call => Account::Called,
            Trigger::Nobody => Account::Automatic,
        }
    }
}
