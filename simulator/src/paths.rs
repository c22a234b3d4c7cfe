//! The paths that the simulator serves.

use axum::http::Uri;

/// Base path of the API.
pub(crate) const BASE: &str = "/api/v3";
/// Path of the tasks, below the base path. A task is at `/{id}` below it, or at `?id=` as on some gateways.
pub(crate) const TASKS: &str = "/contents/generations/tasks";
/// First segment of the path of every object.
pub(crate) const BUCKET: &str = "ark-content-generation-ap-southeast-1";
/// File extension of videos.
pub(crate) const VIDEO: &str = "mp4";
/// File extension of last frames.
pub(crate) const LAST_FRAME: &str = "png";

/// Returns the task id in the URI of a call, or `None` if the call is not for a single task.
pub(crate) fn task_id(uri: &Uri) -> Option<String> {
    let rest = uri.path().strip_prefix(TASKS)?;
    if let Some(id) = rest.strip_prefix('/') {
        return Some(id.to_owned());
    }
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(name, _)| name == "id")
        .map(|(_, id)| id.into_owned())
}
