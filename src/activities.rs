//! The activities that a worker registers: `QueryVideoTask` and `ArchiveVideo`.

mod archive_video;
mod cancel_video_task;
mod failure;
mod fault;
mod memory;
mod query_video_task;

pub use archive_video::TransferActivities;
pub use query_video_task::QueryActivities;
