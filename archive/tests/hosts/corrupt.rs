//! Odd bytes: archived if a digest vouches for them, or if they arrive twice.

use futures::future::join_all;
use seedance_archiver_simulator::{
    Container, Corruption, ErrorPage, HeaderDigests, HostDialect, Script,
};

use crate::fixture::{Fixture, LARGE, warnings};

fn script(corrupt: Corruption, digests: HeaderDigests) -> Script {
    Script {
        bytes: Some(LARGE),
        corrupt: Some(corrupt),
        digests,
        ..Script::default()
    }
}

/// The offset of the name of the first box.
const FTYP: u64 = 4;
/// The offset of the name of the second box, `moov`.
const MOOV: u64 = 36;

const ODD: [Corruption; 5] = [
    Corruption::Zeros(200),
    Corruption::Flip(FTYP),
    Corruption::Flip(MOOV),
    Corruption::Truncate(LARGE - 1),
    Corruption::Trailing(7),
];

#[tokio::test]
async fn odd_bytes_with_a_matching_digest_are_archived_at_once() {
    join_all(ODD.map(|corruption| {
        Box::pin(async move {
            let fixture = Fixture::new(script(corruption, HeaderDigests::Served)).await;
            let (manifest, errors) = fixture.archive().await;
            let manifest = manifest.unwrap();
            assert!(errors.is_empty(), "{corruption:?}: {errors:?}");
            let [(check, finding)] = &warnings(&manifest)[..] else {
                panic!("{corruption:?}: {manifest:?}");
            };
            assert!(*check == "mp4" && !finding.is_empty(), "{corruption:?}");
        })
    }))
    .await;
}

#[tokio::test]
async fn odd_bytes_without_a_digest_are_archived_when_they_arrive_again() {
    join_all(ODD.map(|corruption| {
        Box::pin(async move {
            let fixture = Fixture::new(script(corruption, HeaderDigests::Absent)).await;
            let (manifest, errors) = fixture.archive().await;
            let manifest = manifest.unwrap();
            assert_eq!(errors.len(), 1, "{corruption:?}: {errors:?}");
            assert!(errors[0].starts_with("invalid download: "), "{errors:?}");
            assert_eq!(warnings(&manifest)[0].0, "mp4", "{corruption:?}");
            assert_eq!(fixture.simulator.stats(&fixture.id).downloads, 2);
        })
    }))
    .await;
}

#[tokio::test]
async fn the_original_replaces_odd_bytes() {
    join_all(ODD.map(|corruption| {
        Box::pin(async move {
            let fixture = Fixture::new(Script {
                corrupt_downloads: Some(1),
                ..script(corruption, HeaderDigests::Absent)
            })
            .await;
            let (manifest, errors) = fixture.archive().await;
            assert_eq!(errors.len(), 1, "{corruption:?}: {errors:?}");
            assert!(warnings(&manifest.unwrap()).is_empty());
        })
    }))
    .await;
}

#[tokio::test]
async fn bytes_that_contradict_the_digest_are_never_archived() {
    let corruptions = [
        Corruption::Zeros(200),
        Corruption::Flip(100_000),
        Corruption::Truncate(0),
        Corruption::OtherVideo,
    ];
    join_all(corruptions.map(|corruption| {
        Box::pin(async move {
            let fixture = Fixture::new(script(corruption, HeaderDigests::Original)).await;
            let (manifest, errors) = fixture.archive().await;
            assert!(
                manifest.is_none() && errors.len() == 5,
                "{corruption:?}: {errors:?}"
            );
        })
    }))
    .await;
}

#[tokio::test]
async fn an_error_page_is_never_archived() {
    let fixture = Fixture::new(Script {
        garbage: true,
        ..Script::default()
    })
    .await;
    let progress = Default::default();
    let error = fixture.attempt(&progress).await.unwrap_err().to_string();
    assert!(error.contains("video_not_ready"), "{error}");
}

/// The same page in two attempts is not the video.
#[tokio::test]
async fn the_original_replaces_an_error_page_that_arrives_twice() {
    join_all(
        [
            ErrorPage::Xml,
            ErrorPage::Text,
            ErrorPage::JsonString,
            ErrorPage::JsonArray,
            ErrorPage::Gzip,
        ]
        .map(|error_page| {
            Box::pin(async move {
                let fixture = Fixture::new(Script {
                    host: HostDialect {
                        error_pages: 2,
                        error_page,
                        ..HostDialect::default()
                    },
                    ..Script::default()
                })
                .await;
                let (manifest, errors) = fixture.archive().await;
                assert_eq!(errors.len(), 2, "{error_page:?}: {errors:?}");
                let is_invalid = |error: &String| error.starts_with("invalid download: ");
                assert!(errors.iter().all(is_invalid), "{errors:?}");
                let original = fixture.simulator.source(&fixture.id).unwrap().bytes();
                let read = fixture.read(&manifest.unwrap()).await;
                assert!(read == original, "{error_page:?}");
            })
        }),
    )
    .await;
}

#[tokio::test]
async fn a_file_that_was_cut_without_a_length_is_fetched_again() {
    let cut = |container, digests| Script {
        corrupt: Some(Corruption::Truncate(50_000)),
        corrupt_downloads: Some(1),
        digests,
        host: HostDialect {
            container,
            chunked: true,
            ..HostDialect::default()
        },
        ..Script::default()
    };
    for container in [Container::Webm, Container::Mov, Container::Mp4] {
        let fixture = Fixture::new(cut(container, HeaderDigests::Absent)).await;
        let (manifest, errors) = fixture.archive().await;
        assert_eq!(errors.len(), 1, "{container:?}: {errors:?}");
        let original = fixture.simulator.source(&fixture.id).unwrap().bytes();
        let manifest = manifest.unwrap();
        assert!(fixture.read(&manifest).await == original, "{container:?}");
        assert!(
            warnings(&manifest).is_empty(),
            "{container:?}: {manifest:?}"
        );
    }
}
