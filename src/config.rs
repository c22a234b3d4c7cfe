//! What a worker is told: by the environment and the files that it names, read once at start.

mod account;
mod accounts_file;
mod archive_options;
mod callbacks;
mod duration;
mod environment;
mod invalid;
mod preset;
mod reading;
mod secret;
mod section;
mod settings;
mod source;
mod task_path;
mod url;

pub use account::{Account, Accounts};
pub use archive_options::ArchiveOptions;
pub use callbacks::Callbacks;
pub use duration::{duration, words};
pub use invalid::InvalidConfig;
pub use reading::{Reading, accounts, archive_url, task_queue};
pub use secret::{CannotReadSecret, Secret};
pub use settings::Setting;
pub use source::{Fault, Source};
pub use task_path::TaskPath;

pub use crate::{
    archive::{InvalidTemplate, KeyTemplate, ObjectOptions},
    download::UrlHosts,
    seedance::{Budget, Statuses},
};

use std::net::SocketAddr;

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
    /// Where callbacks come in. `None`: they do not.
    pub ingress_address: Option<SocketAddr>,
}
