//! The activities that a worker registers, each in a module of its name.
//!
//! - [`QueryActivities`] registers `QueryVideoTask`, `AwaitVideoTask`, `CancelVideoTask`, `CreateVideoTask` and
//!   `FindSubmittedTask`, on the query task queue.
//! - [`SweepActivities`] registers `SweepVideoTaskPage` and `WatchAccount`, on the query task queue.
//! - [`EventActivities`] registers `DeliverEvent`, on the query task queue.
//! - [`TransferActivities`] registers `ArchiveVideo`, `RecordOutcome` and `AuditShare`, on the transfers task queue.
//!
//! Errors become Temporal failures in the module `failure`.

mod account_map;
mod api_delay;
mod archive_job;
mod archive_video;
mod audit_share;
mod audited_archives;
mod await_video_task;
mod cancel_video_task;
mod checked_request;
mod completed_tasks;
mod create_video_task;
mod deliver_event;
mod delivery_slots;
mod destination;
mod ending_event;
mod event_activities;
mod failure;
mod find_submitted_task;
mod finished_tasks;
mod fresh_urls;
mod heartbeat;
mod learned_times;
pub(crate) mod list_error;
mod next_attempt;
mod poll_timing;
mod query_activities;
mod query_progress;
mod query_video_task;
mod record_outcome;
mod recorded_task;
mod serve_error;
mod sweep_account;
mod sweep_activities;
mod sweep_task;
mod sweep_video_task_page;
pub mod task_queries;
mod task_record;
mod task_source;
mod transfer_account;
mod transfer_activities;
mod transfer_error;
mod transfer_heartbeat;
mod unknown_account;
mod url_renewal;
mod waiting;
mod watch_account;
pub(crate) mod watched_accounts;

pub use event_activities::EventActivities;
pub use query_activities::QueryActivities;
pub use serve_error::ServeError;
pub use sweep_activities::SweepActivities;
pub use transfer_activities::TransferActivities;
