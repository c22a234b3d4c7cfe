//! Opens an archive by its URL. Credentials and other settings come from the store's usual environment variables.

use std::path::PathBuf;

use object_store::{
    ClientConfigKey,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists},
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    client::ReqwestConnector,
    gcp::{GoogleCloudStorageBuilder, GoogleConfigKey},
    local::LocalFileSystem,
    path::Path,
};
use reqwest::Url;

use super::{
    Archive, ObjectOptions,
    archive::CopyingStore,
    conditional_requests::ConditionalRequests,
    error::StoreError,
    part_requests::PartRequests,
    s3_settings::{has_endpoint_of_bucket, is_aws, lists_in_order},
};
use crate::keys::{STAGING, is_staging_in_any_case};

/// Default timeout of a request. It is long because a store copies a large object in one request.
const REQUEST_TIMEOUT: &str = "300 seconds";

/// Whether the signature of a request leaves out the body, whose digest costs as much again as that of the video. By
/// default it does only towards AWS, where TLS protects the body. Another endpoint may be a proxy that ends TLS, behind
/// which nothing but the signature shows that a byte was damaged.
const UNSIGNED_PAYLOAD: &str = "AWS_UNSIGNED_PAYLOAD";

/// Headers with which stores make a copy create-only: Amazon S3, and Cloudflare R2. They are tried if a store does not
/// support conditional completion.
const COPY_HEADERS: [&str; 2] = ["if-none-match", "cf-copy-destination-if-none-match"];

/// The reason why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenArchiveError {
    /// The URL is not an archive URL.
    #[error(
        "`{0}` is not an archive URL; use `s3://bucket/prefix`, `gs://bucket/prefix`, \
         `az://container/prefix` or `file:///path`"
    )]
    Unsupported(String),
    /// The archive would be under the prefix of staged objects.
    #[error("archive `{url}` with prefix `{prefix}`: `.staging` is reserved; use another prefix")]
    Reserved {
        /// The archive URL.
        url: String,
        /// The prefix in the URL, followed by the account's. The directory of a local archive.
        prefix: String,
    },
    /// The store does not support an option of the account.
    #[error("`{url}` does not support {option}; remove them from the account's archive options")]
    Option {
        /// The archive URL.
        url: String,
        /// The option, in the plural.
        option: &'static str,
    },
    /// Requests would go to another bucket than that of the URL.
    #[error(
        "`{url}` cannot be reached: `AWS_ENDPOINT` contains the bucket of `{own}`, and every request goes there"
    )]
    EndpointOfBucket {
        /// The archive URL.
        url: String,
        /// The URL of the archive for which the endpoint is configured.
        own: String,
    },
    /// The directory of a local archive cannot be created.
    #[error("cannot create directory `{path}`: {source}")]
    Directory {
        /// The directory.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The configuration of the store is invalid.
    #[error("cannot open archive `{url}`: {source}")]
    Store {
        /// The archive URL.
        url: String,
        /// The error of the store.
        source: StoreError,
    },
}

impl OpenArchiveError {
    fn store(url: &Url) -> impl Fn(object_store::Error) -> Self + '_ {
        |source| Self::Store {
            url: url.to_string(),
            source: source.into(),
        }
    }
}

impl Archive {
    /// Opens `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///path`. Makes no
    /// request.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL has another scheme or `.staging` in its path, the store is misconfigured, or the
    /// directory cannot be created.
    pub fn open(url: &Url) -> Result<Self, OpenArchiveError> {
        Self::open_with(url, ObjectOptions::default())
    }

    /// Opens an archive with an account's options.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open`](Self::open), and an error if the store does not support one of the options.
    pub fn open_with(url: &Url, options: ObjectOptions) -> Result<Self, OpenArchiveError> {
        check_options(url, &options)?;
        let prefix = prefix_in(url)?;
        let archive = match url.scheme() {
            "file" => open_directory(url),
            "s3" => open_s3(url, &options).map_err(OpenArchiveError::store(url)),
            "gs" => open_gs(url).map_err(OpenArchiveError::store(url)),
            "az" => open_az(url).map_err(OpenArchiveError::store(url)),
            _ => Err(OpenArchiveError::Unsupported(url.to_string())),
        };
        let archive = archive?.with_prefix(prefix, options);
        check_segments(url, archive.root.as_ref())?;
        Ok(archive)
    }

