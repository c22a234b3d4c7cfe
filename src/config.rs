//! What a worker is told: by the environment and the files that it names, read once at start.
//!
//! What is wrong is told all at once, each fault with its place:
//!
//! ```
//! use seedance_archiver::config::Config;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("accounts.toml").display().to_string();
//! let environment = |name: &str| match name {
//!     "SEEDANCE_ACCOUNTS_FILE" => Some(path.clone()),
//!     "SEEDANCE_ARCHIVE_URL" => Some("s3://my-bucket/videos".to_owned()),
//!     _ => None, // a worker: std::env::var(name).ok()
//! };
//!
//! std::fs::write(&path, r#"
//! [accounts.default]
//! preset = "byteplus"
//! api_key = "a-key"
//!
//! [accounts.gateway]
//! base_url = "https://gateway.example/v1"
//! api_key = "another-key"
//! windows = { url_lifetime = "12h" }
//! "#)?;
//! let config = Config::from_environment(environment, None)?;
//! assert_eq!(config.task_queue, "seedance-archiver");
//! let gateway = config.accounts.get("gateway")?;
//! assert_eq!(gateway.windows.url_lifetime.as_secs(), 12 * 60 * 60);
//!
//! std::fs::write(&path, r#"
//! [accounts.default]
//! preset = "byteplus"
//! api_key = "a-key"
//! windows = { url_life = "12h" }
//! "#)?;
//! let error = Config::from_environment(environment, None).unwrap_err();
//! assert_eq!(error.to_string(), format!("the configuration has 1 fault:
//!   - {path}:5: accounts.default.windows.url_life is not a key: the keys here are \
//!      cancelled_retention, margin, query_window, url_lifetime"));
//! # Ok(())
//! # }
//! ```

mod account;
mod accounts_file;
mod archive_options;
mod callbacks;
mod duration;
mod environment;
mod invalid;
mod operations;
mod preset;
mod reading;
mod section;
mod settings;
mod source;
mod url;

pub use account::{Account, Accounts};
pub use archive_options::ArchiveOptions;
pub use callbacks::Callbacks;
pub use duration::duration;
pub use invalid::InvalidConfig;
pub use operations::{
    Capacity, Deployment, GracePeriod, Operations, Queues, Share, Target, Versioning,
};
pub use reading::{Reading, accounts, admin_address, archive_url, task_queue};
pub use settings::Setting;
pub use source::{Fault, Source};

pub use crate::telemetry::LogFormat;

pub(crate) use environment::operations::QUEUES;
pub(crate) use operations::{LEAST_QUERIES, MOST_TRANSFERS};

pub use seedance_archiver_archive::{InvalidTemplate, KeyTemplate, ObjectOptions, fetch::UrlHosts};
pub use seedance_archiver_seedance::{
    Endpoint, RateLimit, ReadSecretError, Secret, StatusAliases, TaskPath,
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
    /// How it runs.
    pub operations: Operations,
}
