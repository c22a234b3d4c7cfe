//! What the operations need.

use temporalio_client::Client;

/// What the operations need. Clones share everything.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) client: Client,
    /// Task queue of the lifecycles.
    pub(crate) task_queue: String,
}
