//! Hosts that answer requests for the object, or for the rest of it, in unusual ways.

use futures::future::join_all;
use seedance_archiver_simulator::{
    Container, Corruption, DigestHeaders, ErrorPage, HeaderDigests, HostDialect, Script,
};

use crate::fixture::{Fixture, LARGE, has_passed, warnings};

/// Returns the script of a large video whose downloads are cut at this distance.
fn cut(cuts: u64, cut_after: u64, host: HostDialect) -> Script {
    Script {
        bytes: Some(LARGE),
        cuts,
        cut_after,
        host,
        ..Script::default()
    }
}

fn absent(script: Script) -> Script {
    Script {
        digests: HeaderDigests::Absent,
        ..script
    }
}

/// The original is archived in a single attempt from each of these hosts.
#[tokio::test]
async fn a_transfer_continues_on_every_host() {
    let dialect = HostDialect::default;
    let always_206 = || HostDialect {
        always_206: true,
        ..dialect()
    };
    let capped = || HostDialect {
        range_cap: Some(40_000),
        ..always_206()
    };
    let rows = [
        ("206 to every request", cut(0, 0, always_206())),
        (
            "206 to every request, without digests",
            absent(cut(0, 0, always_206())),
        ),
        ("206 to every request, cut", cut(3, 70_000, always_206())),
        ("ranges of limited size", cut(0, 0, capped())),
        (
            "small ranges",
            cut(
                0,
                0,
                HostDialect {
                    range_cap: Some(5000),
                    ..always_206()
                },
            ),
        ),
        ("ranges of limited size, cut", cut(3, 30_000, capped())),
        (
            "ranges of limited size without validators",
            absent(cut(
                0,
                0,
                HostDialect {
                    no_validators: true,
                    ..capped()
                },
            )),
        ),
        (
            "ranges of unknown total",
            cut(
                0,
                0,
                HostDialect {
                    unknown_total: true,
                    ..capped()
                },
            ),
        ),
        (
            "ranges of unknown total, cut",
            cut(
                4,
                30_000,
                HostDialect {
                    unknown_total: true,
                    ..capped()
                },
            ),
        ),
        (
            "a 200 to each `If-Range`",
            cut(
                4,
                70_000,
                HostDialect {
                    if_range_200: true,
                    ..dialect()
                },
            ),
        ),
        (
            "ranges of aligned start",
            cut(
                4,
                70_001,
                HostDialect {
                    range_align: Some(4096),
                    ..dialect()
                },
            ),
        ),
        (
            "ranges of aligned start without validators",
            absent(cut(
                4,
                70_001,
                HostDialect {
                    range_align: Some(4096),
                    no_validators: true,
                    ..dialect()
                },
            )),
        ),
        (
            "a new ETag each time",
            cut(
                4,
                70_000,
                HostDialect {
                    changing_etags: true,
                    ..dialect()
                },
            ),
        ),
        (
            "a new ETag each time, and `If-Range` ignored",
            cut(
                4,
                70_000,
                HostDialect {
                    changing_etags: true,
                    if_range_ignored: true,
                    ..dialect()
                },
            ),
        ),
        (
            "no validators",
            absent(cut(
                4,
                70_000,
                HostDialect {
                    no_validators: true,
                    ..dialect()
                },
            )),
        ),
        (
            "no length",
            cut(
                0,
                0,
                HostDialect {
                    chunked: true,
                    ..dialect()
                },
            ),
        ),
        (
            "no length, cut",
            cut(
                3,
                70_000,
                HostDialect {
                    chunked: true,
                    ..dialect()
                },
            ),
        ),
        ("many cuts", cut(20, 12_000, dialect())),
        (
            "many cuts of a small object",
            Script {
                cuts: 12,
                cut_after: 6000,
                ..Script::default()
            },
        ),
        (
            "tiny cuts",
            Script {
                cuts: 8,
                cut_after: 300,
                ..Script::default()
            },
        ),
        (
            "no ranges",
            Script {
                no_ranges: true,
                ..cut(2, 70_000, dialect())
            },
        ),
    ];
    // Boxed, because moving an array of large futures overflows the stack of a debug build.
    join_all(rows.map(|(name, script)| {
        Box::pin(async move {
            let is_digest_declared = script.digests != HeaderDigests::Absent;
            let fixture = Fixture::new(script).await;
            let manifest = fixture.assert_original(name).await;
            assert_eq!(has_passed(&manifest, "crc64"), is_digest_declared, "{name}");
            assert!(warnings(&manifest).is_empty(), "{name}: {manifest:?}");
        })
    }))
    .await;
}

