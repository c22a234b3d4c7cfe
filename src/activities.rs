//! The activities that a worker registers: `QueryVideoTask` and `ArchiveVideo`.

mod archive_video;
mod cancel_video_task;
mod failure;
mod fault;
mod memory;
mod query_video_task;
mod record_outcome;
mod transfers;

pub use query_video_task::QueryActivities;
pub use transfers::TransferActivities;
