//! The page of an archive leads to its videos.

use std::{path::Path, time::Duration};

use anyhow::{Context, anyhow, ensure};
use bytes::Bytes;
use futures::FutureExt;
use reqwest::Url;
use seedance_archiver::gallery;
use serde_json::Value;

use crate::{
    Behaviour,
    host::Host,
    store::Store,
    world::{SMALL, World},
};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn behaviours() -> Vec<Behaviour> {
    vec![Behaviour {
        name: "a_gallery_leads_to_the_videos",
        is_of: Store::has_url,
        run: |world| leads_to_the_video(world).boxed(),
    }]
}

async fn leads_to_the_video(mut world: World) -> anyhow::Result<()> {
    let host = Host::of(SMALL).await?;
    // What `object_store` 0.14 signs for Azure is the escaped path, and Azure checks the plain one.
    world.with_task(match world.store {
        Store::Azure => "cgt-1",
        _ => "cgt-50% off #1?",
    });
    world.deposit(&host).await?;
    let folder = tempfile::tempdir()?;
    let made = gallery::make(&world.archive, folder.path(), None, HOUR, |_| {}).await?;
    ensure!(made.videos == 1 && made.unreadable.is_empty(), "{made:?}");
    ensure!(
        made.links_until.is_some() == (world.store != Store::File),
        "{made:?}"
    );
    for (link, is_video) in links(&made.page)? {
        let bytes = follow(&made.page, &link).await?;
        ensure!(
            (bytes == host.video()) == is_video,
            "{link} is another file"
        );
    }
    Ok(())
}

/// The links of the one video in a page, each with whether it is to the video itself.
fn links(page: &Path) -> anyhow::Result<Vec<(String, bool)>> {
    let html = std::fs::read_to_string(page)?;
    let (_, data) = html.split_once(r#"id="data">"#).context("no data")?;
    let (data, _) = data.split_once("</script>").context("no end")?;
    let data: Value = serde_json::from_str(data)?;
    let video = &data["videos"][0];
    let files = video["files"].as_array().context("no files")?;
    ensure!(files.len() == 2, "{video}");
    let mut links = vec![(&video["receipt"], false)];
    links.extend(
        files
            .iter()
            .map(|file| (&file["link"], file["name"] == "video.mp4")),
    );
    links
        .into_iter()
        .map(|(link, is_video)| Ok((link.as_str().context("no link")?.to_owned(), is_video)))
        .collect()
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
