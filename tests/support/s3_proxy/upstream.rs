//! The S3 server behind a proxy.

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, Method, header},
    response::Response,
};
use object_store::{
    aws::{AmazonS3Builder, AwsAuthorizer},
    client::HttpRequestBody,
};

use super::request::S3Request;

/// Headers that concern a single connection.
const HOP_BY_HOP: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];

pub(super) struct Upstream {
    url: String,
    key_id: String,
    secret: String,
    client: reqwest::Client,
}

impl Upstream {
    /// Returns the server that these environment variables name.
    pub(super) fn new(environment: &[(&str, String)]) -> Self {
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Self {
            url: value("AWS_ENDPOINT"),
            key_id: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
            client: reqwest::Client::new(),
        }
    }

    /// Returns whether there is an object at the target of a request.
    pub(super) async fn has_object(&self, target: &str) -> anyhow::Result<bool> {
        let head = S3Request {
            method: Method::HEAD,
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let response = self.forward_without(&[], &head).await?;
        Ok(response.status().is_success())
    }

    pub(super) async fn forward(&self, request: &S3Request) -> anyhow::Result<Response> {
        self.send(request, request.headers.clone()).await
    }

    /// Forwards a request without some headers, which are part of the signature.
    pub(super) async fn forward_without(
        &self,
        names: &[&str],
        request: &S3Request,
    ) -> anyhow::Result<Response> {
        let mut headers = request.headers.clone();
        for name in names {
            headers.remove(*name);
        }
        let headers = self.sign(request, headers).await?;
        self.send(request, headers).await
    }

    /// Replaces the signature in the headers of a request.
    async fn sign(&self, request: &S3Request, mut headers: HeaderMap) -> anyhow::Result<HeaderMap> {
        for name in [header::AUTHORIZATION, header::HOST] {
            headers.remove(name);
        }
        let url = format!("{}{}", self.url, request.target);
        let mut signed = Request::builder().method(&request.method).uri(url);
        if let Some(signed_headers) = signed.headers_mut() {
            *signed_headers = headers;
        }
        let mut signed = signed.body(HttpRequestBody::from(request.body.to_vec()))?;
        let bucket = AmazonS3Builder::new()
            .with_bucket_name("any")
            .with_access_key_id(&self.key_id)
            .with_secret_access_key(&self.secret)
            .build()?;
        let credential = bucket.credentials().get_credential().await?;
        let authorizer = AwsAuthorizer::new(&credential, "s3", "us-east-1");
        authorizer.try_authorize(&mut signed, None)?;
        Ok(signed.headers().clone())
    }

    /// Sends a request with these headers in place of its own.
    async fn send(&self, request: &S3Request, headers: HeaderMap) -> anyhow::Result<Response> {
        let url = format!("{}{}", self.url, request.target);
        let sent = self.client.request(request.method.clone(), url);
        let response = sent
            .headers(headers)
            .body(request.body.clone())
            .send()
            .await?;
        let mut forwarded = Response::builder().status(response.status());
        if let Some(headers) = forwarded.headers_mut() {
            *headers = response.headers().clone();
            for name in HOP_BY_HOP {
                headers.remove(name);
            }
        }
        Ok(forwarded.body(Body::from(response.bytes().await?))?)
    }
}
