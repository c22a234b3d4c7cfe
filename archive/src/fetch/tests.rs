//! Downloads from local servers.

mod server;

use std::process::Command;

use reqwest::{StatusCode, header::HeaderValue};
use seedance_archiver_http::Proxy;
use server::{Server, redirect, response};
use tokio::net::TcpListener;

use super::*;

const VIDEO: &[u8] = b"....ftypisom";
const SECRET: &str = "/secret.mp4?X-Tos-Signature=secret";

/// Returns a client for which the server is an internal host.
fn client() -> VideoClient {
    client_for(&["http://127.0.0.1", "volces.com"])
}

fn client_for(hosts: &[&str]) -> VideoClient {
    VideoClient::new(UrlHosts::new(hosts.iter().copied())).unwrap()
}

async fn video_server() -> Server {
    Server::start(|_, _| response("200 OK", "", VIDEO)).await
}

async fn body_of(mut response: VideoResponse) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend(chunk);
    }
    Ok(body)
}

fn not_allowed(result: Result<VideoResponse, Error>) -> String {
    match result {
        Err(Error::NotAllowed(text)) => without_secrets(text),
        other => panic!("expected `NotAllowed`: {other:?}"),
    }
}

fn unavailable(result: Result<impl std::fmt::Debug, Error>) -> String {
    match result {
        Err(Error::Unavailable(text)) => without_secrets(text),
        other => panic!("expected `Unavailable`: {other:?}"),
    }
}

fn without_secrets(text: String) -> String {
    assert!(
        !text.contains("secret") && !text.contains("Signature"),
        "{text}"
    );
    text
}

#[tokio::test]
async fn a_request_has_no_unnecessary_headers() {
    let server = video_server().await;
    let response = client().get(&server.url(SECRET), None).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    without_secrets(format!("{response:?}"));
    assert_eq!(response.content_length(), Some(VIDEO.len() as u64));
    assert_eq!(body_of(response).await.unwrap(), VIDEO);
    let [request] = &server.requests()[..] else {
        panic!()
    };
    let names = request
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    let mut names: Vec<_> = names.map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn a_resumed_request_keeps_its_range_across_redirects() {
    let server = Server::start(|path, _| match path {
        "/rest.mp4" => response(
            "206 Partial Content",
            "Content-Range: bytes 8-11/12\r\n",
            b"isom",
        ),
        _ => redirect("/rest.mp4"),
    })
    .await;
    let resume = ResumeFrom {
        offset: 8,
        if_range: Some(&HeaderValue::from_static("\"etag\"")),
    };
    let response = client()
        .get(&server.url(SECRET), Some(resume))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(body_of(response).await.unwrap(), b"isom");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(request.contains("range: bytes=8-\r\n"), "{request}");
        assert!(request.contains("if-range: \"etag\"\r\n"), "{request}");
        assert!(!request.contains("referer"), "{request}");
    }
    // The bytes before the offset count towards the limit.
    let too_large = client()
        .with_max_size(11)
        .get(&server.url(SECRET), Some(resume))
        .await;
    assert_eq!(not_allowed(too_large), "the video is larger than 11 bytes");
}

#[tokio::test]
async fn a_compressed_body_is_not_decompressed() {
    let compressed = b"\x1f\x8b\x08\x00 not even gzip";
    let headers = "Content-Encoding: gzip\r\n";
    let server = Server::start(move |_, _| response("200 OK", headers, compressed)).await;
    let response = client().get(&server.url("/"), None).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(body_of(response).await.unwrap(), compressed);
}

#[tokio::test]
async fn a_host_that_resolves_to_a_loopback_address_must_be_internal() {
    let server = video_server().await;
    let url = |scheme| format!("{scheme}://localhost:{}{SECRET}", server.port);
    let text = not_allowed(client_for(&["localhost"]).get(&url("https"), None).await);
    assert!(
        text.contains("`localhost` resolves to ") && text.contains("a loopback address"),
        "{text}"
    );
    assert!(server.requests().is_empty());
    let internal = client_for(&["http://localhost"])
        .get(&url("http"), None)
        .await;
    assert_eq!(body_of(internal.unwrap()).await.unwrap(), VIDEO);
}

