//! Finds the URLs of a succeeded task's output, wherever the service puts them.
//!
//! A name that says what it refers to counts more than a general one such as `url`, in the whole record. Among equal
//! names, the order is that of [`CONTAINERS`], then the record itself.

use serde_json::{Map, Value};

/// Fields that hold the output of a task, the documented one first.
const CONTAINERS: [&str; 17] = [
    "content",
    "output",
    "outputs",
    "result",
    "results",
    "task_result",
    "taskResult",
    "response",
    "video",
    "videos",
    "data",
    "metadata",
    "files",
    "assets",
    "creations",
    "generations",
    "works",
];
/// Maximum depth of a URL below the record.
const MAX_DEPTH: usize = 5;

/// The names of the fields that may hold the URL of an object.
pub(crate) struct Names {
    /// Names that say what the URL refers to.
    specific: &'static [&'static str],
    /// Names that any URL may have.
    general: &'static [&'static str],
}

pub(crate) const VIDEO: Names = Names {
    specific: &[
        "video_url",
        "videoUrl",
        "videoURL",
        "video_urls",
        "videoUrls",
        "result_url",
        "resultUrl",
        "output_url",
        "outputUrl",
        "download_url",
        "downloadUrl",
        "play_url",
        "playUrl",
        "media_url",
        "mediaUrl",
        "video_uri",
        "videoUri",
        "video",
    ],
    general: &["url", "urls", "uri", "href", "src", "link"],
};
pub(crate) const LAST_FRAME: Names = Names {
    specific: &[
        "last_frame_url",
        "lastFrameUrl",
        "last_frame",
        "lastFrame",
        "tail_frame_url",
    ],
    general: &[],
};
pub(crate) const FILE: Names = Names {
    specific: &[
        "file_url",
        "fileUrl",
        "model_url",
        "modelUrl",
        "model_urls",
        "glb_url",
        "glb",
        "mesh_url",
        "model_mesh",
        "file_urls",
    ],
    general: &[],
};
/// Where some gateways put the URL of a succeeded task.
const FAIL_REASON: &str = "fail_reason";

/// Returns the URL of an object in a record, or `None` if it has none.
pub(crate) fn find<'a>(record: &'a Map<String, Value>, names: &Names) -> Option<&'a str> {
    let specific = in_object(record, names.specific, MAX_DEPTH);
    specific.or_else(|| in_object(record, names.general, MAX_DEPTH))
}

/// Returns the URL of the video in any layer of a response, from the record outward.
pub(crate) fn find_video<'a>(layers: &[&'a Map<String, Value>]) -> Option<&'a str> {
    let found = layers.iter().find_map(|layer| find(layer, &VIDEO));
    found.or_else(|| layers.iter().find_map(|layer| url(layer.get(FAIL_REASON)?)))
}

/// Returns the URL to which a JSON pointer leads.
pub(crate) fn at_pointer<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    in_value(value.pointer(pointer)?, &["url"], 1)
}

fn in_object<'a>(object: &'a Map<String, Value>, names: &[&str], depth: usize) -> Option<&'a str> {
    let depth = depth.checked_sub(1)?;
    let in_containers = CONTAINERS
        .iter()
        .find_map(|name| in_container(object.get(*name)?, names, depth));
    in_containers.or_else(|| {
        let named = names.iter().filter_map(|name| object.get(*name));
        named
            .into_iter()
            .find_map(|value| in_value(value, &["url", "uri", "href"], depth))
    })
}

/// Looks into a container: an object, a list of objects, or with a general name also the URL itself.
fn in_container<'a>(value: &'a Value, names: &[&str], depth: usize) -> Option<&'a str> {
    match value {
        Value::Object(fields) => in_object(fields, names, depth),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            videos_first(items).find_map(|item| in_container(item, names, depth))
        }
        Value::String(_) if names.contains(&"url") => url(value),
        _ => None,
    }
}

/// Looks into the value of a field that is named like a URL: the URL, an object with the URL, or a list of either.
fn in_value<'a>(value: &'a Value, names: &[&str], depth: usize) -> Option<&'a str> {
    match value {
        Value::String(_) => url(value),
        Value::Array(items) => {
            let depth = depth.checked_sub(1)?;
            videos_first(items).find_map(|item| in_value(item, names, depth))
        }
        Value::Object(fields) => {
            let depth = depth.checked_sub(1)?;
            let named = names.iter().filter_map(|name| fields.get(*name));
            // A map from formats to URLs has no such name.
            let mut all = named.chain(fields.values());
            all.find_map(|value| in_value(value, names, depth))
        }
        _ => None,
    }
}