/// What is stored is not fetched again from a host that answers `If-Range` with the entire object.
#[tokio::test]
async fn a_host_without_if_range_is_asked_without_it() {
    let host = HostDialect {
        if_range_200: true,
        ..HostDialect::default()
    };
    let fixture = Fixture::new(cut(4, 70_000, host)).await;
    let manifest = fixture.assert_original("if_range_200").await;
    // Once, to learn that the host does not know `If-Range`.
    assert_eq!(manifest.bytes_fetched_again, 70_000);
}

/// The page has another size than the video, but is no other version of it.
#[tokio::test]
async fn an_error_page_with_a_length_does_not_restart_a_transfer() {
    let host = HostDialect {
        error_pages: 1,
        error_page: ErrorPage::Expired,
        ..HostDialect::default()
    };
    let fixture = Fixture::new(cut(1, 70_000, host)).await;
    let manifest = fixture.assert_original("an error page").await;
    assert_eq!(fixture.simulator.stats(&fixture.id).error_pages, 1);
    assert_eq!(manifest.bytes_fetched_again, 0);
}

#[tokio::test]
async fn different_bytes_on_each_connection_are_told_apart() {
    let host = HostDialect {
        changing_bytes: true,
        no_validators: true,
        ..HostDialect::default()
    };
    let fixture = Fixture::new(absent(cut(100, 200_000, host))).await;
    let (manifest, errors) = fixture.archive().await;
    assert!(manifest.is_none());
    let expected = "invalid download: the host serves different bytes on each connection";
    assert!(errors.iter().all(|error| error == expected), "{errors:?}");
}

#[tokio::test]
async fn a_digest_in_the_header_of_any_host_is_compared() {
    for (digest_headers, check) in [
        (DigestHeaders::Tos, "crc64"),
        (DigestHeaders::Oss, "crc64"),
        (DigestHeaders::Cos, "crc64"),
        (DigestHeaders::ContentMd5, "md5"),
        (DigestHeaders::Azure, "md5"),
        (DigestHeaders::Google, "md5"),
        (DigestHeaders::Amazon, "sha256"),
        (DigestHeaders::ReprDigest, "sha256"),
    ] {
        let script = Script {
            corrupt: Some(Corruption::Zeros(200)),
            digests: HeaderDigests::Served,
            host: HostDialect {
                digest_headers,
                no_validators: true,
                ..HostDialect::default()
            },
            ..Script::default()
        };
        let fixture = Fixture::new(script).await;
        let (manifest, errors) = fixture.archive().await;
        let manifest = manifest.unwrap();
        assert!(errors.is_empty(), "{digest_headers:?}: {errors:?}");
        assert!(has_passed(&manifest, check), "{digest_headers:?}");
        assert_eq!(warnings(&manifest)[0].0, "mp4", "{digest_headers:?}");
    }
}

#[tokio::test]
async fn the_bytes_determine_the_name() {
    for (container, name, content_type, warning) in [
        (Container::Mp4, "video.mp4", "video/mp4", None),
        (Container::Mov, "video.mov", "video/quicktime", None),
        (Container::Webm, "video.webm", "video/webm", None),
        (Container::Gif, "video.gif", "image/gif", Some("format")),
        (
            Container::Glb,
            "file.glb",
            "model/gltf-binary",
            Some("format"),
        ),
        (
            Container::Gltf,
            "file.gltf",
            "model/gltf+json",
            Some("format"),
        ),
    ] {
        for bytes in [None, Some(LARGE)] {
            let script = Script {
                bytes,
                host: HostDialect {
                    container,
                    ..HostDialect::default()
                },
                ..Script::default()
            };
            let fixture = Fixture::new(script).await;
            let manifest = fixture.assert_original(name).await;
            let object = &manifest.objects[0];
            assert_eq!(
                (object.name.as_str(), object.content_type.as_str()),
                (name, content_type)
            );
            let found = warnings(&manifest).first().map(|warning| warning.0);
            assert_eq!(found, warning, "{name}");
        }
    }
}
