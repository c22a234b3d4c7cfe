//! A store and a place in it.

use std::{
    path::{Component, PathBuf},
    sync::Arc,
};

use object_store::{
    Attribute, Attributes, ObjectStore, PutMultipartOptions, PutOptions, TagSet,
    multipart::MultipartStore, path::Path, signer::Signer,
};
use reqwest::Url;
use seedance_archiver_proto::v1::VideoTask;

use super::{Format, ObjectOptions, OpenArchiveError, open};

/// A store and a place in it.
#[derive(Clone)]
pub struct Archive {
    pub(super) url: Url,
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The same, where uploads have an id with which another process can go on.
    pub(super) parts: Option<Arc<dyn MultipartStore>>,
    /// The same, where uploads that were never ended can be listed.
    pub(super) signer: Option<Arc<dyn Signer>>,
    /// The same, where links to its objects can be signed.
    pub(super) links: Option<Arc<dyn Signer>>,
    /// Whether it completes no upload over an object. Where it would, uploads are staged.
    pub(super) completes_create_only: bool,
    /// Whether its objects have a content type, metadata and tags.
    pub(super) has_attributes: bool,
    /// What the URL says every key begins with.
    pub(super) place: Path,
    /// The same with the account's prefix.
    pub root: Path,
    pub(super) options: ObjectOptions,
}

impl Archive {
    /// Opens `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, each configured by
    /// the environment that is usual for it, or `file:///path`.
    pub fn open(url: &Url) -> Result<Self, OpenArchiveError> {
        Self::open_with(url, ObjectOptions::default())
    }

    /// The same with objects as an account wants them.
    pub fn open_with(url: &Url, options: ObjectOptions) -> Result<Self, OpenArchiveError> {
        open::open(url, options)
    }

    /// A store of one's own. Uploads are staged: it may complete them over an object.
    pub fn of<S: ObjectStore + MultipartStore>(url: Url, store: Arc<S>) -> Self {
        Self {
            url,
            parts: Some(store.clone()),
            store,
            signer: None,
            links: None,
            completes_create_only: false,
            has_attributes: false,
            place: Path::default(),
            root: Path::default(),
            options: ObjectOptions::default(),
        }
    }

    /// Uploads go to their final keys: the store completes none over an object.
    pub fn completing_create_only(self) -> Self {
        Self {
            completes_create_only: true,
            ..self
        }
    }

