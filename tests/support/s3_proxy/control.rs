//! Control of a proxy by another process, through requests to paths that are no buckets.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{dialect::Dialect, state::ProxyState};

/// Path below which dialects are set.
const CONTROL: &str = "/-/";
/// Name below [`CONTROL`] of the parts that arrived.
const PARTS: &str = "parts";
/// Path below which the number of open uploads is, by a part of their keys.
const OPEN_UPLOADS: &str = "/-uploads/";

/// Sets a dialect of the proxy at a URL, which runs in another process.
pub(crate) async fn set_at(url: &str, part_of_key: &str, dialect: Dialect) -> anyhow::Result<()> {
    let url = format!("{url}{CONTROL}{dialect}/{part_of_key}");
    reqwest::get(url).await?.error_for_status()?;
    Ok(())
}

/// Returns how many parts at once [`Dialect::SlowsDown`] received at the proxy at a URL, whenever one arrived.
pub(crate) async fn parts_at_once_at(url: &str) -> anyhow::Result<Vec<usize>> {
    let text = reqwest::get(format!("{url}{CONTROL}{PARTS}")).await?;
    let text = text.error_for_status()?.text().await?;
    Ok(text.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// Returns the number of uploads through the proxy at a URL that were neither completed nor aborted, to keys that contain a
/// text. MinIO does not list uploads by a part of their keys.
pub(crate) async fn open_uploads_at(url: &str, part_of_key: &str) -> anyhow::Result<usize> {
    let url = format!("{url}{OPEN_UPLOADS}{part_of_key}");
    let count = reqwest::get(url).await?.error_for_status()?.text().await?;
    Ok(count.parse()?)
}

/// Returns the response to a request of another process, or `None` if it is a request to S3.
pub(super) fn response(proxy: &ProxyState, target: &str) -> anyhow::Result<Option<Response>> {
    if let Some(part) = target.strip_prefix(OPEN_UPLOADS) {
        let count = proxy.open_uploads.count(part);
        return Ok(Some(count.to_string().into_response()));
    }
    let Some(name) = target.strip_prefix(CONTROL) else {
        return Ok(None);
    };
    if name == PARTS {
        let arrivals = proxy.parts.arrivals();
        let lines: Vec<_> = arrivals.iter().map(ToString::to_string).collect();
        return Ok(Some(lines.join("\n").into_response()));
    }
    let Some((dialect, part)) = name.split_once('/') else {
        return Ok(None);
    };
    proxy.dialects.set(part, dialect.parse()?);
    Ok(Some(StatusCode::OK.into_response()))
}
