//! Store requests that `object_store` does not support.

use anyhow::{Context, ensure};
use axum::http::Request;
use object_store::{
    aws::{AmazonS3Builder, AwsAuthorizer},
    azure::{AzureAuthorizer, MicrosoftAzureBuilder},
    client::HttpRequestBody,
    path::Path,
};
use reqwest::{Method, header::CONTENT_LENGTH};

use crate::{azurite::ACCOUNT, servers::BUCKET, store::Store};

/// Returns the tags of an object on S3, as XML.
pub(crate) async fn tags(key: &Path) -> anyhow::Result<String> {
    s3(&format!("{key}?tagging=")).await
}

/// Returns the number of incomplete uploads to a key on S3. Returns zero for other stores, which do not list
/// uploads.
pub(crate) async fn incomplete_uploads(store: Store, key: &Path) -> anyhow::Result<usize> {
    if store != Store::S3 {
        return Ok(0);
    }
    // MinIO lists uploads only by their exact key.
    let mut query = reqwest::Url::parse("query:")?;
    query.query_pairs_mut().append_pair("prefix", key.as_ref());
    let prefix = query.query().unwrap_or_default().replace('+', "%20");
    let uploads = s3(&format!("?{prefix}&uploads=")).await?;
    Ok(uploads.matches("<Upload>").count())
}

async fn s3(path: &str) -> anyhow::Result<String> {
    let server = std::env::var("AWS_ENDPOINT")?;
    let url = format!("{server}/{BUCKET}/{path}");
    let mut request = Request::get(&url).body(HttpRequestBody::empty())?;
    let bucket = AmazonS3Builder::from_env().with_bucket_name(BUCKET);
    let credential = bucket.build()?.credentials().get_credential().await?;
    let authorizer = AwsAuthorizer::new(&credential, "s3", "us-east-1");
    authorizer.try_authorize(&mut request, None)?;
    send(request).await
}

/// Sends a request to Azurite.
pub(crate) async fn azure(method: Method, url: &str) -> anyhow::Result<String> {
    let request = Request::builder().method(method).uri(url);
    let request = request.header(CONTENT_LENGTH, 0);
    let mut request = request.body(HttpRequestBody::empty())?;
    let container = MicrosoftAzureBuilder::new().with_use_emulator(true);
    let container = container.with_container_name(BUCKET).build()?;
    let credential = container.credentials().get_credential().await?;
    AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(&mut request)?;
    send(request).await
}

async fn send(request: Request<HttpRequestBody>) -> anyhow::Result<String> {
    let request = request.map(|_| reqwest::Body::default());
    let response = reqwest::Client::new().execute(request.try_into()?).await;
    let response = response.context("no response")?;
    let status = response.status();
    let text = response.text().await?;
    ensure!(status.is_success(), "HTTP {status}: {text}");
    Ok(text)
}
