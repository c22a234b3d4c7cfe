use std::{path::PathBuf, sync::Arc};

use object_store::{
    Attribute, Attributes, ObjectStore, PutMultipartOptions, PutOptions, TagSet,
    multipart::MultipartStore, path::Path, signer::Signer,
};
use reqwest::Url;
use seedance_archiver_proto::v1::VideoTask;

use super::ObjectOptions;
use crate::object::Format;

/// An object store with its capabilities, and a key prefix in it. Clones share the store.
#[derive(Clone)]
pub struct Archive {
    url: Url,
    /// The object store.
    pub store: Arc<dyn ObjectStore>,
    /// Prefix of all keys: the prefix in the URL, followed by the account's.
    pub root: Path,
    /// Prefix in the URL.
    pub(crate) url_prefix: Path,
    options: ObjectOptions,
    /// The store, if its uploads have ids, so that another process can resume them.
    pub(super) resumable_uploads: Option<Arc<dyn MultipartStore>>,
    /// Signs the requests that list incomplete uploads.
    pub(crate) upload_list_signer: Option<Arc<dyn Signer>>,
    /// Presigns the URLs of objects.
    url_signer: Option<Arc<dyn Signer>>,
    /// Whether completing an upload fails if its key exists. If not, objects are uploaded to staging keys.
    pub(crate) has_conditional_complete: bool,
    /// Whether objects have a content type, metadata and tags.
    has_attributes: bool,
}

impl Archive {
    /// Returns an archive in any `object_store`. Large objects are staged and copied to their final keys.
    pub fn from_store<S: ObjectStore + MultipartStore>(url: Url, store: Arc<S>) -> Self {
        Self {
            resumable_uploads: Some(store.clone()),
            ..Self::new(url, store)
        }
    }

    /// Declares that the store does not complete an upload if its key exists. Large objects are then uploaded to
    /// their final keys.
    pub fn with_conditional_complete(self) -> Self {
        Self {
            has_conditional_complete: true,
            ..self
        }
    }

    pub(super) fn with_resumable_uploads(
        url: Url,
        store: impl ObjectStore + MultipartStore,
    ) -> Self {
        Self::from_store(url, Arc::new(store))
    }

    /// Returns an archive whose uploads cannot be resumed by another process.
    pub(super) fn without_resumable_uploads(url: Url, store: impl ObjectStore) -> Self {
        Self::new(url, Arc::new(store))
    }

    fn new(url: Url, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            url,
            store,
            root: Path::default(),
            url_prefix: Path::default(),
            options: ObjectOptions::default(),
            resumable_uploads: None,
            upload_list_signer: None,
            url_signer: None,
            has_conditional_complete: false,
            has_attributes: false,
        }
    }

    pub(super) fn with_signer(self, signer: impl Signer + 'static) -> Self {
        Self {
            url_signer: Some(Arc::new(signer)),
            ..self
        }
    }

    pub(super) fn with_upload_listing(self, signer: impl Signer + 'static) -> Self {
        Self {
            upload_list_signer: Some(Arc::new(signer)),
            ..self
        }
    }

    pub(super) fn with_attributes(self) -> Self {
        Self {
            has_attributes: true,
            ..self
        }
    }

    pub(super) fn with_prefix(self, url_prefix: Path, options: ObjectOptions) -> Self {
        Self {
            root: url_prefix.parts().chain(options.prefix.parts()).collect(),
            url_prefix,
            options,
            ..self
        }
    }

    /// Returns the URL of the archive.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the URL of an object.
    pub fn url_of(&self, key: &Path) -> String {
        let prefix = format!("{}/", self.url_prefix);
        let key = key.as_ref();
        let key = key.strip_prefix(&prefix).unwrap_or(key);
        format!("{}/{key}", self.url.as_str().trim_end_matches('/'))
    }

    /// Returns the directory of a local archive, or `None` for any other archive.
    pub fn directory(&self) -> Option<PathBuf> {
        let is_local = self.url.scheme() == "file";
        self.url.to_file_path().ok().filter(|_| is_local)
    }

    /// Returns whether the store may have incomplete uploads that it does not list.
    pub fn has_hidden_uploads(&self) -> bool {
        self.resumable_uploads.is_some()
    }

    /// Returns the signer of presigned URLs.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot presign URLs.
    pub(crate) fn url_signer(&self) -> object_store::Result<&dyn Signer> {
        self.url_signer
            .as_deref()
            .ok_or_else(|| object_store::Error::NotSupported {
                source: "the store cannot presign URLs".into(),
            })
    }

    pub(super) fn options(&self) -> &ObjectOptions {
        &self.options
    }

    /// Returns the options of a put. `task` is the task that produced the object, or `None` for a JSON record.
    pub(crate) fn put_options(&self, format: Format, task: Option<&VideoTask>) -> PutOptions {
        PutOptions {
            attributes: self.attributes(format, task),
            tags: self.tags(),
            ..PutOptions::default()
        }
    }

    /// Returns the options of a multipart upload.
    pub(crate) fn upload_options(&self, format: Format, task: &VideoTask) -> PutMultipartOptions {
        PutMultipartOptions {
            attributes: self.attributes(format, Some(task)),
            tags: self.tags(),
            ..PutMultipartOptions::default()
        }
    }

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
}

/// Returns the metadata for a task's objects, without values that are invalid in a header. The names have no
/// hyphens, because Azure does not accept them.
fn metadata(task: &VideoTask) -> impl Iterator<Item = (&'static str, &String)> {
    let metadata = [("seedancetask", &task.id), ("seedancemodel", &task.model)];
    let is_valid = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    metadata
        .into_iter()
        .filter(move |(_, value)| is_valid(value))
}

/// Omits the store, whose configuration may contain secrets.
impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn the_url_of_an_object_contains_the_prefix_once() {
        let url_of = |url: &str, prefix: &str, key: &str| {
            let archive = Archive::from_store(url.parse().unwrap(), Arc::new(InMemory::new()));
            let archive = archive.with_prefix(Path::from(prefix), ObjectOptions::default());
            archive.url_of(&Path::from(key))
        };
        assert_eq!(
            url_of("file:///srv/videos/", "", "default/video.mp4"),
            "file:///srv/videos/default/video.mp4"
        );
        assert_eq!(
            url_of("s3://bucket/team/", "team", "team/a/video.mp4"),
            "s3://bucket/team/a/video.mp4"
        );
    }
}
