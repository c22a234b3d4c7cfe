//! Links from a page lead to the objects of an archive.

use std::{path::Path, time::Duration};

use anyhow::{anyhow, ensure};
use bytes::Bytes;
use futures::FutureExt;
use reqwest::Url;
use seedance_archiver_archive::links::Links;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{SMALL, World},
};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![Behaviour {
        name: "links_lead_to_the_objects",
        is_of: Store::has_url,
        run: |world| links_lead_to_the_objects(world).boxed(),
    }]
}

async fn links_lead_to_the_objects(mut world: World) -> anyhow::Result<()> {
    let host = Host::of(SMALL).await?;
    // What `object_store` 0.14 signs for Azure is the escaped path, and Azure checks the plain one.
    world.with_task(match world.store {
        Store::Azure => "cgt-1",
        _ => "cgt-50% off #1?",
    });
    world.deposit(&host).await?;
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

/// What a browser gets that has the page and nothing else.
async fn follow(page: &Path, link: &str) -> anyhow::Result<Bytes> {
    let base = Url::from_file_path(page).map_err(|()| anyhow!("no URL"))?;
    let url = base.join(link)?;
    if url.scheme() == "file" {
        let path = url.to_file_path().map_err(|()| anyhow!("no path"))?;
        return Ok(std::fs::read(path)?.into());
    }
    let http = reqwest::Client::builder().no_proxy().build()?;
    let answer = http
        .get(url)
        .send()
        .await
        .and_then(|it| it.error_for_status());
    let answer = answer.map_err(reqwest::Error::without_url)?;
    Ok(answer.bytes().await?)
}
