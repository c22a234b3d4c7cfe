//! What the transfers of an account share.

use super::Buffers;
use crate::fetch::VideoClient;

/// What the transfers of an account share.
#[derive(Clone, Debug)]
pub struct TransferResources {
    /// The client that downloads.
    pub client: VideoClient,
    /// The memory for parts. All accounts of a process should share it.
    pub buffers: Buffers,
}
