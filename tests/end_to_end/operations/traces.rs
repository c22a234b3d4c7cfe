//! Traces, as an OpenTelemetry collector receives them.

use std::sync::Arc;

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    HeaderMap, Request, Response,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use parking_lot::Mutex;
use prost::Message;
use seedance_archiver_simulator::Script;
use tokio::net::TcpListener;

use super::process::WorkerProcess;
use crate::harness::{
    Fixture, Server, register,
    tls_proxy::{Authentication, TlsProxy},
};

/// Size of a gRPC message's header: a flag for compression and the length of the message.
const GRPC_HEADER: usize = 5;

/// A collector that keeps all spans.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    /// Starts to serve gRPC, and returns the URL.
    async fn serve(&self) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let collector = self.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let collector = collector.clone();
                let export = service_fn(move |request| collector.clone().export(request));
                let server = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(connection), export));
            }
        });
        Ok(format!("http://{address}"))
    }

    /// Handles a call of the only method of the service: `Export`.
    async fn export(
        self,
        request: Request<Incoming>,
    ) -> anyhow::Result<Response<BoxBody<Bytes, std::convert::Infallible>>> {
        let body = request.into_body().collect().await?.to_bytes();
        let message = body.get(GRPC_HEADER..).context("no gRPC message")?;
        for spans in ExportTraceServiceRequest::decode(message)?.resource_spans {
            let resource = format!("{:?}", spans.resource);
            self.services.lock().push(resource);
            let scopes = spans.scope_spans.into_iter();
            self.spans
                .lock()
                .extend(scopes.flat_map(|scope| scope.spans));
        }
        // An empty message.
        let message = Full::new(Bytes::from_static(&[0; GRPC_HEADER]));
        let trailers = async {
            let status = ("grpc-status".parse().ok()?, HeaderValue::from_static("0"));
            Some(Ok(HeaderMap::from_iter([status])))
        };
        let grpc = HeaderValue::from_static("application/grpc");
        let mut response = Response::new(message.with_trailers(trailers).boxed());
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        Ok(response)
    }

    /// Returns the names of a span and its ancestors, up to the root. The checks at the start of a worker have spans
    /// without a parent.
    fn path(&self, name: &str) -> Vec<String> {
        let spans = self.spans.lock();
        let mut path = Vec::new();
        let mut next = spans
            .iter()
            .find(|span| span.name == name && !span.parent_span_id.is_empty());
        while let Some(span) = next {
            path.push(span.name.clone());
            next = spans.iter().find(|it| it.span_id == span.parent_span_id);
        }
        path
    }
}

async fn spans_lead_from_the_workflow_to_the_store(server: Arc<Server>) -> anyhow::Result<()> {
    let collector = Collector::default();
    let endpoint = collector.serve().await?;
    let fixture = Fixture::new(&server).await?;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    let id = fixture.simulator.create(Script {
        bytes: Some(6_000_000),
        ..Script::default()
    });
    let result = fixture
        .start_lifecycle(&server, &id)
        .await?
        .result()
        .await?;
    ensure!(result.outcome == "archived", "{result:?}");
    // The worker exports the remaining spans when it stops.
    worker.stop().await?;

    for (name, activity) in [
        ("task API", "RunActivity:QueryVideoTask"),
        ("video host", "RunActivity:ArchiveVideo"),
        ("store put", "RunActivity:ArchiveVideo"),
        ("store put part", "RunActivity:ArchiveVideo"),
    ] {
        let path = collector.path(name);
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        ensure!(path.get(1) == Some(&activity), "{name} is under {path:?}");
        let root = path.last().context("no root")?;
        ensure!(
            root.contains("VideoTaskLifecycle"),
            "{name} is under {path:?}"
        );
    }
    let services = collector.services.lock().join("\n");
    ensure!(services.contains("seedance-archiver"), "{services}");
    let spans = format!("{:?}", collector.spans.lock());
    for secret in [fixture.simulator.api_key(), "Signature", "X-Tos"] {
        ensure!(!spans.contains(secret), "{secret} is in a span");
    }
    Ok(())
}
register!(spans_lead_from_the_workflow_to_the_store);

/// The collector of a vendor: its certificate is by an authority that the system trusts, and clients need a key.
async fn a_collector_behind_tls_receives_spans(server: Arc<Server>) -> anyhow::Result<()> {
    let collector = Collector::default();
    let url = collector.serve().await?;
    let address = url.trim_start_matches("http://");
    let key = Authentication::ApiKeys(&["collector-key"]);
    let proxy = TlsProxy::start(address, key, 2200).await?;
    let endpoint = format!("https://{}", proxy.temporal_address());
    let authority = proxy.file("ca.pem").display().to_string();
    let mut variables = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("SSL_CERT_FILE", authority.as_str()),
    ];
    let fixture = Fixture::new(&server).await?;
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    let failure = worker.wait_for_log("cannot export traces").await?;
    let error = failure["error"].as_str().unwrap_or_default();
    ensure!(error.contains("Unauthenticated"), "{failure}");
    worker.stop().await?;
    ensure!(collector.spans.lock().is_empty(), "the key is not needed");

    let header = "authorization=Bearer%20collector-key";
    variables.push(("OTEL_EXPORTER_OTLP_HEADERS", header));
    let mut worker = WorkerProcess::start(&fixture, &server, &variables)?;
    worker.wait_for_log("polling").await?;
    worker.stop().await?;
    let log = worker.log().join("\n");
    ensure!(!collector.spans.lock().is_empty(), "{log}");
    ensure!(!log.contains("cannot export traces"), "{log}");
    Ok(())
}
register!(a_collector_behind_tls_receives_spans);
