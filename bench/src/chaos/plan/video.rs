//! A planned video.

use std::time::Duration;

use seedance_archiver_simulator::{Fault as ApiFault, Script};

use super::every::every_variant;

/// Who asks for a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Trigger {
    /// A workflow calls `AwaitVideoTask`.
    Call,
    /// Nobody: the account has `auto_archive`.
    Nobody,
}

/// An account of the simulated API. Each account has its own API server. Workflows call for the videos of every account
/// but [`Account::Automatic`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::chaos) enum Account {
    Called,
    /// It has `auto_archive`.
    Automatic,
    /// The id of a task is in the query of its URL, as on some gateways.
    Gateway,
    /// No list of the tasks is known.
    WithoutList,
}

impl Account {
    pub(in crate::chaos) const ALL: [Self; 4] = every_variant!(Account {
        Called,
        Automatic,
        Gateway,
        WithoutList,
    });
    pub(in crate::chaos) const WITH_LIST: [Self; 3] =
        [Self::Called, Self::Automatic, Self::Gateway];

    pub(in crate::chaos) fn name(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Automatic => "automatic",
            Self::Gateway => "gateway",
            Self::WithoutList => "without-list",
        }
    }

    /// Returns the place in [`Account::ALL`].
    pub(in crate::chaos) fn index(self) -> usize {
        self as usize
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
    /// The account, if a workflow calls for the video.
    pub(in crate::chaos) called_account: Account,
    pub(in crate::chaos) script: Script,
    /// The worker to which callbacks are posted.
    pub(in crate::chaos) callback: Option<usize>,
    /// How long the API returns 404 after the creation.
    pub(in crate::chaos) hidden_for: Duration,
    /// What is wrong with the queries of its task after the creation, and for how long. Those of other tasks are answered.
    pub(in crate::chaos) query_fault: Option<(ApiFault, Duration)>,
    /// How long after the creation its downloads stand still where the script says.
    pub(in crate::chaos) held_for: Duration,
    /// Whether the video goes to the archive on the small disk.
    pub(in crate::chaos) to_disk: bool,
    pub(in crate::chaos) expected: Expected,
}

impl Video {
    pub(in crate::chaos) fn account(&self) -> Account {
        match self.trigger {
            Trigger::Call => self.called_account,
            Trigger::Nobody => Account::Automatic,
        }
    }
}
