//! Links from a page to the objects of an archive.

use std::{path::Path, time::Duration};

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use reqwest::Url;
use seedance_archiver_archive::links::Links;

use crate::{
    host::Host,
    registry::register,
    store::Store,
    world::{SMALL, World},
};

const HOUR: Duration = Duration::from_secs(3600);

async fn links_lead_to_the_objects(mut world: World) -> anyhow::Result<()> {
    let host = Host::new(SMALL).await?;
    // For Azure, `object_store` 0.14 signs the escaped path, but Azure checks the unescaped one.
    world.set_task(match world.store {
        Store::Azure => "cgt-1",
        _ => "cgt-50% off #1?",
    });
    world.archive_video(&host).await?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path().canonicalize()?;
    let layout = world.layout();
    let keys = vec![layout.manifest(), layout.task(), world.video_key()];
    let links = Links::new(&world.archive, &folder, HOUR, keys.clone()).await?;
    ensure!(
        links.until().is_some() == (world.store != Store::File),
        "only presigned URLs expire"
    );
    for key in keys {
        let bytes = follow(&folder.join("index.html"), &links.to(&key)).await?;
        let is_video = key == world.video_key();
        ensure!(
            (bytes == host.video()) == is_video,
            "{key} is another object"
        );
    }
    Ok(())
}
register!(links_lead_to_the_objects, Store::has_url);

/// Follows a link as a browser does that has only the page.
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