    /// Checks the prefix of an archive URL without opening the archive.
    ///
    /// # Errors
    ///
    /// Returns an error if the path of the URL cannot be a prefix, or has the reserved segment `.staging`.
    pub fn check_url(url: &Url) -> Result<(), OpenArchiveError> {
        prefix_in(url).map(drop)
    }

    /// Opens another archive with the options of this one.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open_with`](Self::open_with), and an error if the endpoint is that of the bucket of this archive,
    /// and the URL is in another one.
    pub fn at(&self, url: &Url) -> Result<Self, OpenArchiveError> {
        let has_other_bucket = url.scheme() == "s3" && url.host() != self.url().host();
        if has_other_bucket && has_endpoint_of_bucket(&AmazonS3Builder::from_env()) {
            return Err(OpenArchiveError::EndpointOfBucket {
                url: url.to_string(),
                own: self.url().to_string(),
            });
        }
        let archive = Self::open_with(url, self.options().clone())?;
        Ok(archive.sharing(self))
    }
}

/// Returns the prefix of all keys in the store of a URL. That of a local archive is empty, because its store is the
/// directory.
fn prefix_in(url: &Url) -> Result<Path, OpenArchiveError> {
    if url.scheme() == "file" {
        check_segments(url, &directory_in(url)?.to_string_lossy())?;
        return Ok(Path::default());
    }
    let prefix = Path::from_url_path(url.path())
        .map_err(|error| OpenArchiveError::store(url)(error.into()))?;
    check_segments(url, prefix.as_ref())?;
    Ok(prefix)
}

fn directory_in(url: &Url) -> Result<PathBuf, OpenArchiveError> {
    url.to_file_path()
        .map_err(|()| OpenArchiveError::Unsupported(url.to_string()))
}

/// Checks that no segment of a prefix is reserved. Videos under `.staging/` could be taken for staged objects of another
/// archive.
fn check_segments(url: &Url, prefix: &str) -> Result<(), OpenArchiveError> {
    let is_local = url.scheme() == "file";
    let is_reserved = |name: &str| name == STAGING || (is_local && is_staging_in_any_case(name));
    if !prefix.split('/').any(is_reserved) {
        return Ok(());
    }
    Err(OpenArchiveError::Reserved {
        url: url.to_string(),
        prefix: prefix.to_owned(),
    })
}

fn check_options(url: &Url, options: &ObjectOptions) -> Result<(), OpenArchiveError> {
    match options.s3_only() {
        Some(option) if url.scheme() != "s3" => Err(OpenArchiveError::Option {
            url: url.to_string(),
            option,
        }),
        _ => Ok(()),
    }
}

fn open_s3(url: &Url, options: &ObjectOptions) -> object_store::Result<Archive> {
    let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let mut bucket = AmazonS3Builder::from_env().with_url(url.as_str());
    if bucket.get_config_value(&timeout).is_none() {
        bucket = bucket.with_config(timeout, REQUEST_TIMEOUT);
    }
    if std::env::var_os(UNSIGNED_PAYLOAD).is_none() {
        let is_aws = is_aws(&bucket);
        bucket = bucket.with_unsigned_payload(is_aws);
    }
    if let Some(key) = &options.kms_key_id {
        bucket = bucket.with_sse_kms_encryption(key);
    }
    let lists_in_order = lists_in_order(&bucket);
    // Users set `AWS_COPY_IF_NOT_EXISTS` for stores that do not support conditional completion.
    let copy_mode = bucket.get_config_value(&AmazonS3ConfigKey::CopyIfNotExists);
    if copy_mode.is_some_and(|mode| mode.trim() != "multipart") {
        let bucket = bucket.with_http_connector(PartRequests::over(ConditionalRequests::default()));
        return Ok(s3_archive(url, bucket.build()?).with_order(lists_in_order));
    }
    let completing = bucket
        .clone()
        .with_http_connector(PartRequests::over(
            ConditionalRequests::with_conditional_complete(),
        ))
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    let mut archive = s3_archive(url, completing.build()?).with_conditional_complete();
    for header in COPY_HEADERS {
        let copying = bucket
            .clone()
            .with_http_connector(PartRequests::over(ConditionalRequests::default()))
            .with_copy_if_not_exists(S3CopyIfNotExists::Header(header.into(), "*".into()));
        archive = archive.with_copying_store(CopyingStore::new(header, copying.build()?));
    }
    Ok(archive.with_order(lists_in_order))
}

