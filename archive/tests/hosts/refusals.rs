//! Hosts that refuse a URL or ask to wait.

use std::time::{Duration, Instant};

use futures::future::join_all;
use seedance_archiver_archive::{Error, Progress};
use seedance_archiver_simulator::{HostDialect, Script};

use crate::fixture::{Fixture, LARGE};

fn refusing(status: u16, code: &str, dead_urls: usize) -> Script {
    Script {
        dead_urls,
        signs_once: false,
        host: HostDialect {
            refusal_status: Some(status),
            refusal_code: Some(code.into()),
            ..HostDialect::default()
        },
        ..Script::default()
    }
}

#[tokio::test]
async fn a_refusal_with_any_status_asks_for_a_fresh_url() {
    let cases = [
        (400, "ExpiredToken"),
        (400, "RequestExpired"),
        (401, "AuthenticationFailed"),
        (403, "SignatureDoesNotMatch"),
        (404, "NoSuchKey"),
        (410, "Gone"),
        (412, "PreconditionFailed"),
        (451, "Legal"),
        (200, "UrlExpired"),
        (500, "RequestTimeTooSkewed"),
        (503, "TokenExpired"),
    ];
    // Boxed, because moving an array of large futures overflows the stack of a debug build.
    join_all(cases.map(|(status, code)| {
        Box::pin(async move {
            let fixture = Fixture::new(refusing(status, code, 1)).await;
            fixture.assert_original(&format!("{status} {code}")).await;
        })
    }))
    .await;
}

#[tokio::test]
async fn the_error_of_a_refused_url_names_the_status_and_the_code() {
    let fixture = Fixture::new(refusing(400, "ExpiredToken", 100)).await;
    let error = fixture.attempt(&Progress::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "video URL rejected: HTTP 400 ExpiredToken"
    );
    assert_eq!(error.failure_type(), "UrlExpired");
}

#[tokio::test]
async fn a_short_retry_after_is_obeyed_within_the_attempt() {
    join_all([503, 429, 202, 425].map(|busy_status| {
        Box::pin(async move {
            let fixture = Fixture::new(Script {
                host: HostDialect {
                    busy: 1,
                    busy_status: Some(busy_status),
                    retry_after: Some(3),
                    ..HostDialect::default()
                },
                ..Script::default()
            })
            .await;
            let started = Instant::now();
            fixture.assert_original(&busy_status.to_string()).await;
            assert!(started.elapsed() >= Duration::from_secs(3), "{busy_status}");
        })
    }))
    .await;
}

#[tokio::test]
async fn a_long_retry_after_ends_the_attempt() {
    for busy_status in [503, 429, 202] {
        let fixture = Fixture::new(Script {
            bytes: Some(LARGE),
            host: HostDialect {
                busy: 1,
                busy_status: Some(busy_status),
                retry_after: Some(60),
                ..HostDialect::default()
            },
            ..Script::default()
        })
        .await;
        let progress = Progress::default();
        let error = fixture.attempt(&progress).await.unwrap_err();
        assert!(matches!(error, Error::RetryLater { .. }), "{error}");
        assert_eq!(error.retry_after(), Duration::from_secs(60));
        let text = error.to_string();
        assert!(text.ends_with("the host asked to wait 60 s"), "{text}");
        fixture.assert_original("the next attempt").await;
    }
}
