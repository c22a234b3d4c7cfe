//! Hosts of videos that differ from ByteDance's object store, through the whole worker. `archive/tests/hosts` has
//! more of them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use seedance_archiver_proto::v1::Manifest;
use seedance_archiver_simulator::{Container, Corruption, HeaderDigests, HostDialect, Script};

use crate::harness::{
    Fixture, Server, attempts::ensure_attempts, lifecycle::until_waiting, read_local, register,
    until,
};

/// Each video is archived with the bytes that the host serves.
async fn videos_of_every_host_are_archived(server: Arc<Server>) -> anyhow::Result<()> {
    let large = |host: HostDialect| Script {
        bytes: Some(20_000_003),
        cuts: 2,
        cut_after: 8_000_000,
        host,
        ..Script::default()
    };
    let refusing = |status, code: &str| Script {
        dead_urls: 1,
        host: HostDialect {
            refusal_status: Some(status),
            refusal_code: Some(code.into()),
            ..HostDialect::default()
        },
        ..Script::default()
    };
    let scripts = [
        refusing(400, "ExpiredToken"),
        refusing(200, "UrlExpired"),
        large(HostDialect {
            always_206: true,
            ..HostDialect::default()
        }),
        large(HostDialect {
            always_206: true,
            range_cap: Some(3_000_000),
            unknown_total: true,
            ..HostDialect::default()
        }),
        large(HostDialect {
            if_range_200: true,
            ..HostDialect::default()
        }),
        large(HostDialect {
            changing_etags: true,
            if_range_ignored: true,
            ..HostDialect::default()
        }),
        Script {
            digests: HeaderDigests::Absent,
            ..large(HostDialect {
                no_validators: true,
                chunked: true,
                ..HostDialect::default()
            })
        },
    ];
    let fixture = Fixture::new(&server).await?;
    let archived = scripts.map(|script| async {
        let context = format!("{:?}", script.host);
        // URLs that are signed in the same second are the same, so a second attempt may be necessary.
        let attempts = if script.dead_urls > 0 { 1..=2 } else { 1..=1 };
        let id = fixture.simulator.create(script);
        let manifest = archive(&server, &fixture, &id).await.context(context)?;
        ensure_attempts(&server, &manifest, attempts).await?;
        Ok((id, manifest))
    });
    let videos = fixture.with_worker(&server, try_join_all(archived)).await?;
    let videos: Vec<_> = videos
        .iter()
        .map(|(id, manifest)| (id.as_str(), manifest))
        .collect();
    fixture.assert_all_archived(&videos)
}
register!(videos_of_every_host_are_archived);

async fn a_video_with_zeros_at_its_end_is_archived_with_a_warning(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let zeros = |digests| Script {
        corrupt: Some(Corruption::Zeros(200)),
        digests,
        ..Script::default()
    };
    // Without a digest, the second arrival of the same bytes vouches for them.
    let expected = [(HeaderDigests::Served, 1), (HeaderDigests::Absent, 2)];
    let archived = expected.map(|(digests, attempts)| {
        let id = fixture.simulator.create(zeros(digests));
        let (server, fixture) = (&server, &fixture);
        async move {
            let manifest = archive(server, fixture, &id).await?;
            let video = manifest.objects.first().context("no object")?;
            let warnings = video.checks.iter().filter(|it| it.result == "warning");
            let warnings: Vec<_> = warnings.map(|it| it.name.as_str()).collect();
            ensure!(warnings == ["mp4"], "{manifest:?}");
            ensure_attempts(server, &manifest, attempts..=attempts).await?;
            let original = fixture.simulator.source(&id).context("no source")?.bytes();
            let stored = read_local(&video.url)?;
            ensure!(stored == [&original[..], &[0; 200]].concat(), "other bytes");
            Ok(())
        }
    });
    fixture.with_worker(&server, try_join_all(archived)).await?;
    Ok(())
}
register!(a_video_with_zeros_at_its_end_is_archived_with_a_warning);

async fn a_quicktime_video_is_named_by_its_bytes(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        host: HostDialect {
            container: Container::Mov,
            ..HostDialect::default()
        },
        ..Script::default()
    });
    let archived = archive(&server, &fixture, &id);
    let manifest = fixture.with_worker(&server, archived).await?;
    let video = manifest.objects.first().context("no object")?;
    ensure!(
        video.name == "video.mov" && video.content_type == "video/quicktime",
        "{video:?}"
    );
    ensure!(
        video.checks.iter().all(|it| it.result == "passed"),
        "{video:?}"
    );
    Ok(())
}
register!(a_quicktime_video_is_named_by_its_bytes);

async fn a_busy_host_is_given_the_time_that_it_asks_for(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        host: HostDialect {
            busy: 1,
            retry_after: Some(20),
            ..HostDialect::default()
        },
        ..Script::default()
    });
    let manifest = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until_waiting(
                &lifecycle,
                "the host asked to wait 20 s; next attempt in 20 s",
            )
            .await?;
            lifecycle.result().await?.manifest.context("no receipt")
        })
        .await?;
    ensure_attempts(&server, &manifest, 2..=2).await?;
    ensure!(
        fixture.simulator.stats(&id).downloads == 1,
        "more than one download"
    );
    fixture.assert_archived(&id, &manifest)
}
register!(a_busy_host_is_given_the_time_that_it_asks_for);

/// The expiry in a URL can be misread.
async fn a_url_that_looks_expired_is_tried(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        url_lifetime: Some(Duration::ZERO),
        host: HostDialect {
            serves_expired: true,
            ..HostDialect::default()
        },
        ..Script::default()
    });
    let archived = archive(&server, &fixture, &id);
    let manifest = fixture.with_worker(&server, archived).await?;
    ensure_attempts(&server, &manifest, 1..=1).await?;
    fixture.assert_archived(&id, &manifest)
}
register!(a_url_that_looks_expired_is_tried);

/// The URL dies after corrupt downloads, and nothing else is known of the task.
async fn what_kept_a_video_from_being_archived_is_the_reason(
    server: Arc<Server>,
) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let id = fixture.simulator.create(Script {
        corrupt: Some(Corruption::OtherVideo),
        ..Script::default()
    });
    let result = fixture
        .with_worker(&server, async {
            let lifecycle = fixture.start_lifecycle(&server, &id).await?;
            until("the download was retried", || {
                fixture.simulator.stats(&id).downloads > 1
            })
            .await?;
            until_waiting(&lifecycle, "next attempt in").await?;
            fixture.pass_archive_deadline().await;
            Ok(lifecycle.result().await?)
        })
        .await?;
    ensure!(
        result.outcome == "lost" && result.reason == "corrupt_video",
        "{result:?}"
    );
    ensure!(
        result.message.starts_with("archive deadline passed; "),
        "{result:?}"
    );
    fixture.assert_outcome_recorded(&result)
}
register!(what_kept_a_video_from_being_archived_is_the_reason);

async fn archive(server: &Server, fixture: &Fixture, id: &str) -> anyhow::Result<Manifest> {
    let lifecycle = fixture.start_lifecycle(server, id).await?;
    lifecycle.result().await?.manifest.context("no receipt")
}
