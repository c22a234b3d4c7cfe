use seedance_archiver_proto::v1::{VideoContent, VideoTask};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A kind of object that a task produces. The variants are in the order in which objects are archived.
#[derive(Clone, Copy, Debug, Deserialize, IntoStaticStr, PartialEq, Serialize, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ObjectKind {
    /// The video.
    Video,
    /// The last frame of the video, as an image.
    LastFrame,
    /// The file of a 3D task.
    File,
}

impl ObjectKind {
    /// Returns the kinds of objects that a succeeded task produced. If the record has no URLs, because the service
    /// cleared them, returns the video.
    pub fn for_task(task: &VideoTask) -> Vec<Self> {
        let content = task.content.clone().unwrap_or_default();
        let mut kinds = Self::VARIANTS.to_vec();
        kinds.retain(|kind| !kind.url_in(&content).is_empty());
        if kinds.is_empty() {
            kinds.push(Self::Video);
        }
        kinds
    }

    /// Returns the name of the kind: `video`, `last_frame` or `file`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns whether a text is the name of a kind.
    pub(crate) fn is_name(name: &str) -> bool {
        Self::VARIANTS.iter().any(|kind| kind.name() == name)
    }

    /// Returns the object's URL in a record, sealed or not, or an empty string if the task has no such object.
    pub fn url_in(self, content: &VideoContent) -> &str {
        match self {
            Self::Video => &content.video_url,
            Self::LastFrame => &content.last_frame_url,
            Self::File => &content.file_url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(content: VideoContent) -> Vec<&'static str> {
        let task = VideoTask {
            content: Some(content),
            ..VideoTask::default()
        };
        let kinds = ObjectKind::for_task(&task).into_iter();
        kinds.map(ObjectKind::name).collect()
    }

    #[test]
    fn the_urls_in_a_record_determine_the_kinds() {
        let content = VideoContent {
            video_url: "v".into(),
            last_frame_url: "l".into(),
            file_url: "f".into(),
        };
        assert_eq!(kinds(content), ["video", "last_frame", "file"]);
        let content = VideoContent {
            file_url: "f".into(),
            ..VideoContent::default()
        };
        assert_eq!(kinds(content), ["file"]);
        assert_eq!(kinds(VideoContent::default()), ["video"]);
    }
}
