//! One request to the receiver of a webhook.

use std::time::{Duration, SystemTime};

use reqwest::{Client, header::CONTENT_TYPE};
use seedance_archiver_policy::events::{self, Response};
use seedance_archiver_proto::v1::VideoEvent;

use super::signature;
use crate::{
    config::Webhook,
    http::{self, Proxy},
};

/// Media type of an event in the structured mode of CloudEvents.
const MEDIA_TYPE: &str = "application/cloudevents+json";
/// How long a receiver may take to respond.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Why the receiver did not get an event. The message contains neither the URL nor anything that the receiver wrote, which
/// may repeat it.
#[derive(Debug)]
pub(crate) struct Undelivered {
    pub(crate) message: String,
    /// Delay that the receiver requested, zero if none.
    pub(crate) retry_after: Duration,
    /// Whether the receiver wants no more of the event.
    pub(crate) is_gone: bool,
}

/// Posts an event once, and returns the HTTP status of the response. `http` uses `proxy`, if there is one; `now` is the time in
/// the signature.
///
/// # Errors
///
/// Returns an error unless the receiver accepts the event.
pub(crate) async fn post(
    http: &Client,
    proxy: Option<&Proxy>,
    webhook: &Webhook,
    event: &VideoEvent,
    now: SystemTime,
) -> Result<u16, Undelivered> {
    let url = webhook
        .receiver(proxy)
        .map_err(|problem| not_sent(format!("the URL of the webhook {problem}")))?;
    let keys = webhook
        .signing_keys()
        .map_err(|problem| not_sent(format!("the key of the webhook {problem}")))?;
    let body = serde_json::to_vec(event)
        .map_err(|error| not_sent(format!("cannot encode the event: {error}")))?;
    let mut request = http
        .post(url)
        .timeout(TIMEOUT)
        .header(CONTENT_TYPE, MEDIA_TYPE);
    for (name, value) in signature::headers(&keys, &event.id, now, &body) {
        request = request.header(name, value);
    }
    let sent = request.body(body).send().await;
    let response = sent.map_err(|error| {
        let error = http::describe(error);
        not_sent(format!("no response from the receiver: {error}"))
    })?;
    let status = response.status();
    let message = match events::response(status.as_u16()) {
        Response::Delivered => return Ok(status.as_u16()),
        Response::Gone => format!("the receiver returned {status}: it wants no more of this event"),
        Response::NotYet if status.is_redirection() => {
            format!(
                "the receiver returned {status}: redirects are not followed; set the webhook's URL to the final one"
            )
        }
        Response::NotYet => format!("the receiver returned {status}"),
    };
    Err(Undelivered {
        message,
        retry_after: http::retry_after(response.headers(), now).unwrap_or_default(),
        is_gone: events::response(status.as_u16()) == Response::Gone,
    })
}

fn not_sent(message: String) -> Undelivered {
    Undelivered {
        message,
        retry_after: Duration::ZERO,
        is_gone: false,
    }
}
