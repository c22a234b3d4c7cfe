//! Events about the outcomes of tasks, and their delivery to the webhook of an account.
//!
//! - [`event`]: the events, as CloudEvents.
//! - [`signature`]: the headers that sign a request, as of Standard Webhooks.
//! - [`delivery`]: one request to the receiver.
//!
//! The URL and the keys of a webhook are secrets: no error, log or event contains them.

pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod signature;
