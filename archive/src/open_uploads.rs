//! Uploads to a bucket of S3 that were neither completed nor aborted, which `object_store` cannot list.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use object_store::{
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use reqwest::Method;
use serde::Deserialize;

use seedance_archiver_http as http;

use super::{Archive, Error};

/// How long a request may be on its way.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// An upload that was begun and not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenUpload {
    /// Key of the object that it would have become.
    pub key: Path,
    /// When it was begun.
    pub begun: SystemTime,
    pub(super) id: String,
}

/// Those under a prefix, as far as the store tells: MinIO tells them only of a whole key.
pub(super) async fn list(signer: &dyn Signer, prefix: &Path) -> Result<Vec<OpenUpload>, Error> {
    let http = http::client().map_err(unlisted)?;
    let mut uploads = Vec::new();
    let mut after = None;
    loop {
        let options = SignedUrlOptions::new().with_query(query(prefix, after));
        let url = signer
            .signed_url_opts(Method::GET, &Path::default(), SIGNED_FOR, &options)
            .await?;
        let answer = http.get(url).send().await.map_err(unlisted)?;
        let answer = answer.error_for_status().map_err(unlisted)?;
        let page = Page::read(&answer.text().await.map_err(unlisted)?)?;
        let listed = page.uploads.into_iter().filter_map(Listed::upload);
        uploads.extend(listed.filter(|upload| upload.key.prefix_matches(prefix)));
        match (page.next_key, page.next_id) {
            (Some(key), Some(id)) if page.is_truncated => after = Some((key, id)),
            _ => return Ok(uploads),
        }
    }
}

/// Aborts what dead attempts have begun under the key of this one. Where that cannot be done, a rule of
/// the bucket does it, or `clean`.
pub(super) async fn abort_others(archive: &Archive, key: &Path) {
    let (Some(signer), Some(store)) = (&archive.signer, &archive.parts) else {
        return;
    };
    let aborted = async {
        for upload in list(signer.as_ref(), key).await? {
            store.abort_multipart(&upload.key, &upload.id).await?;
        }
        Ok::<_, Error>(())
    };
    if let Err(fault) = aborted.await {
        tracing::warn!(%fault, %key, "an upload that nobody goes on with may stay");
    }
}

fn query(prefix: &Path, after: Option<(String, String)>) -> Vec<(&'static str, String)> {
    let mut query = vec![("uploads", String::new()), ("prefix", prefix.to_string())];
    if let Some((key, id)) = after {
        query.extend([("key-marker", key), ("upload-id-marker", id)]);
    }
    query
}

fn unlisted(error: reqwest::Error) -> Error {
    Error::Upload(format!("cannot be listed: {}", http::describe(error)))
}

/// `ListMultipartUploadsResult`.
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
    uploads: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
    upload_id: String,
    initiated: String,
}

impl Page {
    fn read(xml: &str) -> Result<Self, Error> {
        quick_xml::de::from_str(xml)
            .map_err(|error| Error::Upload(format!("the list cannot be read: {error}")))
    }
}

impl Listed {
    /// `None`: nothing that this software has begun.
    fn upload(self) -> Option<OpenUpload> {
        let begun: Timestamp = self.initiated.parse().ok()?;
        Some(OpenUpload {
            key: Path::parse(self.key).ok()?,
            begun: begun.try_into().ok()?,
            id: self.upload_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_s3_answers() {
        let page = Page::read(
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
            .filter_map(Listed::upload)
            .collect();
        assert_eq!(uploads.len(), 2);
        let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(1_794_343_713);
        assert_eq!((uploads[0].id.as_str(), uploads[0].begun), ("one", begun));

        let none = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
                    </ListMultipartUploadsResult>";
        assert!(Page::read(none).unwrap().uploads.is_empty());
        assert!(Page::read("<html>").is_err());
    }
}
