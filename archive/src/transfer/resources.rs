use seedance_archiver_clock::Clock;

use super::Buffers;
use crate::fetch::VideoClient;

/// Resources for the transfers of one account.
#[derive(Clone, Debug)]
pub struct TransferResources {
    /// HTTP client for downloads.
    pub client: VideoClient,
    /// Part buffers. Pass the same `Buffers` to every account: it bounds the memory of the process.
    pub buffers: Buffers,
    /// The clock for the times in receipts.
    pub clock: Clock,
}
