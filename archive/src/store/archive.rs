use std::{path::PathBuf, sync::Arc};

use object_store::{
    Attribute, Attributes, ObjectStore, PutMultipartOptions, PutOptions, TagSet,
    multipart::MultipartStore, path::Path, signer::Signer,
};
use reqwest::Url;
use seedance_archiver_proto::v1::VideoTask;

use super::{
    ObjectOptions,
    part_slots::{PartSlots, SlotsByBucket},
    proofs::Proofs,
    tags,
};
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
    /// User of the task whose objects are written, for tags. `None`: the objects belong to no task.
    user: Option<String>,
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
    /// Ways to publish large objects if the store does not support conditional completion.
    fallbacks: Vec<CopyingStore>,
    /// Whether the store lists keys in ascending order, by bytes.
    pub(crate) lists_in_order: bool,
    /// The results of tests that the store never replaces an object. `None` if it needs no test.
    proofs: Option<Proofs>,
    /// Limit the number of concurrent parts in each bucket.
    part_slots: SlotsByBucket,
}

/// The same store, but with uploads that are completed without a condition, and with create-only copies.
#[derive(Clone)]
pub(super) struct CopyingStore {
    /// The header that makes a copy create-only.
    header: &'static str,
    store: Arc<dyn ObjectStore>,
    uploads: Arc<dyn MultipartStore>,
}

impl CopyingStore {
    pub(super) fn new(
        header: &'static str,
        store: impl ObjectStore + MultipartStore + Clone,
    ) -> Self {
        Self {
            header,
            store: Arc::new(store.clone()),
            uploads: Arc::new(store),
        }
    }
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
            user: None,
            resumable_uploads: None,
            upload_list_signer: None,
            url_signer: None,
            has_conditional_complete: false,
            has_attributes: false,
            fallbacks: Vec::new(),
            lists_in_order: false,
            proofs: None,
            part_slots: SlotsByBucket::default(),
        }
    }

    /// Tests that the store never replaces an object before something is archived. Without, this is assumed.
    pub(super) fn with_proof(self) -> Self {
        Self {
            proofs: Some(Proofs::default()),
            ..self
        }
    }

    /// Sets whether the store lists keys in ascending order. Without, it is assumed that it does not.
    pub(super) fn with_order(self, lists_in_order: bool) -> Self {
        Self {
            lists_in_order,
            ..self
        }
    }

    /// Shares what is known of each bucket with another archive: the results of its tests, and its limit of concurrent parts.
    pub(super) fn sharing(self, other: &Self) -> Self {
        Self {
            proofs: self.proofs.map(|own| other.proofs.clone().unwrap_or(own)),
            part_slots: other.part_slots.clone(),
            ..self
        }
    }

    /// Adds a way to publish large objects, for a store without conditional completion.
    pub(super) fn with_copying_store(mut self, store: CopyingStore) -> Self {
        self.fallbacks.push(store);
        self
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
        self.has_resumable_uploads()
    }

    /// Returns whether a later attempt can continue an upload, and finds what it staged.
    pub(crate) fn has_resumable_uploads(&self) -> bool {
        self.resumable_uploads.is_some()
    }

    /// Returns whether incomplete uploads can exist but not be listed, as on Google Cloud Storage: nobody aborts those of a
    /// task that is erased.
    pub fn cannot_list_uploads(&self) -> bool {
        self.resumable_uploads.is_some() && self.upload_list_signer.is_none()
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

    pub(super) fn proofs(&self) -> Option<&Proofs> {
        self.proofs.as_ref()
    }

    /// Returns the slots of the bucket.
    pub(super) fn part_slots(&self) -> PartSlots {
        self.part_slots.of(self.bucket())
    }

    /// Returns the URL of the bucket.
    pub(super) fn bucket(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{}://{host}", self.url.scheme())
    }

    /// Returns this archive with each of its fallbacks.
    pub(super) fn fallbacks(&self) -> impl Iterator<Item = Self> {
        (0..self.fallbacks.len()).map(|index| self.with_fallback(Some(index)))
    }

    /// Returns this archive with a fallback, if there is one.
    pub(super) fn with_fallback(&self, index: Option<usize>) -> Self {
        let Some(fallback) = index.and_then(|index| self.fallbacks.get(index)) else {
            return self.clone();
        };
        Self {
            store: fallback.store.clone(),
            resumable_uploads: Some(fallback.uploads.clone()),
            has_conditional_complete: false,
            ..self.clone()
        }
    }

    /// Returns the header that makes the copies of a fallback create-only.
    pub(super) fn fallback_header(&self, index: usize) -> &'static str {
        self.fallbacks.get(index).map_or("", |it| it.header)
    }

    /// Returns whether objects are encrypted with a key of the account.
    pub fn has_kms_key(&self) -> bool {
        self.options.kms_key_id.is_some()
    }

    /// Returns whether objects have tags.
    pub(super) fn has_tags(&self) -> bool {
        !self.options.tags.is_empty()
    }

    pub(super) fn storage_class(&self) -> Option<&str> {
        self.options.storage_class.as_deref()
    }

    /// Returns this archive for new objects of a task, whose tags may contain its user.
    pub fn for_task(&self, task: &VideoTask) -> Self {
        Self {
            user: Some(task.safety_identifier.clone()),
            ..self.clone()
        }
    }

    /// Returns a warning for each tag that the objects of the task do not get, because S3 would reject it.
    pub(crate) fn tag_warnings(&self) -> impl Iterator<Item = String> {
        tags::warnings(&self.options.tags, self.user.as_deref())
    }

    /// Returns this archive without tags for new objects.
    pub(super) fn without_tags(&self) -> Self {
        let mut archive = self.clone();
        archive.options.tags.clear();
        archive
    }

    /// Returns this archive without a storage class for new objects.
    pub(super) fn without_storage_class(&self) -> Self {
        let mut archive = self.clone();
        archive.options.storage_class = None;
        archive
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
        tags::tag_set(&self.options.tags, self.user.as_deref())
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