/// Returns the items of a list, those that say that they are a video before the others.
fn videos_first(items: &[Value]) -> impl Iterator<Item = &Value> {
    let is_video = |item: &&Value| {
        let kinds = ["type", "kind", "mime_type", "content_type", "format"];
        let mut kinds = kinds.iter().filter_map(|name| item.get(*name)?.as_str());
        kinds.any(|kind| kind.to_lowercase().contains("video") || kind.eq_ignore_ascii_case("mp4"))
    };
    let (videos, others): (Vec<_>, Vec<_>) = items.iter().partition(is_video);
    videos.into_iter().chain(others)
}

fn url(value: &Value) -> Option<&str> {
    let text = value.as_str()?.trim();
    let scheme = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    (scheme.starts_with("https://") || scheme.starts_with("http://")).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://h.example/v.mp4?sig=1";
    const OTHER: &str = "https://h.example/other.png";

    fn video(record: &Value) -> Option<&str> {
        find_video(&[record.as_object().unwrap()])
    }

    #[test]
    fn the_url_of_the_video_is_found_wherever_it_is() {
        for record in [
            json!({"content": {"video_url": URL}}),
            json!({"content": {"result_url": URL}}),
            json!({"content": {"url": URL, "last_frame_url": OTHER}}),
            json!({"content": [{"type": "image_url", "image_url": {"url": OTHER}},
                {"type": "video_url", "video_url": {"url": URL}}]}),
            json!({"metadata": {"url": URL}}),
            json!({"metadata": {"url": OTHER}, "content": {"video_url": URL}}),
            json!({"url": OTHER, "output": {"video_url": URL}}),
            json!({"video_url": URL}),
            json!({"video": {"url": URL, "width": 1280}}),
            json!({"video": URL}),
            json!({"url": URL}),
            json!({"output": URL}),
            json!({"output": [URL]}),
            json!({"outputs": [{"type": "image", "url": OTHER}, {"type": "video", "url": URL}]}),
            json!({"result": {"videos": [{"url": [URL]}]}}),
            json!({"task_result": {"videos": [{"id": "1", "url": URL, "duration": "5"}]}}),
            json!({"data": {"output": {"video_url": URL}}}),
            json!({"creations": [{"id": "1", "url": URL, "cover_url": OTHER}]}),
            json!({"response": {"generatedVideos": [], "video": {"uri": URL}}}),
            json!({"content": {"video_url": ""}, "metadata": {"url": URL}}),
            json!({"content": {"video_url": null}, "result_url": URL}),
            json!({"fail_reason": URL}),
        ] {
            assert_eq!(video(&record), Some(URL), "{record}");
        }
    }

    #[test]
    fn what_is_no_output_url_is_not_found() {
        for record in [
            json!({}),
            json!({"content": {"video_url": "pending"}}),
            json!({"content": {"last_frame_url": OTHER}}),
            json!({"callback_url": OTHER, "image_url": OTHER, "prompt": OTHER}),
            json!({"fail_reason": "too dark"}),
            json!({"content": {"video_url": "file:///etc/passwd"}}),
        ] {
            assert_eq!(video(&record), None, "{record}");
        }
    }

    #[test]
    fn a_last_frame_and_a_file_have_names_of_their_own() {
        let record =
            json!({"output": {"last_frame_url": OTHER, "model_urls": {"glb": URL, "fbx": OTHER}}});
        let record = record.as_object().unwrap();
        assert_eq!(find(record, &LAST_FRAME), Some(OTHER));
        assert_eq!(find(record, &FILE), Some(URL));
    }

    #[test]
    fn a_pointer_leads_to_a_url_or_to_the_object_around_it() {
        let answer = json!({"a": [{"b": {"url": URL}}, 7], "": URL});
        assert_eq!(at_pointer(&answer, "/a/0/b/url"), Some(URL));
        assert_eq!(at_pointer(&answer, "/a/0/b"), Some(URL));
        assert_eq!(at_pointer(&answer, "/"), Some(URL));
        assert_eq!(at_pointer(&answer, "/a/1"), None);
        assert_eq!(at_pointer(&answer, "/c"), None);
    }
}
