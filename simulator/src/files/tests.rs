use std::time::Duration;

use reqwest::{
    Client, RequestBuilder, Response,
    header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE},
};

use super::*;
use crate::{
    Corruption, Script, Simulator,
    testing::{client, get},
};

/// A finished video and how to ask for it. It is so small that it leaves in one piece.
struct Finished {
    _simulator: Simulator,
    client: Client,
    url: String,
    made: Arc<Source>,
}

impl Finished {
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
            made: simulator.source(&id).unwrap(),
            _simulator: simulator,
        }
    }

    async fn corrupt(corruption: Corruption, digests: Announced) -> Self {
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

fn header_of(response: &Response, name: HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

/// The bytes as far as they came, and whether the connection broke.
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
async fn a_length_can_be_wrong_or_absent() {
    let whole = Source::video(&Script::default(), 0).size();
    // What is announced, what comes, whether the connection breaks.
    for (corruption, announced, comes, breaks) in [
        (Corruption::Truncate(1000), Some(1000), 1000, false),
        (Corruption::Truncate(0), Some(0), 0, false),
        (Corruption::Length(5), Some(whole + 5), whole, true),
        (Corruption::Length(-5), Some(whole - 5), whole - 5, false),
        (Corruption::Trailing(5), None, whole + 5, false),
    ] {
        let video = Finished::corrupt(corruption, Announced::True).await;
        let response = video.download().await;
        assert_eq!(response.status(), StatusCode::OK);
        let length = header_of(&response, CONTENT_LENGTH);
        assert_eq!(length, announced.map(|it| it.to_string()), "{corruption:?}");
        let (bytes, broke) = body(response).await;
        assert_eq!(
            (bytes.len() as u64, broke),
            (comes, breaks),
            "{corruption:?}"
        );
        let made = video.made.bytes();
        let common = comes.min(whole) as usize;
        assert_eq!(bytes[..common], made[..common], "{corruption:?}");
    }
}

#[tokio::test]
async fn digests_are_of_what_the_script_says() {
    let flip = Corruption::Flip(1000);
    let told = async |digests| {
        let video = Finished::corrupt(flip, digests).await;
        let response = video.download().await;
        let headers = (header_of(&response, ETAG), header_of(&response, CRC64));
        let (bytes, _) = body(response).await;
        assert_ne!(bytes, video.made.bytes());
        let mut crc64 = crc64fast::Digest::new();
        crc64.write(&bytes);
        (headers, video.made.digests().clone(), crc64.sum64())
    };
    let (headers, made, served) = told(Announced::True).await;
    assert_ne!(made.crc64, served.to_string());
    assert_eq!(headers, (Some(made.etag), Some(made.crc64)));

    let ((etag, crc64), made, served) = told(Announced::Served).await;
    assert_eq!(crc64, Some(served.to_string()));
    assert!(etag.is_some_and(|etag| etag != made.etag));

    let (headers, _, _) = told(Announced::Nothing).await;
    assert_eq!(headers, (None, None));
}

#[tokio::test]
async fn so_many_downloads_are_corrupt_and_then_none() {
    let video = Finished::new(Script {
        corrupt: Some(Corruption::OtherVideo),
        corrupt_downloads: Some(2),
        ..Script::default()
    })
    .await;
    let made = video.made.bytes();
    for is_true in [false, false, true, true] {
        let (bytes, _) = body(video.download().await).await;
        assert_eq!(bytes == made, is_true);
    }
}

#[tokio::test]
async fn ranges_are_of_what_is_served() {
    let whole = Source::video(&Script::default(), 0).size();
    // The size by which ranges count, and where what comes ends.
    for (corruption, size, end) in [
        (Corruption::Truncate(1000), 1000, 1000),
        (Corruption::Length(5), whole + 5, whole),
        (Corruption::Trailing(5), whole + 5, whole + 5),
    ] {
        let video = Finished::corrupt(corruption, Announced::True).await;
        let part = |from: u64| video.request().header(RANGE, format!("bytes={from}-"));
        let response = part(900).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        let range = format!("bytes 900-{}/{size}", size - 1);
        assert_eq!(header_of(&response, CONTENT_RANGE), Some(range));
        let (bytes, _) = body(response).await;
        assert_eq!(bytes.len() as u64, end - 900, "{corruption:?}");
        let beyond = part(size).send().await.unwrap();
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    }
}

/// Without an ETag, the time of the last change still names the object.
#[tokio::test]
async fn a_range_goes_on_by_the_time_where_there_is_no_etag() {
    let video = Finished::corrupt(Corruption::Flip(0), Announced::Nothing).await;
    let modified = header_of(&video.download().await, LAST_MODIFIED).unwrap();
    for (if_range, status) in [
        (modified.as_str(), StatusCode::PARTIAL_CONTENT),
        ("\"another\"", StatusCode::OK),
    ] {
        let request = video.request().header(RANGE, "bytes=5-");
        let response = request.header(IF_RANGE, if_range).send().await.unwrap();
        assert_eq!(response.status(), status, "{if_range}");
    }
}
#[test]
fn reads_every_form_of_range() {
    assert_eq!(parse_range("bytes=0-9", 100), Some(0..10));
    assert_eq!(parse_range("bytes=90-", 100), Some(90..100));
    assert_eq!(parse_range("bytes=-10", 100), Some(90..100));
    assert_eq!(parse_range("bytes=90-1000", 100), Some(90..100));
    assert_eq!(parse_range("bytes=100-", 100), None);
    assert_eq!(parse_range("bytes=5-1", 100), None);
    assert_eq!(parse_range("bytes=0-18446744073709551615", 100), None);
    assert_eq!(parse_range("lines=1-2", 100), None);
}
