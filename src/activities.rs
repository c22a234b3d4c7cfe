//! The activities that a worker registers: `QueryVideoTask`, `ArchiveVideo` and `AwaitVideoTask`, and
//! what a lifecycle needs beside them, `CancelVideoTask` and `RecordOutcome`.

mod archive_video;
mod cancel_video_task;
mod failure;
mod fault;
mod heartbeat;
mod memory;
mod query_video_task;
mod record_outcome;
mod successor;
mod task_origin;
mod task_record;
mod transfers;
mod waits;

pub use query_video_task::QueryActivities;
pub(crate) use transfers::AT_ONCE;
pub use transfers::{CannotServe, TransferActivities};
