//! What the operations need.

use seedance_archiver_clock::Clock;
use temporalio_client::Client;

use crate::config::Accounts;

/// What the operations need. Clones share everything.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) accounts: Accounts,
    /// Task queue of the lifecycles.
    pub(crate) task_queue: String,
    pub(crate) clock: Clock,
}
