//! The configuration of a worker: environment variables, and the accounts file that one of them names. It is read
//! once, at the start. `docs/configuration.md` lists every setting.
//!
//! - [`Config`]: a valid configuration.
//! - [`LoadedConfig`]: a configuration with its errors, its settings and their sources, for `config show` and
//!   `doctor`.
//! - [`Account`]: a Seedance endpoint, and how its videos are archived.
//! - [`WorkerSettings`]: how a worker runs.
//!
//! All errors are reported together, each with its variable or its line:
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
//! assert_eq!(error.to_string(), format!("the configuration has 1 error:
//!   - {path}:5: accounts.default.windows.url_life is an unknown key; known keys: \
//!      cancelled_retention, margin, query_window, url_lifetime"));
//! # Ok(())
//! # }
//! ```
//!
//! # Adding a setting
//!
//! Add a row to a table in `tables`, and the field that the row writes. The row is read from the environment and
//! from the accounts file, listed by `config show`, and described in `docs/configuration.md`.

mod account;
mod account_draft;
mod accounts_file;
mod accounts_reader;
mod archive_options;
mod callbacks;
mod duration;
mod environment;
mod error;
mod format;
mod loaded;
mod preset;
mod private_worker;
mod reader;
mod reference;
mod row;
mod settings;
mod source;
mod tables;
mod url;
mod webhook;
mod worker_draft;
mod worker_settings;

pub use account::{Account, Accounts};
pub use archive_options::ArchiveOptions;
pub use callbacks::Callbacks;
pub use duration::duration;
pub use error::{ConfigError, InvalidConfig};
pub use loaded::{Config, LoadedConfig, accounts, admin_address, archive_url, task_queue};
#[doc(hidden)]
pub use reference::update_page;
pub use settings::Setting;
pub use source::Source;
pub use webhook::Webhook;
pub use worker_settings::{
    Capacity, Deployment, GracePeriod, Queues, Slots, Target, Versioning, WorkerSettings,
};

pub(crate) use tables::worker::QUEUES;
pub(crate) use worker_settings::{MAX_TRANSFER_SLOTS, MIN_QUERY_SLOTS};

pub use crate::telemetry::LogFormat;
pub use seedance_archiver_archive::{
    InvalidTemplate, KeyTemplate, ObjectOptions,
    fetch::{Networks, UrlHosts},
};
pub use seedance_archiver_http::Proxy;
pub use seedance_archiver_seedance::{
    Endpoint, RateLimit, ReadSecretError, Secret, StatusAliases, TaskPath,
};
