//! An attempt to create a task.

use parking_lot::Mutex;
use seedance_archiver_proto::v1::CreateProgress;
use temporalio_sdk::activities::ActivityContext;

use crate::{config::Account, seedance::Client, temporal::submissions::Submission};

/// An attempt.
pub(super) struct Attempt<'a> {
    pub(super) ctx: &'a ActivityContext,
    pub(super) seedance: &'a Client,
    pub(super) account: &'a Account,
    pub(super) submission_id: String,
    pub(super) submission: Submission,
    pub(super) destination: &'a str,
    /// What the next attempt needs to know.
    pub(super) progress: Mutex<CreateProgress>,
}
