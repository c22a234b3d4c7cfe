//! Completes multipart uploads to S3 with `If-None-Match: *`, which `object_store` does not support.
//!
//! The header is added after the request is signed; S3 does not require a signature of this header.

use async_trait::async_trait;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use reqwest::{
    Method,
    header::{HeaderValue, IF_NONE_MATCH},
};

/// A connector that adds `If-None-Match: *` to `CompleteMultipartUpload`, which then fails if the key exists.
#[derive(Debug, Default)]
pub(super) struct ConditionalComplete(ReqwestConnector);

impl HttpConnector for ConditionalComplete {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.connect(options)?)))
    }
}

#[derive(Debug)]
struct Service(HttpClient);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if is_complete_multipart_upload(&request) {
            let any = HeaderValue::from_static("*");
            request.headers_mut().insert(IF_NONE_MATCH, any);
        }
        self.0.execute(request).await
    }
}

fn is_complete_multipart_upload(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method() == Method::POST && query.split('&').any(|it| it.starts_with("uploadId="))
}
