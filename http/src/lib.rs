//! Outbound HTTP.
//!
//! - [`client`]: the HTTP client for everything but video downloads, which have stricter rules.
//! - [`Proxy`]: the proxy of an account; [`client_through`]: the HTTP client that uses it.
//! - [`describe`]: the text of an HTTP error. `reqwest` prints the whole URL, which may be a signed one, so
//!   this is the only place in the workspace that formats its errors.
//! - [`retry_after`]: the delay that a response requests.
//! - [`trace::span`]: a trace span for a request.
//! - [`unencrypted`]: which networks requests to a URL cross without TLS.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = seedance_archiver_http::client()?;
//! let error = client.get("http://127.0.0.1:1/video.mp4?X-Tos-Signature=secret").send().await.unwrap_err();
//! assert!(!seedance_archiver_http::describe(error).contains("secret"));
//! # Ok(())
//! # }
//! ```

mod proxy;
mod retry_after;
pub mod trace;
mod unencrypted;

pub use retry_after::retry_after;
pub use unencrypted::{Network, unencrypted};

use std::{error::Error, time::Duration};

pub use proxy::Proxy;

use reqwest::redirect::Policy;
use seedance_archiver_proto::external;

/// Includes the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout between two reads of a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns a client whose connections are pooled by host. Clones share the pool.
///
/// It does not follow redirects, which could lead to any host with a signed URL in the `Referer` header, and
/// ignores proxies named by the environment.
///
/// # Errors
///
/// Returns an error if the TLS backend cannot be initialized.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    builder().no_proxy().build()
}

/// Returns a client as [`client`] does, whose requests go through a proxy.
///
/// # Errors
///
/// Returns an error if the TLS backend cannot be initialized, or the URL of the proxy is invalid.
pub fn client_through(proxy: &Proxy) -> Result<reqwest::Client, reqwest::Error> {
    proxy.apply(builder())?.build()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("seedance-archiver/", env!("CARGO_PKG_VERSION")))
}

/// Returns the text of an error and its causes, without the URL. A name server, a TLS library or a proxy may have
/// written some of it.
pub fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    external::quote(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/video.mp4", listener.local_addr().unwrap());
        let answers = axum::Router::new()
            .route(
                "/video.mp4",
                axum::routing::get(axum::response::Redirect::to("/other")),
            )
            .route("/other", axum::routing::get("followed"));
        tokio::spawn(async move { axum::serve(listener, answers).await });
        let answer = client().unwrap().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 303);
    }

    #[tokio::test]
    async fn a_client_sends_its_requests_through_its_proxy() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = |request: axum::extract::Request| async move {
            let credentials = request.headers().get("proxy-authorization");
            let credentials = credentials
                .and_then(|it| it.to_str().ok())
                .unwrap_or("none");
            format!("{} {credentials}", request.uri())
        };
        let proxy = axum::Router::new().fallback(seen);
        tokio::spawn(async move { axum::serve(listener, proxy).await });
        let proxy = Proxy::parse(&format!("http://user:secret@{address}")).unwrap();
        let client = client_through(&proxy).unwrap();
        assert!(!format!("{client:?}").contains("secret"));
        // The name does not resolve here.
        let answer = client.get("http://api.invalid/tasks").send().await.unwrap();
        let seen = answer.text().await.unwrap();
        assert_eq!(seen, "http://api.invalid/tasks Basic dXNlcjpzZWNyZXQ=");

        let proxy = Proxy::parse("http://user:secret@127.0.0.1:1").unwrap();
        let client = client_through(&proxy).unwrap();
        let error = client
            .get("https://api.invalid/tasks")
            .send()
            .await
            .unwrap_err();
        let text = describe(error);
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn errors_do_not_show_the_url() {
        let url = "http://127.0.0.1:1/video.mp4?X-Tos-Signature=secret";
        let error = client().unwrap().get(url).send().await.unwrap_err();
        assert!(
            error.to_string().contains("secret"),
            "the library does show it: {error}"
        );
        let text = describe(error);
        assert!(text.contains("refused"), "{text}");
        assert!(
            !text.contains("secret") && !text.contains("video.mp4"),
            "{text}"
        );
    }
}
