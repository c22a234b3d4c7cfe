//! Downloads from servers on this machine.

mod server;

use std::process::Command;

use reqwest::{StatusCode, header::HeaderValue};
use server::{Server, answer, redirect};

use super::*;

const VIDEO: &[u8] = b"....ftypisom";
const SECRET: &str = "/secret.mp4?X-Tos-Signature=secret";

/// Of an account whose own host is the server's.
fn downloads() -> Downloads {
    of_hosts(&["http://127.0.0.1", "volces.com"])
}

fn of_hosts(hosts: &[&str]) -> Downloads {
    Downloads::new(UrlHosts::new(hosts.iter().copied())).unwrap()
}

async fn video_server() -> Server {
    Server::start(|_, _| answer("200 OK", "", VIDEO)).await
}

async fn body_of(mut download: Download) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = download.chunk().await? {
        body.extend(chunk);
    }
    Ok(body)
}

fn refusal(result: Result<Download, Error>) -> String {
    match result {
        Err(Error::Refused(why)) => checked(why),
        other => panic!("not refused: {other:?}"),
    }
}

fn unreachable(result: Result<impl std::fmt::Debug, Error>) -> String {
    match result {
        Err(Error::Unreachable(why)) => checked(why),
        other => panic!("not unreachable: {other:?}"),
    }
}

fn checked(why: String) -> String {
    assert!(
        !why.contains("secret") && !why.contains("Signature"),
        "{why}"
    );
    why
}

#[tokio::test]
async fn a_video_is_asked_for_plainly() {
    let server = video_server().await;
    let download = downloads().get(&server.url(SECRET), None).await.unwrap();
    assert_eq!(download.status(), StatusCode::OK);
    checked(format!("{download:?}"));
    assert_eq!(download.content_length(), Some(VIDEO.len() as u64));
    assert_eq!(body_of(download).await.unwrap(), VIDEO);
    let [asked] = &server.asked()[..] else {
        panic!()
    };
    let names = asked
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    let mut names: Vec<_> = names.map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
    assert!(asked.contains("accept-encoding: identity\r\n"), "{asked}");
}

#[tokio::test]
async fn the_rest_of_a_video_is_asked_for_across_redirects() {
    let server = Server::start(|path, _| match path {
        "/rest.mp4" => answer(
            "206 Partial Content",
            "Content-Range: bytes 8-11/12\r\n",
            b"isom",
        ),
        _ => redirect("/rest.mp4"),
    })
    .await;
    let resume = Resume {
        offset: 8,
        if_range: &HeaderValue::from_static("\"etag\""),
    };
    let download = downloads()
        .get(&server.url(SECRET), Some(resume))
        .await
        .unwrap();
    assert_eq!(download.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(body_of(download).await.unwrap(), b"isom");
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert!(asked.contains("range: bytes=8-\r\n"), "{asked}");
        assert!(asked.contains("if-range: \"etag\"\r\n"), "{asked}");
        assert!(!asked.contains("referer"), "{asked}");
    }
    // What is there already counts.
    let too_large = downloads()
        .up_to(11)
        .get(&server.url(SECRET), Some(resume))
        .await;
    assert_eq!(refusal(too_large), "the video is larger than 11 bytes");
}

#[tokio::test]
async fn a_compressed_body_is_delivered_as_it_is() {
    let packed = b"\x1f\x8b\x08\x00 not even gzip";
    let headers = "Content-Encoding: gzip\r\n";
    let server = Server::start(move |_, _| answer("200 OK", headers, packed)).await;
    let download = downloads().get(&server.url("/"), None).await.unwrap();
    assert_eq!(download.headers()["content-encoding"], "gzip");
    assert_eq!(body_of(download).await.unwrap(), packed);
}

#[tokio::test]
async fn a_name_for_this_machine_is_refused_unless_it_is_own() {
    let server = video_server().await;
    let url = |scheme| format!("{scheme}://localhost:{}{SECRET}", server.port);
    let why = refusal(of_hosts(&["localhost"]).get(&url("https"), None).await);
    assert!(
        why.contains("`localhost` has ") && why.contains("a loopback address"),
        "{why}"
    );
    assert!(server.asked().is_empty());
    let own = of_hosts(&["http://localhost"])
        .get(&url("http"), None)
        .await;
    assert_eq!(body_of(own.unwrap()).await.unwrap(), VIDEO);
}

