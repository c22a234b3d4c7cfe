//! What a worker is told: by the environment, read once at start.

mod account;
mod api_key;
mod environment;

pub use account::{Account, Accounts, UnknownAccount};
pub use api_key::{ApiKey, CannotReadKey};
pub use environment::{InvalidConfig, task_queue};

use reqwest::Url;

/// Effective configuration of a worker.
#[derive(Clone, Debug)]
pub struct Config {
    /// The accounts that it serves.
    pub accounts: Accounts,
    /// Archive URL under which it stores what names no other destination.
    pub archive_url: Url,
    /// Task queue of workflows and questions; transfers have their own beside it.
    pub task_queue: String,
}
