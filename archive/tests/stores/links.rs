//! Follows links from a page to the objects of an archive.

use std::{path::Path, time::Duration};

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use reqwest::Url;
use seedance_archiver_archive::links::Links;

use crate::{
    fixture::{Fixture, SMALL},
    host::Host,
    registry::register,
    store::Store,
};

const HOUR: Duration = Duration::from_secs(3600);

async fn links_resolve_to_the_objects(mut fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    // For Azure, `object_store` 0.14 signs the escaped path, but Azure verifies the signature of the unescaped
    // path.
    fixture.set_task(match fixture.store {
        Store::Azure => "cgt-1",
        _ => "cgt-50% off #1?",
    });
    fixture.archive_video(&host).await?;
    let directory = tempfile::tempdir()?;
    let directory = directory.path().canonicalize()?;
    let layout = fixture.layout();
    let keys = vec![layout.manifest(), layout.task(), fixture.video_key()];
    let links = Links::new(&fixture.archive, &directory, HOUR, keys.clone()).await?;
    ensure!(
        links.expires_at().is_some() == (fixture.store != Store::File),
        "only presigned URLs expire"
    );
    for key in keys {
        let bytes = follow(&directory.join("index.html"), &links.url(&key)).await?;
        let is_video = key == fixture.video_key();
        ensure!(
            (bytes == host.video()) == is_video,
            "{key} is another object"
        );
    }
    Ok(())
}
register!(links_resolve_to_the_objects, Store::has_url);

/// Follows a link like a browser that has only the page.
async fn follow(page: &Path, link: &str) -> anyhow::Result<Bytes> {
    let base =
        Url::from_file_path(page).map_err(|()| anyhow!("the path of the page has no URL"))?;
    let url = base.join(link)?;
    if url.scheme() == "file" {
        let path = url
            .to_file_path()
            .map_err(|()| anyhow!("the link is not a path"))?;
        return Ok(std::fs::read(path)?.into());
    }
    let http = reqwest::Client::builder().no_proxy().build()?;
    let response = http
        .get(url)
        .send()
        .await
        .and_then(|it| it.error_for_status());
    let response = response.map_err(reqwest::Error::without_url)?;
    Ok(response.bytes().await?)
}
