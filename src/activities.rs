//! The activities that a worker registers: `QueryVideoTask`, `ArchiveVideo` and `AwaitVideoTask`, and
//! what a lifecycle needs beside them, `CancelVideoTask` and `RecordOutcome`; and `SweepVideoTaskPage`
//! for sweeps.

mod archive_video;
mod beat;
mod cancel_video_task;
mod failure;
mod fault;
mod heartbeat;
mod memory;
mod per_account;
mod query_video_task;
mod record_outcome;
mod settled;
mod successor;
mod sweep_video_task_page;
mod task_origin;
pub mod task_query;
mod task_record;
mod transfers;
mod waits;

pub use query_video_task::QueryActivities;
pub use sweep_video_task_page::SweepActivities;
pub use transfers::{ServeError, TransferActivities};
