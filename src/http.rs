//! The HTTP client, and the only place that puts one of its errors into words: `reqwest` prints the
//! whole URL, which may be a signed one.

use std::{error::Error, time::Duration};

/// Longest time to connect, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence while a body is read.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// One client for everything: it pools connections by host.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .no_proxy()
        .user_agent(concat!("seedance-archiver/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// What went wrong, with its causes and without the URL.
pub(crate) fn describe(error: reqwest::Error) -> String {
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
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
