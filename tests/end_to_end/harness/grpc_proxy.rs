//! A proxy in front of a Temporal server, which treats the calls of some methods differently.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Bytes, Incoming},
    header::HeaderValue,
    server::conn::http2,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use prost::Message;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    GetSystemInfoResponse, get_system_info_response::Capabilities,
};
use tokio::net::TcpListener;

/// What happens to the calls of a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Treatment {
    /// They are rejected with `PERMISSION_DENIED`.
    Deny,
    /// They do not reach the server, and have no response.
    HoldRequest,
    /// They reach the server, but the caller gets no response.
    HoldResponse,
    /// They are only counted.
    Count,
    /// The response of `GetSystemInfo` is that of a server without Nexus.
    HideNexus,
}

/// The methods that are treated differently, by their names without the service.
pub(crate) type Rules = &'static [(&'static str, Treatment)];

/// A running proxy.
pub(crate) struct GrpcProxy {
    /// `host:port` for clients.
    pub(crate) address: String,
    treated: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Route {
    server: String,
    client: Client<HttpConnector, Incoming>,
    rules: Rules,
    treated: Arc<AtomicUsize>,
}

type Body = BoxBody<Bytes, hyper::Error>;

impl GrpcProxy {
    /// Starts a proxy in front of the server at an address.
    pub(crate) async fn start(server: &str, rules: Rules) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let route = Route {
            server: server.to_owned(),
            client: Client::builder(TokioExecutor::new())
                .http2_only(true)
                .build(connector),
            rules,
            treated: Arc::default(),
        };
        let treated = route.treated.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let route = route.clone();
                let service = service_fn(move |request| route.clone().serve(request));
                let connection = http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(Self { address, treated })
    }

    /// Returns how many calls were treated differently so far. One whose response is held counts once the server has
    /// responded.
    pub(crate) fn treated(&self) -> usize {
        self.treated.load(Ordering::Relaxed)
    }
}

impl Route {
    async fn serve(self, mut request: Request<Incoming>) -> anyhow::Result<Response<Body>> {
        let path = request.uri().path().to_owned();
        let method = path.rsplit('/').next().unwrap_or_default();
        let rule = self.rules.iter().find(|(name, _)| *name == method);
        let treatment = rule.map(|(_, treatment)| *treatment);
        *request.uri_mut() = format!("http://{}{path}", self.server).parse()?;
        match treatment {
            None => self.forward(request).await,
            Some(Treatment::Count) => {
                self.count();
                self.forward(request).await
            }
            Some(Treatment::Deny) => {
                self.count();
                Ok(denied()?)
            }
            Some(Treatment::HoldRequest) => {
                self.count();
                pending().await
            }
            Some(Treatment::HoldResponse) => {
                let _response = self.forward(request).await?;
                self.count();
                pending().await
            }
            Some(Treatment::HideNexus) => {
                self.count();
                Ok(without_nexus()?)
            }
        }
    }

    async fn forward(&self, request: Request<Incoming>) -> anyhow::Result<Response<Body>> {
        let response = self.client.request(request).await?;
        Ok(response.map(BodyExt::boxed))
    }

    fn count(&self) {
        self.treated.fetch_add(1, Ordering::Relaxed);
    }
}

fn denied() -> Result<Response<Body>, hyper::http::Error> {
    Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "7")
        .header("grpc-message", "Request unauthorized.")
        .body(full(Bytes::new(), None))
}

/// Returns the response of `GetSystemInfo` of a server without Nexus.
fn without_nexus() -> Result<Response<Body>, hyper::http::Error> {
    let info = GetSystemInfoResponse {
        server_version: "1.24.0".to_owned(),
        capabilities: Some(Capabilities {
            signal_and_query_header: true,
            internal_error_differentiation: true,
            activity_failure_include_heartbeat: true,
            supports_schedules: true,
            encoded_failure_attributes: true,
            build_id_based_versioning: true,
            upsert_memo: true,
            eager_workflow_start: true,
            sdk_metadata: true,
            count_group_by_execution_status: true,
            ..Capabilities::default()
        }),
    };
    let message = info.encode_to_vec();
    // Not compressed, and its length.
    let mut body = vec![0];
    body.extend((message.len() as u32).to_be_bytes());
    body.extend(message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    Response::builder()
        .header("content-type", "application/grpc")
        .body(full(body.into(), Some(trailers)))
}

fn full(bytes: Bytes, trailers: Option<HeaderMap>) -> Body {
    Full::new(bytes)
        .with_trailers(std::future::ready(trailers.map(Ok)))
        .map_err(|never| match never {})
        .boxed()
}
