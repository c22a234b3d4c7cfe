//! Opens an archive from its URL.

use std::{collections::BTreeMap, sync::Arc};

use object_store::{
    ClientConfigKey, ObjectStore,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    local::LocalFileSystem,
    multipart::MultipartStore,
    path::Path,
    signer::Signer,
};
use reqwest::Url;

use super::{Archive, create_only::CreateOnly};

/// How an account wants its objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectOptions {
    /// Folder in the archive. Empty: the archive itself.
    pub prefix: Path,
    /// Storage class of what tasks have made, on S3: elsewhere large objects are copied, which loses it.
    pub storage_class: Option<String>,
    /// Key of SSE-KMS, on S3.
    pub kms_key_id: Option<String>,
    /// Tags of every object, on S3.
    pub tags: BTreeMap<String, String>,
}

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenArchiveError {
    /// The URL's scheme is not one that can be archived to.
    #[error(
        "`{0}` is not an archive URL: give `s3://bucket/prefix`, `gs://bucket/prefix`, \
         `az://container/prefix` or `file:///path`"
    )]
    Unsupported(String),
    /// The store has no such thing.
    #[error("`{url}` cannot have {what}: take it from the account's archive options")]
    Option {
        /// The archive URL.
        url: String,
        /// What it cannot have.
        what: &'static str,
    },
    /// The directory cannot be made.
    #[error("cannot create {path}: {source}")]
    Directory {
        /// The directory.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The store's own configuration is wrong.
    #[error("cannot open the store of `{url}`: {source}")]
    Store {
        /// The archive URL.
        url: String,
        /// What the store says.
        source: object_store::Error,
    },
}

pub(super) fn open(url: &Url, options: ObjectOptions) -> Result<Archive, OpenArchiveError> {
    options.check(url)?;
    let failed = |source| OpenArchiveError::Store {
        url: url.to_string(),
        source,
    };
    let store = match url.scheme() {
        "file" => Store::without_parts(open_directory(url)?),
        "s3" => open_s3(url, &options).map_err(failed)?,
        "gs" => open_gs(url).map_err(failed)?,
        "az" => open_az(url).map_err(failed)?,
        _ => return Err(OpenArchiveError::Unsupported(url.to_string())),
    };
    let place = match url.scheme() {
        "file" => Path::default(),
        _ => Path::from_url_path(url.path()).map_err(|source| failed(source.into()))?,
    };
    Ok(Archive {
        url: url.clone(),
        store: store.store,
        parts: store.parts,
        signer: store.signer,
        links: store.links,
        completes_create_only: store.completes_create_only,
        has_attributes: url.scheme() != "file",
        root: place.parts().chain(options.prefix.parts()).collect(),
        place,
        options,
    })
}

impl ObjectOptions {
    fn check(&self, url: &Url) -> Result<(), OpenArchiveError> {
        if url.scheme() == "s3" {
            return Ok(());
        }
        let what = [
            (self.storage_class.is_some(), "a storage class"),
            (self.kms_key_id.is_some(), "a KMS key"),
            (!self.tags.is_empty(), "tags on its objects"),
        ];
        match what.into_iter().find(|(is_wrong, _)| *is_wrong) {
            None => Ok(()),
            Some((_, what)) => Err(OpenArchiveError::Option {
                url: url.to_string(),
                what,
            }),
        }
    }
}

/// A store and what it can do.
struct Store {
    store: Arc<dyn ObjectStore>,
    parts: Option<Arc<dyn MultipartStore>>,
    signer: Option<Arc<dyn Signer>>,
    links: Option<Arc<dyn Signer>>,
    completes_create_only: bool,
}

impl Store {
    /// Its uploads end with the process.
    fn without_parts(store: impl ObjectStore) -> Self {
        Self {
            store: Arc::new(store),
            parts: None,
            signer: None,
            links: None,
            completes_create_only: false,
        }
    }

    /// Its uploads can be gone on with.
    fn with_parts<S: ObjectStore + MultipartStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            parts: Some(store.clone()),
            store,
            signer: None,
            links: None,
            completes_create_only: false,
        }
    }
}

/// Longest time for one request: the copy of a large object takes a store longer than usual.
const TIMEOUT: &str = "300 seconds";

/// Where the environment says how to copy without replacing, the store may not know how to complete
/// an upload without.
fn open_s3(url: &Url, options: &ObjectOptions) -> object_store::Result<Store> {
    let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let mut bucket = AmazonS3Builder::from_env().with_url(url.as_str());
    if bucket.get_config_value(&timeout).is_none() {
        bucket = bucket.with_config(timeout, TIMEOUT);
    }
    if let Some(key) = &options.kms_key_id {
        bucket = bucket.with_sse_kms_encryption(key);
    }
    let copy = AmazonS3ConfigKey::CopyIfNotExists;
    let copy = bucket.get_config_value(&copy);
    let completes_create_only = copy.is_none_or(|copy| copy == "multipart");
    if completes_create_only {
        bucket = bucket
            .with_http_connector(CreateOnly::default())
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    }
    let bucket = bucket.build()?;
    Ok(Store {
        completes_create_only,
        signer: Some(Arc::new(bucket.clone())),
        links: Some(Arc::new(bucket.clone())),
        ..Store::with_parts(bucket)
    })
}

fn open_gs(url: &Url) -> object_store::Result<Store> {
    let timeout = GoogleConfigKey::Client(ClientConfigKey::Timeout);
    let mut bucket = GoogleCloudStorageBuilder::from_env().with_url(url.as_str());
    if bucket.get_config_value(&timeout).is_none() {
        bucket = bucket.with_config(timeout, TIMEOUT);
    }
    let bucket = bucket.build()?;
    Ok(Store {
        links: Some(Arc::new(bucket.clone())),
        ..Store::with_parts(bucket)
    })
}

/// An upload that others can go on with would have no content type: `object_store` cannot give it one.
fn open_az(url: &Url) -> object_store::Result<Store> {
    let timeout = AzureConfigKey::Client(ClientConfigKey::Timeout);
    let mut container = MicrosoftAzureBuilder::from_env().with_url(url.as_str());
    if container.get_config_value(&timeout).is_none() {
        container = container.with_config(timeout, TIMEOUT);
    }
    let container = container.build()?;
    Ok(Store {
        links: Some(Arc::new(container.clone())),
        ..Store::without_parts(container)
    })
}

/// Writes are flushed to disk before they count as done: a receipt must not outlive its video.
fn open_directory(url: &Url) -> Result<LocalFileSystem, OpenArchiveError> {
    let path = url
        .to_file_path()
        .map_err(|()| OpenArchiveError::Unsupported(url.to_string()))?;
    std::fs::create_dir_all(&path).map_err(|source| OpenArchiveError::Directory {
        path: path.display().to_string(),
        source,
    })?;
    LocalFileSystem::new_with_prefix(path)
        .map(|store| store.with_fsync(true).with_automatic_cleanup(true))
        .map_err(|source| OpenArchiveError::Store {
            url: url.to_string(),
            source,
        })
}
