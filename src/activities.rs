//! The activities that a worker registers: `QueryVideoTask` and `ArchiveVideo`, and what a lifecycle
//! needs beside them, `CancelVideoTask` and `RecordOutcome`.

mod archive_video;
mod cancel_video_task;
mod failure;
mod fault;
mod memory;
mod query_video_task;
mod record_outcome;
mod task_record;
mod task_urls;
mod transfers;

pub use query_video_task::QueryActivities;
pub use transfers::TransferActivities;