fn s3_archive(url: &Url, bucket: AmazonS3) -> Archive {
    Archive::with_resumable_uploads(url.clone(), bucket.clone())
        .with_signer(bucket.clone())
        .with_upload_listing(bucket)
        .with_attributes()
        .with_proof()
}

fn open_gs(url: &Url) -> object_store::Result<Archive> {
    let timeout = GoogleConfigKey::Client(ClientConfigKey::Timeout);
    let mut bucket = GoogleCloudStorageBuilder::from_env().with_url(url.as_str());
    if bucket.get_config_value(&timeout).is_none() {
        bucket = bucket.with_config(timeout, REQUEST_TIMEOUT);
    }
    let requests = PartRequests::over(ReqwestConnector::default());
    let bucket = bucket.with_http_connector(requests).build()?;
    Ok(Archive::with_resumable_uploads(url.clone(), bucket.clone())
        .with_signer(bucket)
        .with_attributes()
        .with_order(true)
        .with_proof())
}

/// Opens an Azure container. Its uploads are not resumable, because `object_store` does not set a content type on
/// resumable uploads to Azure.
fn open_az(url: &Url) -> object_store::Result<Archive> {
    let timeout = AzureConfigKey::Client(ClientConfigKey::Timeout);
    let mut container = MicrosoftAzureBuilder::from_env().with_url(url.as_str());
    if container.get_config_value(&timeout).is_none() {
        container = container.with_config(timeout, REQUEST_TIMEOUT);
    }
    let container = container.build()?;
    Ok(
        Archive::without_resumable_uploads(url.clone(), container.clone())
            .with_signer(container)
            .with_attributes()
            .with_order(true)
            .with_proof(),
    )
}

/// Opens a local archive. Flushes each write to disk, so that a receipt never survives a power failure that its
/// video does not survive.
fn open_directory(url: &Url) -> Result<Archive, OpenArchiveError> {
    let path = directory_in(url)?;
    let failed = |source| OpenArchiveError::Directory {
        path: path.display().to_string(),
        source,
    };
    std::fs::create_dir_all(&path).map_err(failed)?;
    // A symbolic link may lead into the directory of staged objects.
    let target = path.canonicalize().map_err(failed)?;
    check_segments(url, &target.to_string_lossy())?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(OpenArchiveError::store(url))?;
    let store = store.with_fsync(true).with_automatic_cleanup(true);
    Ok(Archive::without_resumable_uploads(url.clone(), store))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::permits::Urgency;

    #[tokio::test]
    async fn attempts_with_the_same_destination_share_its_limit_of_parts() {
        let own = Archive::open(&"s3://own/videos".parse().unwrap()).unwrap();
        let attempt = |prefix: &str| {
            let url = format!("s3://team/{prefix}").parse().unwrap();
            own.at(&url).unwrap().part_slots()
        };
        attempt("a").acquire(Urgency::MOST).await.refused();
        let (one, other) = (attempt("a"), attempt("b"));
        let _slot = one.acquire(Urgency::MOST).await;
        assert!(other.acquire(Urgency::MOST).now_or_never().is_none());
        let slots = own.part_slots();
        let _slot = slots.acquire(Urgency::MOST).await;
        let is_limited = slots.acquire(Urgency::MOST).now_or_never().is_none();
        assert!(!is_limited, "another bucket");
    }

    #[test]
    fn a_symbolic_link_does_not_lead_into_the_staged_objects() {
        let directory = tempfile::tempdir().unwrap();
        let staging = directory.path().join(".staging");
        std::fs::create_dir(&staging).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(staging, &link).unwrap();
        let error = Archive::open(&Url::from_directory_path(&link).unwrap()).unwrap_err();
        assert!(
            matches!(error, OpenArchiveError::Reserved { .. }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn incomplete_uploads_to_google_cloud_cannot_be_listed() {
        for (url, expected) in [
            ("s3://bucket/videos", false),
            ("gs://bucket/videos", true),
            ("file:///tmp", false),
        ] {
            let archive = Archive::open(&url.parse().unwrap()).unwrap();
            assert_eq!(archive.cannot_list_uploads(), expected, "{url}");
        }
    }

    #[test]
    fn only_s3_supports_tags() {
        let options = ObjectOptions {
            tags: [("team".to_owned(), "video".to_owned())].into(),
            ..ObjectOptions::default()
        };
        let error = Archive::open_with(&"file:///tmp".parse().unwrap(), options).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`file:///tmp` does not support object tags; \
             remove them from the account's archive options"
        );
    }
}