#[tokio::test]
async fn a_loopback_address_must_be_internal() {
    let server = Server::at("::1", |_, _| response("200 OK", "", VIDEO)).await;
    for host in ["[::1]", "[0:0:0:0:0:0:0:1]"] {
        let url = |scheme| format!("{scheme}://{host}:{}{SECRET}", server.port);
        let text = not_allowed(client_for(&["[::1]"]).get(&url("https"), None).await);
        assert!(text.contains("`[::1]` is a loopback address"), "{text}");
        let internal = client_for(&["http://[::1]"]).get(&url("http"), None).await;
        assert_eq!(body_of(internal.unwrap()).await.unwrap(), VIDEO);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_url_is_checked_before_a_request_is_sent() {
    let server = video_server().await;
    for (url, expected) in [
        ("secret", "not a valid URL"),
        ("file:///secret", "not in"),
        ("http://volces.com/secret", "uses http instead of https"),
        ("https://evil.example/secret", "`evil.example` is not in"),
        (
            &format!("http://a:secret@127.0.0.1:{}/", server.port),
            "a password",
        ),
    ] {
        let text = not_allowed(client().get(url, None).await);
        assert!(text.contains(expected), "{text}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_url() {
    for (location, expected) in [
        ("https://evil.example/secret", "not in"),
        ("//evil.example/secret", "not in"),
        ("http://127.0.0.2/secret", "not in"),
        ("http://169.254.169.254/secret", "not in"),
        ("http://2852039166/secret", "`169.254.169.254`"),
        ("http://[::ffff:169.254.169.254]/secret", "not in"),
        ("http://localhost/secret", "uses http instead of https"),
        ("https://localhost/secret", "a loopback address"),
        ("http://volces.com/secret", "uses http instead of https"),
        ("http://secret@127.0.0.1/", "a user name"),
        ("ftp://127.0.0.1/secret", "uses ftp instead of https"),
        ("data:video/mp4,secret", "not in"),
    ] {
        let server = Server::start(move |_, _| redirect(location)).await;
        let client = client_for(&["http://127.0.0.1", "localhost", "volces.com"]);
        let text = not_allowed(client.get(&server.url(SECRET), None).await);
        assert!(text.contains(expected), "{location}: {text}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn at_most_five_redirects_are_followed() {
    let server = Server::start(|path, port| match path.len() {
        1..6 => redirect(&format!("http://127.0.0.1:{port}{path}/")),
        6 => response("200 OK", "", VIDEO),
        _ => redirect("/secret/loop"),
    })
    .await;
    let response = client().get(&server.url("/"), None).await.unwrap();
    assert_eq!(body_of(response).await.unwrap(), VIDEO);
    assert_eq!(server.requests().len(), 6);
    let text = unavailable(client().get(&server.url("/secret/loop"), None).await);
    assert!(text.contains("more than 5 redirects"), "{text}");
    assert_eq!(server.requests().len(), 12);
}

#[tokio::test]
async fn a_redirect_without_a_target_is_not_followed() {
    let server = Server::start(|path, _| match path {
        "/none" => response("302 Found", "", b""),
        "/not-modified" => response("304 Not Modified", "Location: /\r\n", b""),
        _ => redirect("http://[secret]/"),
    })
    .await;
    for (path, status) in [("/none", 302), ("/not-modified", 304)] {
        let response = client().get(&server.url(path), None).await.unwrap();
        assert_eq!(response.status(), status);
    }
    let text = unavailable(client().get(&server.url("/"), None).await);
    assert!(text.contains("invalid URL"), "{text}");
}

#[tokio::test]
async fn errors_do_not_contain_the_url() {
    let server = Server::start(|path, _| match path {
        "/cut" => [&b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"[..], VIDEO].concat(),
        "/large" => b"HTTP/1.1 200 OK\r\nContent-Length: 99000000000\r\n\r\n".into(),
        _ => b"nonsense\r\n\r\n".into(),
    })
    .await;
    let get = async |path: &str| client().get(&server.url(path), None).await;
    let text = unavailable(get(SECRET).await);
    assert!(
        text.contains("`127.0.0.1`: error sending request: "),
        "{text}"
    );
    let text = unavailable(body_of(get("/cut").await.unwrap()).await);
    assert!(text.contains("end of file"), "{text}");
    assert!(not_allowed(get("/large").await).contains("larger than 21474836480 bytes"));
    let text = unavailable(
        client()
            .get(&format!("http://127.0.0.1:1{SECRET}"), None)
            .await,
    );
    assert!(text.contains("refused"), "{text}");
    let nowhere = client_for(&["nowhere.invalid"]);
    let text = unavailable(
        nowhere
            .get(&format!("https://nowhere.invalid{SECRET}"), None)
            .await,
    );
    assert!(
        text.contains("`nowhere.invalid`: ") && text.contains("dns"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_respond_times_out() {
    let server = Server::start(|_, _| Vec::new()).await;
    let started = tokio::time::Instant::now();
    let text = unavailable(client().get(&server.url(SECRET), None).await);
    assert!(text.ends_with("no response within 40 s"), "{text}");
    assert_eq!(started.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_tls_times_out() {
    let server = video_server().await;
    let started = tokio::time::Instant::now();
    let url = server.url(SECRET).replace("http:", "https:");
    let text = unavailable(client().get(&url, None).await);
    assert!(text.ends_with("operation timed out"), "{text}");
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_probe_requests_one_byte_once() {
    let server = Server::start(|_, _| {
        response(
            "206 Partial Content",
            "Content-Range: bytes 0-0/12\r\n",
            b".",
        )
    })
    .await;
    let (host, status) = client().probe(&server.url(SECRET)).await.unwrap();
    assert_eq!(host, "127.0.0.1");
    assert_eq!(status, StatusCode::PARTIAL_CONTENT);
    let [request] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert!(request.contains("range: bytes=0-0\r\n"), "{request}");
    let refused = client_for(&["volces.com"]).probe(&server.url(SECRET)).await;
    let Err(Error::NotAllowed(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(without_secrets(text).contains("not in `url_hosts`"));
}

#[tokio::test]
async fn downloads_go_through_the_proxy_with_the_rules_of_the_account() {
    let proxy = video_server().await;
    let rules = |proxy: &Server| FetchRules {
        proxy: Some(Proxy::parse(&format!("http://localhost:{}", proxy.port)).unwrap()),
        ..UrlHosts::new(["http://videos.invalid"]).into()
    };
    let client = VideoClient::new(rules(&proxy)).unwrap();
    let url = format!("http://videos.invalid{SECRET}");
    let response = client.get(&url, None).await.unwrap();
    assert_eq!(body_of(response).await.unwrap(), VIDEO);
    let [request] = &proxy.requests()[..] else {
        panic!("{:?}", proxy.requests());
    };
    assert!(
        request.starts_with("get http://videos.invalid/secret.mp4"),
        "{request}"
    );

    let other = client
        .get(&format!("http://other.invalid{SECRET}"), None)
        .await;
    assert!(not_allowed(other).contains("not in `url_hosts`"));
    let redirecting = Server::start(|_, _| redirect("http://other.invalid/secret")).await;
    let client = VideoClient::new(rules(&redirecting)).unwrap();
    let redirected = not_allowed(client.get(&url, None).await);
    assert!(
        redirected.contains("redirect from `videos.invalid`"),
        "{redirected}"
    );
}

/// A host whose name resolves to a loopback address stands for one behind a fake-IP DNS server.
#[tokio::test]
async fn a_name_may_resolve_to_an_allowed_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The host closes each connection, so the TLS handshake fails.
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let url = format!("https://localhost:{port}{SECRET}");
    let refused = client_for(&["localhost"]).get(&url, None).await;
    let refused = not_allowed(refused);
    assert!(refused.contains("`allowed_networks`"), "{refused}");
    let rules = FetchRules {
        allowed_networks: Networks::parse(&["127.0.0.0/8", "::1"]).unwrap(),
        ..UrlHosts::new(["localhost"]).into()
    };
    let client = VideoClient::new(rules).unwrap();
    let connected = unavailable(client.get(&url, None).await);
    assert!(connected.contains("`localhost`"), "{connected}");
}

/// Runs `with_an_unreachable_proxy` in a separate process, because environment variables are global.
#[test]
fn proxy_environment_variables_are_ignored() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "with_an_unreachable_proxy", "--nocapture"]);
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, "http://127.0.0.1:1");
        child.env(name.to_uppercase(), "http://127.0.0.1:1");
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "run by `proxy_environment_variables_are_ignored`"]
async fn with_an_unreachable_proxy() {
    let server = video_server().await;
    let default = reqwest::get(server.url("/")).await;
    assert!(default.is_err(), "`reqwest` uses the proxy by default");
    let response = client().get(&server.url("/"), None).await.unwrap();
    assert_eq!(body_of(response).await.unwrap(), VIDEO);
}
