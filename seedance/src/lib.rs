//! A client of the Seedance task API.
//!
//! It queries, cancels and lists video generation tasks, on the public services (BytePlus, Volcengine) and
//! on gateways that imitate them with small differences: wrapped records, numbers in quotes, other
//! names of a status. It knows nothing of Temporal, archives or configuration files.
//!
//! - [`Endpoint`]: the API as one account uses it, with its [`Secret`] key, [`TaskPath`] and [`RateLimit`]s.
//! - [`Client`]: queries and cancels a task, lists tasks by the [`Page`] or [by id](ListedTasks), and
//!   [probes](Client::probe) the endpoint.
//! - [`Record`]: a task as the API returned it. Its URLs are bearer secrets, so it can be neither printed nor
//!   serialized; [`Record::sealed`] turns it into the contract's message, with its URLs sealed.
//! - [`HttpAnswer`]: an answer that somebody else received.
//! - [`is_as_complete`]: whether the list says as much about a task as a query.
//! - [`UrlSeal`]: seals and unseals URLs and records. [`check_seal_key`]: which keys are random enough for that.
//! - [`SignedUrl`]: a URL that is never printed, and knows when it expires.
//! - [`Error`]: an error, whose [`ErrorKind`] decides whether and when to retry.
//!
//! # Example
//!
//! ```no_run
//! use seedance_archiver_seedance::{Client, Endpoint, UrlSeal};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let base_url = "https://ark.ap-southeast.bytepluses.com/api/v3".parse()?;
//! let endpoint = Endpoint::new("default", base_url, std::env::var("SEEDANCE_API_KEY")?.into());
//! let client = Client::new(seedance_archiver_http::client()?);
//!
//! let record = client.query(&endpoint, "cgt-20260828062711-hj94q").await?;
//! println!("{} is {}", record.id(), record.status());
//! if let Some(url) = record.video_url() {
//!     println!("the video is on {} until {:?}", url.host(), url.expires_at());
//! }
//!
//! let seal = UrlSeal::new("default", &[endpoint.api_key.read()?]);
//! println!("{}", serde_json::to_string(&record.sealed(&seal))?);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/query.rs` is a complete program.

mod answer;
mod call;
mod client;
mod completeness;
mod create;
mod decode;
mod endpoint;
mod error;
mod error_body;
mod error_response;
mod fields;
mod http_answer;
mod json;
mod list;
mod list_body;
mod list_by_id;
mod output_urls;
mod pauses;
mod probe;
mod rate_limit;
mod received;
mod record;
mod repeated_secrets;
mod seal;
mod secret;
mod secret_free;
mod signed_url;
mod status_aliases;
mod task;
mod task_path;
#[cfg(test)]
mod test_service;
mod times;
mod url_expiry;

pub use call::{MAX_RECORD, RATE_LIMIT_WAIT};
pub use client::Client;
pub use completeness::is_as_complete;
pub use decode::task_id_in_callback;
pub use endpoint::{Endpoint, MAX_PAGE_SIZE};
pub use error::{CallAnswer, Error, ErrorKind, ErrorMeaning};
pub use http_answer::HttpAnswer;
pub use json::read_json;
pub use list::Page;
pub use list_by_id::{ListedTasks, MAX_IDS};
pub use probe::{Answer, Probe};
pub use rate_limit::RateLimit;
pub use record::Record;
pub use seal::{UnsealError, UrlSeal, check_seal_key};
pub use secret::{ReadSecretError, Secret, read_lines};
pub use signed_url::SignedUrl;
pub use status_aliases::StatusAliases;
pub use task::safety_identifier;
pub use task_path::TaskPath;
pub use times::created_at_in_id;
