//! Archives the objects of one task: download, check, upload, publish, receipt.

mod body;
mod buffers;
mod checking;
mod checkpointed_upload;
mod comparison;
mod context;
mod download;
mod object_transfer;
mod part;
mod part_size;
mod progress;
mod publish;
mod range;
mod received;
mod resources;
mod retries;
mod saved_download;
mod tail;
mod task_archival;
mod unpublished;
mod url_source;
mod validator;

pub use buffers::{Buffers, PART_SIZE};
pub use progress::{ArchiveState, Progress};
pub use resources::TransferResources;
pub use task_archival::{TaskArchival, TaskSource};
pub use url_source::UrlSource;