    /// The archive that a request means: this one, or the one it names. A local path must lie inside
    /// a local archive, so that a caller cannot write anywhere on the worker's disk.
    pub fn at(&self, destination: &str) -> Result<Self, OpenArchiveError> {
        if destination.is_empty() {
            return Ok(self.clone());
        }
        let refused = || OpenArchiveError::Unsupported(destination.to_owned());
        let url = Url::parse(destination).map_err(|_| refused())?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused());
        }
        if url.scheme() == "file" && !self.contains(&url) {
            return Err(refused());
        }
        Self::open_with(&url, self.options.clone())
    }

    /// URL of an object.
    pub fn url_of(&self, key: &Path) -> String {
        let prefix = format!("{}/", self.place);
        let key = key.as_ref();
        let key = key.strip_prefix(&prefix).unwrap_or(key);
        format!("{}/{key}", self.url.as_str().trim_end_matches('/'))
    }

    /// How an object of this format is put: what a task has made, or a record of it.
    pub(super) fn put_options(&self, format: Format, made_by: Option<&VideoTask>) -> PutOptions {
        PutOptions {
            attributes: self.attributes(format, made_by),
            tags: self.tags(),
            ..PutOptions::default()
        }
    }

    /// How an upload of this format is begun.
    pub(super) fn upload_options(&self, format: Format, task: &VideoTask) -> PutMultipartOptions {
        PutMultipartOptions {
            attributes: self.attributes(format, Some(task)),
            tags: self.tags(),
            ..PutMultipartOptions::default()
        }
    }

    /// Whether there may be uploads that the store does not list.
    pub fn has_hidden_uploads(&self) -> bool {
        self.parts.is_some()
    }

    /// What names it.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What signs links to its objects.
    pub fn links(&self) -> object_store::Result<&dyn Signer> {
        self.links
            .as_deref()
            .ok_or_else(|| object_store::Error::NotSupported {
                source: "the store signs no links".into(),
            })
    }

    /// Where a local archive is.
    pub fn directory(&self) -> Option<PathBuf> {
        let is_local = self.url.scheme() == "file";
        self.url.to_file_path().ok().filter(|_| is_local)
    }

    /// Names of metadata are words, because Azure takes nothing else.
    fn attributes(&self, format: Format, task: Option<&VideoTask>) -> Attributes {
        let mut attributes = Attributes::new();
        if !self.has_attributes {
            return attributes;
        }
        attributes.insert(Attribute::ContentType, format.content_type.into());
        let class = self.options.storage_class.clone();
        if let Some(class) = class.filter(|_| task.is_some()) {
            attributes.insert(Attribute::StorageClass, class.into());
        }
        for (name, value) in task.into_iter().flat_map(metadata) {
            attributes.insert(Attribute::Metadata(name.into()), value.clone().into());
        }
        attributes
    }

    fn tags(&self) -> TagSet {
        let mut tags = TagSet::default();
        for (name, value) in &self.options.tags {
            tags.push(name, value);
        }
        tags
    }

    /// Compares paths, not URLs: `%2F` in a URL is a slash in its path.
    fn contains(&self, url: &Url) -> bool {
        let (Ok(own), Ok(path)) = (self.url.to_file_path(), url.to_file_path()) else {
            return false;
        };
        let goes_up = path.components().any(|part| part == Component::ParentDir);
        path.starts_with(own) && !goes_up
    }
}

/// What an object says of its task. What is no header is left out.
fn metadata(task: &VideoTask) -> impl Iterator<Item = (&'static str, &String)> {
    let facts = [("seedancetask", &task.id), ("seedancemodel", &task.model)];
    let is_header = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    facts.into_iter().filter(move |(_, value)| is_header(value))
}

/// Without the store, which may know secrets.
impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> (tempfile::TempDir, Archive) {
        let directory = tempfile::tempdir().unwrap();
        let url = Url::from_directory_path(directory.path()).unwrap();
        let archive = Archive::open(&url).unwrap();
        (directory, archive)
    }

    #[test]
    fn names_objects_by_the_url_that_a_person_would_use() {
        let (directory, archive) = local();
        let url = archive.url_of(&Path::from("default/video.mp4"));
        assert_eq!(
            url,
            format!("file://{}/default/video.mp4", directory.path().display())
        );

        let s3 = Archive {
            url: "s3://bucket/team/".parse().unwrap(),
            place: Path::from("team"),
            ..archive
        };
        assert_eq!(
            s3.url_of(&Path::from("team/a/video.mp4")),
            "s3://bucket/team/a/video.mp4"
        );
    }

    #[test]
    fn a_destination_stays_inside_the_local_archive() {
        let (directory, archive) = local();
        let at = |destination: &str| archive.at(destination).map(|archive| archive.url);
        assert_eq!(at("").unwrap(), archive.url);
        let inside = format!("file://{}/team", directory.path().display());
        assert_eq!(at(&inside).unwrap().as_str(), inside);
        let parent = directory.path().parent().unwrap().display();
        for outside in [
            format!("file://{parent}"),
            format!("file://{}/../other", directory.path().display()),
            format!("file://{}-sibling", directory.path().display()),
            format!("{inside}%2F..%2F..%2Felsewhere"),
            format!("{inside}?version=1"),
            "/srv/videos".to_owned(),
            "ftp://host/videos".to_owned(),
        ] {
            assert!(at(&outside).is_err(), "{outside}");
        }
    }
}
