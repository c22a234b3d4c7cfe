//! A TLS proxy in front of a Temporal server, which authenticates clients as Temporal Cloud does.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::anyhow;
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http2,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
    },
};

/// How clients authenticate.
#[derive(Clone, Copy)]
pub(super) enum Authentication {
    /// With a certificate of the same authority (mTLS).
    Certificate,
    /// With this API key.
    ApiKey(&'static str),
}

/// A running proxy.
pub(super) struct TlsProxy {
    pub(super) address: SocketAddr,
    files: TempDir,
}

type ServerClient = Client<HttpConnector, Incoming>;

impl TlsProxy {
    /// Starts a proxy in front of the server at an address. Its certificate expires at the beginning of a year.
    pub(super) async fn start(
        server: &str,
        authentication: Authentication,
        expiry_year: i32,
    ) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(expiry_year, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        let config = config(&authority, certificate.der(), &key, authentication)?;

        let files = tempfile::tempdir()?;
        let client_key = KeyPair::generate()?;
        let client = CertificateParams::new(vec!["worker".to_owned()])?;
        let client = client.signed_by(&client_key, &authority)?;
        std::fs::write(files.path().join("ca.pem"), authority.pem())?;
        std::fs::write(files.path().join("client.pem"), client.pem())?;
        std::fs::write(files.path().join("client.key"), client_key.serialize_pem())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(serve(listener, acceptor, server.to_owned(), authentication));
        Ok(Self { address, files })
    }

    /// Returns the address for clients. It has the host name of the certificate.
    pub(super) fn temporal_address(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Returns the path of `ca.pem`, `client.pem` or `client.key`.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }
}

fn config(
    authority: &CertifiedIssuer<'_, KeyPair>,
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    authentication: Authentication,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = match authentication {
        Authentication::ApiKey(_) => builder.with_no_client_auth(),
        Authentication::Certificate => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| anyhow!(error))?;
    let mut config = builder.with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    server: String,
    authentication: Authentication,
) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: ServerClient = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build(connector);
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, server, client) = (acceptor.clone(), server.clone(), client.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| {
                forward(request, server.clone(), client.clone(), authentication)
            });
            let _ = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn forward(
    mut request: Request<Incoming>,
    server: String,
    client: ServerClient,
    authentication: Authentication,
) -> anyhow::Result<Response<BoxBody<Bytes, hyper::Error>>> {
    if let Authentication::ApiKey(key) = authentication {
        let header = request.headers().get("authorization");
        if header.is_none_or(|header| *header != *format!("Bearer {key}")) {
            return Ok(unauthenticated()?);
        }
    }
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("http://{server}{path}").parse()?;
    Ok(client.request(request).await?.map(BodyExt::boxed))
}

/// Returns a response with the gRPC status `UNAUTHENTICATED`.
fn unauthenticated() -> Result<Response<BoxBody<Bytes, hyper::Error>>, hyper::http::Error> {
    let body = Empty::new().map_err(|never| match never {});
    Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "16")
        .header("grpc-message", "Request unauthorized.")
        .body(body.boxed())
}
