use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{
        CONTENT_LENGTH, CONTENT_RANGE, COOKIE, ETAG, HeaderName, IF_RANGE, LAST_MODIFIED, RANGE,
    },
};

use crate::{
    Corruption, HeaderDigests, Script, Simulator, Source,
    object::CRC64,
    testing::{client, get},
};

/// A downloadable video, small enough to be sent in one piece.
struct Video {
    simulator: Simulator,
    client: Client,
    url: String,
    original: Arc<Source>,
}

impl Video {
    async fn new(script: Script) -> Self {
        let simulator = Simulator::builder().start().await.unwrap();
        let id = simulator.create(Script {
            queued: Some(Duration::ZERO),
            running: Some(Duration::ZERO),
            ..script
        });
        let (_, record) = get(&simulator, &format!("/{id}")).await;
        Self {
            client: client(),
            url: record["content"]["video_url"].as_str().unwrap().to_owned(),
            original: simulator.source(&id).unwrap(),
            simulator,
        }
    }

    async fn corrupted(corruption: Corruption, digests: HeaderDigests) -> Self {
        Self::new(Script {
            corrupt: Some(corruption),
            digests,
            ..Script::default()
        })
        .await
    }

    fn request(&self) -> RequestBuilder {
        self.client.get(&self.url)
    }

    async fn download(&self) -> Response {
        self.request().send().await.unwrap()
    }
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

/// Returns the bytes that were received, and whether the connection broke.
async fn body(mut response: Response) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes, false),
            Err(_) => return (bytes, true),
        }
    }
}

#[tokio::test]
async fn the_length_can_be_wrong_or_absent() {
    let size = Source::video(&Script::default(), 0).size();
    // The declared length, the number of bytes received, and whether the connection breaks.
    for (corruption, declared, received, breaks) in [
        (Corruption::Truncate(1000), Some(1000), 1000, false),
        (Corruption::Truncate(0), Some(0), 0, false),
        (Corruption::Length(5), Some(size + 5), size, true),
        (Corruption::Length(-5), Some(size - 5), size - 5, false),
        (Corruption::Trailing(5), None, size + 5, false),
    ] {
        let video = Video::corrupted(corruption, HeaderDigests::Original).await;
        let response = video.download().await;
        assert_eq!(response.status(), StatusCode::OK);
        let length = header(&response, CONTENT_LENGTH);
        assert_eq!(length, declared.map(|it| it.to_string()), "{corruption:?}");
        let (bytes, broke) = body(response).await;
        assert_eq!(
            (bytes.len() as u64, broke),
            (received, breaks),
            "{corruption:?}"
        );
        let original = video.original.bytes();
        let common = received.min(size) as usize;
        assert_eq!(bytes[..common], original[..common], "{corruption:?}");
    }
}

#[tokio::test]
async fn digests_are_computed_from_the_bytes_that_the_script_selects() {
    let flip = Corruption::Flip(1000);
    let response = async |digests| {
        let video = Video::corrupted(flip, digests).await;
        let response = video.download().await;
        let headers = (header(&response, ETAG), header(&response, CRC64));
        let (bytes, _) = body(response).await;
        assert_ne!(bytes, video.original.bytes());
        let mut crc64 = crc64fast::Digest::new();
        crc64.write(&bytes);
        (headers, video.original.digests().clone(), crc64.sum64())
    };
    let (headers, original, served) = response(HeaderDigests::Original).await;
    assert_ne!(original.crc64, served.to_string());
    assert_eq!(headers, (Some(original.etag), Some(original.crc64)));

    let ((etag, crc64), original, served) = response(HeaderDigests::Served).await;
    assert_eq!(crc64, Some(served.to_string()));
    assert!(etag.is_some_and(|etag| etag != original.etag));

    let (headers, _, _) = response(HeaderDigests::Absent).await;
    assert_eq!(headers, (None, None));
}

#[tokio::test]
async fn only_the_first_downloads_are_corrupted() {
    let video = Video::new(Script {
        corrupt: Some(Corruption::OtherVideo),
        corrupt_downloads: Some(2),
        ..Script::default()
    })
    .await;
    let original = video.original.bytes();
    for is_original in [false, false, true, true] {
        let (bytes, _) = body(video.download().await).await;
        assert_eq!(bytes == original, is_original);
    }
}

#[tokio::test]
async fn ranges_refer_to_the_served_bytes() {
    let size = Source::video(&Script::default(), 0).size();
    // The declared size, and the end of the bytes received.
    for (corruption, declared, end) in [
        (Corruption::Truncate(1000), 1000, 1000),
        (Corruption::Length(5), size + 5, size),
        (Corruption::Trailing(5), size + 5, size + 5),
    ] {
        let video = Video::corrupted(corruption, HeaderDigests::Original).await;
        let part = |from: u64| video.request().header(RANGE, format!("bytes={from}-"));
        let response = part(900).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        let range = format!("bytes 900-{}/{declared}", declared - 1);
        assert_eq!(header(&response, CONTENT_RANGE), Some(range));
        let (bytes, _) = body(response).await;
        assert_eq!(bytes.len() as u64, end - 900, "{corruption:?}");
        let beyond = part(declared).send().await.unwrap();
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    }
}

#[tokio::test]
async fn if_range_accepts_the_last_modified_date_without_an_etag() {
    let video = Video::corrupted(Corruption::Flip(0), HeaderDigests::Absent).await;
    let modified = header(&video.download().await, LAST_MODIFIED).unwrap();
    for (if_range, status) in [
        (modified.as_str(), StatusCode::PARTIAL_CONTENT),
        ("\"another\"", StatusCode::OK),
    ] {
        let request = video.request().header(RANGE, "bytes=5-");
        let response = request.header(IF_RANGE, if_range).send().await.unwrap();
        assert_eq!(response.status(), status, "{if_range}");
    }
}

#[tokio::test]
async fn a_record_can_have_the_url_of_another_host() {
    let url = "https://videos.example/1.mp4";
    let simulator = Simulator::builder().start().await.unwrap();
    let id = simulator.create(Script {
        queued: Some(Duration::ZERO),
        running: Some(Duration::ZERO),
        video_url: Some(url.into()),
        ..Script::default()
    });
    let (_, record) = get(&simulator, &format!("/{id}")).await;
    assert_eq!(record["content"]["video_url"], url);
}

#[tokio::test]
async fn a_download_with_a_key_is_a_misuse() {
    let video = Video::new(Script::default()).await;
    let key = video.simulator.api_key();
    let with_key = async |request: RequestBuilder| {
        let before = video.simulator.misuse().with_key;
        request.send().await.unwrap();
        video.simulator.misuse().with_key - before
    };
    assert_eq!(with_key(video.request()).await, 0);
    assert_eq!(with_key(video.request().bearer_auth(key)).await, 1);
    let other = video.request().basic_auth("user", Some("password"));
    assert_eq!(with_key(other).await, 1);
    let cookie = video.request().header(COOKIE, format!("key={key}"));
    assert_eq!(with_key(cookie).await, 1);
    let in_url = video.client.get(format!("{}&key={key}", video.url));
    assert_eq!(with_key(in_url).await, 1);
}