#[tokio::test]
async fn an_address_is_refused_unless_it_is_own() {
    let server = Server::at("::1", |_, _| answer("200 OK", "", VIDEO)).await;
    for host in ["[::1]", "[0:0:0:0:0:0:0:1]"] {
        let url = |scheme| format!("{scheme}://{host}:{}{SECRET}", server.port);
        let why = refusal(of_hosts(&["[::1]"]).get(&url("https"), None).await);
        assert!(why.contains("::1, a loopback address"), "{why}");
        let own = of_hosts(&["http://[::1]"]).get(&url("http"), None).await;
        assert_eq!(body_of(own.unwrap()).await.unwrap(), VIDEO);
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_url_is_refused_before_anything_is_asked() {
    let server = video_server().await;
    for (url, why) in [
        ("secret", "not a URL"),
        ("file:///secret", "not among"),
        ("http://volces.com/secret", "is http, not https"),
        (
            "https://evil.example/secret",
            "`evil.example`, which is not among",
        ),
        (
            &format!("http://a:secret@127.0.0.1:{}/", server.port),
            "a password",
        ),
    ] {
        let fault = refusal(downloads().get(url, None).await);
        assert!(fault.contains(why), "{fault}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_url() {
    for (location, why) in [
        ("https://evil.example/secret", "not among"),
        ("//evil.example/secret", "not among"),
        ("http://127.0.0.2/secret", "not among"),
        ("http://169.254.169.254/secret", "not among"),
        ("http://2852039166/secret", "`169.254.169.254`"),
        ("http://[::ffff:169.254.169.254]/secret", "not among"),
        ("http://localhost/secret", "is http, not https"),
        ("https://localhost/secret", "a loopback address"),
        ("http://volces.com/secret", "is http, not https"),
        ("http://secret@127.0.0.1/", "a user name"),
        ("ftp://127.0.0.1/secret", "is ftp, not https"),
        ("data:video/mp4,secret", "not among"),
    ] {
        let server = Server::start(move |_, _| redirect(location)).await;
        let downloads = of_hosts(&["http://127.0.0.1", "localhost", "volces.com"]);
        let fault = refusal(downloads.get(&server.url(SECRET), None).await);
        assert!(fault.contains(why), "{location}: {fault}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn redirects_are_followed_a_few_times() {
    let server = Server::start(|path, port| match path.len() {
        1..6 => redirect(&format!("http://127.0.0.1:{port}{path}/")),
        6 => answer("200 OK", "", VIDEO),
        _ => redirect("/secret/loop"),
    })
    .await;
    let download = downloads().get(&server.url("/"), None).await.unwrap();
    assert_eq!(body_of(download).await.unwrap(), VIDEO);
    assert_eq!(server.asked().len(), 6);
    let why = unreachable(downloads().get(&server.url("/secret/loop"), None).await);
    assert!(why.contains("more than 5 redirects"), "{why}");
    assert_eq!(server.asked().len(), 12);
}

#[tokio::test]
async fn a_redirect_without_a_target_goes_nowhere() {
    let server = Server::start(|path, _| match path {
        "/none" => answer("302 Found", "", b""),
        "/not-modified" => answer("304 Not Modified", "Location: /\r\n", b""),
        _ => redirect("http://[secret]/"),
    })
    .await;
    for (path, status) in [("/none", 302), ("/not-modified", 304)] {
        let download = downloads().get(&server.url(path), None).await.unwrap();
        assert_eq!(download.status(), status);
    }
    let why = unreachable(downloads().get(&server.url("/"), None).await);
    assert!(why.contains("not a URL"), "{why}");
}

#[tokio::test]
async fn faults_are_told_without_the_url() {
    let server = Server::start(|path, _| match path {
        "/cut" => [&b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"[..], VIDEO].concat(),
        "/large" => b"HTTP/1.1 200 OK\r\nContent-Length: 99000000000\r\n\r\n".into(),
        _ => b"nonsense\r\n\r\n".into(),
    })
    .await;
    let get = async |path: &str| downloads().get(&server.url(path), None).await;
    let why = unreachable(get(SECRET).await);
    assert!(
        why.contains("`127.0.0.1`: error sending request: "),
        "{why}"
    );
    let why = unreachable(body_of(get("/cut").await.unwrap()).await);
    assert!(why.contains("end of file"), "{why}");
    assert!(refusal(get("/large").await).contains("larger than 21474836480 bytes"));
    let why = unreachable(
        downloads()
            .get(&format!("http://127.0.0.1:1{SECRET}"), None)
            .await,
    );
    assert!(why.contains("refused"), "{why}");
    let nowhere = of_hosts(&["nowhere.invalid"]);
    let why = unreachable(
        nowhere
            .get(&format!("https://nowhere.invalid{SECRET}"), None)
            .await,
    );
    assert!(
        why.contains("`nowhere.invalid`: ") && why.contains("dns"),
        "{why}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = Server::start(|_, _| Vec::new()).await;
    let begun = tokio::time::Instant::now();
    let why = unreachable(downloads().get(&server.url(SECRET), None).await);
    assert!(why.ends_with("no answer"), "{why}");
    assert_eq!(begun.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_speak_tls_is_given_up() {
    let server = video_server().await;
    let begun = tokio::time::Instant::now();
    let url = server.url(SECRET).replace("http:", "https:");
    let why = unreachable(downloads().get(&url, None).await);
    assert!(why.ends_with("operation timed out"), "{why}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// Environment variables can only be set for another process.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "under_a_dead_proxy", "--nocapture"]);
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
#[ignore = "run by `proxies_of_the_environment_are_ignored`"]
async fn under_a_dead_proxy() {
    let server = video_server().await;
    let usual = reqwest::get(server.url("/")).await;
    assert!(usual.is_err(), "the library does use it");
    let download = downloads().get(&server.url("/"), None).await.unwrap();
    assert_eq!(body_of(download).await.unwrap(), VIDEO);
}
