//! Archives the objects of one task: download, check, upload, publish, receipt.

mod buffers;
mod context;
mod download;
mod object_transfer;
mod progress;
mod publish;
mod resources;
mod task_archival;
mod unpublished;
mod validator;

pub use buffers::{Buffers, PART_SIZE};
pub use download::UrlSource;
pub use progress::{ArchiveState, Progress};
pub use resources::TransferResources;
pub use task_archival::{TaskArchival, TaskSource};
