//! Lists and aborts incomplete multipart uploads on S3, which `object_store` cannot list.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use object_store::{
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use reqwest::Method;
use seedance_archiver_http::{self as http, Proxy};
use seedance_archiver_proto::external;
use serde::Deserialize;

use super::Archive;
use crate::{Error, error::optional};

/// Lifetime of the signature of a list request.
const SIGNATURE_TTL: Duration = Duration::from_secs(300);

/// Environment variable with the proxy for S3. Without it, the usual variables count.
const PROXY_VARIABLE: &str = "AWS_PROXY_URL";

/// An incomplete multipart upload: one that was neither completed nor aborted.
#[derive(Clone, Debug, PartialEq)]
pub struct IncompleteUpload {
    /// Key of the object.
    pub key: Path,
    /// Time at which the upload was started.
    pub started_at: SystemTime,
    id: String,
}

impl Archive {
    /// Aborts an incomplete upload. It is no error that the upload is gone: it was completed or aborted meanwhile.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails.
    pub async fn abort_upload(&self, upload: &IncompleteUpload) -> Result<(), Error> {
        if let Some(store) = &self.resumable_uploads {
            optional(store.abort_multipart(&upload.key, &upload.id).await)?;
        }
        Ok(())
    }
}

/// Lists the incomplete uploads under a prefix. MinIO lists an upload only if the prefix is the
/// complete key.
pub(crate) async fn list_incomplete_uploads(
    signer: &dyn Signer,
    prefix: &Path,
) -> Result<Vec<IncompleteUpload>, Error> {
    let http = http_client().map_err(list_failed)?;
    let mut uploads = Vec::new();
    let mut marker = None;
    loop {
        let options = SignedUrlOptions::new().with_query(query(prefix, marker));
        let url = signer
            .signed_url_opts(Method::GET, &Path::default(), SIGNATURE_TTL, &options)
            .await?;
        let response = http.get(url).send().await.map_err(list_failed)?;
        let response = response.error_for_status().map_err(list_failed)?;
        let page = Page::parse(&response.text().await.map_err(list_failed)?)?;
        let listed = page.uploads.into_iter().filter_map(ListedUpload::parse);
        uploads.extend(listed.filter(|upload| upload.key.prefix_matches(prefix)));
        match (page.next_key, page.next_id) {
            (Some(key), Some(id)) if page.is_truncated => marker = Some((key, id)),
            _ => return Ok(uploads),
        }
    }
}

/// Returns a client that uses the same proxy as the client of the store does.
fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    let url = std::env::var(PROXY_VARIABLE).ok();
    let proxy = url.and_then(|url| Proxy::parse(&url).ok());
    http::client_through(&proxy.unwrap_or_else(Proxy::environment))
}

/// Aborts the uploads that earlier attempts started for the same key. Errors are only logged, because a
/// lifecycle rule of the bucket, or the command `clean`, aborts the remaining uploads.
pub(crate) async fn abort_incomplete_uploads(archive: &Archive, key: &Path) {
    let Some(signer) = &archive.upload_list_signer else {
        return;
    };
    let aborted = async {
        for upload in list_incomplete_uploads(signer.as_ref(), key).await? {
            archive.abort_upload(&upload).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = aborted.await {
        tracing::warn!(%error, %key, "cannot abort the uploads of earlier attempts");
    }
}

fn query(prefix: &Path, marker: Option<(String, String)>) -> Vec<(&'static str, String)> {
    let mut query = vec![("uploads", String::new()), ("prefix", prefix.to_string())];
    if let Some((key, id)) = marker {
        query.extend([("key-marker", key), ("upload-id-marker", id)]);
    }
    query
}

fn list_failed(error: reqwest::Error) -> Error {
    let error = http::describe(error);
    Error::Upload(format!("cannot list multipart uploads: {error}"))
}

/// The response `ListMultipartUploadsResult`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    is_truncated: bool,
    #[serde(rename = "NextKeyMarker")]
    next_key: Option<String>,
    #[serde(rename = "NextUploadIdMarker")]
    next_id: Option<String>,
    #[serde(default, rename = "Upload")]
    uploads: Vec<ListedUpload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedUpload {
    key: String,
    upload_id: String,
    initiated: String,
}

impl Page {
    fn parse(xml: &str) -> Result<Self, Error> {
        quick_xml::de::from_str(xml).map_err(|error| {
            Error::Upload(format!(
                "cannot parse the list of multipart uploads: {}",
                external::quote(&error.to_string())
            ))
        })
    }
}

impl ListedUpload {
    /// Converts the upload. Returns `None` if its key or time is invalid.
    fn parse(self) -> Option<IncompleteUpload> {
        let started_at: Timestamp = self.initiated.parse().ok()?;
        Some(IncompleteUpload {
            key: Path::parse(self.key).ok()?,
            started_at: started_at.try_into().ok()?,
            id: self.upload_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_the_response_of_s3() {
        let page = Page::parse(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Bucket>videos</Bucket><KeyMarker/><UploadIdMarker/>
              <NextKeyMarker>a/video.mp4</NextKeyMarker>
              <NextUploadIdMarker>two</NextUploadIdMarker>
              <MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
              <Upload><Key>a/video.mp4</Key><UploadId>one</UploadId>
                <Initiator><ID>i</ID></Initiator><StorageClass>STANDARD</StorageClass>
                <Initiated>2026-11-10T20:48:33.000Z</Initiated></Upload>
              <Upload><Key>a/video.mp4</Key><UploadId>two</UploadId>
                <Initiated>2026-11-10T20:48:34.000Z</Initiated></Upload>
            </ListMultipartUploadsResult>"#,
        )
        .unwrap();
        assert!(page.is_truncated && page.next_id.as_deref() == Some("two"));
        let uploads: Vec<_> = page
            .uploads
            .into_iter()
            .filter_map(ListedUpload::parse)
            .collect();
        assert_eq!(uploads.len(), 2);
        let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_343_713);
        assert_eq!(
            (uploads[0].id.as_str(), uploads[0].started_at),
            ("one", started_at)
        );

        let none = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
                    </ListMultipartUploadsResult>";
        assert!(Page::parse(none).unwrap().uploads.is_empty());
        assert!(Page::parse("<html>").is_err());
    }
}
