//! Traces, as an OpenTelemetry collector receives them.

use std::sync::Arc;

use anyhow::{Context, ensure};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use parking_lot::Mutex;
use seedance_archiver_simulator::Script;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use super::process::WorkerProcess;
use crate::harness::{Fixture, Server, register};

/// A collector that keeps all spans.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for spans in request.into_inner().resource_spans {
            let resource = format!("{:?}", spans.resource);
            self.services.lock().push(resource);
            let scopes = spans.scope_spans.into_iter();
            self.spans
                .lock()
                .extend(scopes.flat_map(|scope| scope.spans));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn serve(&self) -> anyhow::Result<String> {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
        let address = incoming.local_addr()?;
        let service = TraceServiceServer::new(self.clone());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        Ok(format!("http://{address}"))
    }

    /// Returns the names of a span and its ancestors, up to the root.
    fn path(&self, name: &str) -> Vec<String> {
        let spans = self.spans.lock();
        let mut path = Vec::new();
        let mut next = spans.iter().find(|span| span.name == name);
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
