//! A Temporal behind TLS, as Temporal Cloud is: it lets in whoever has a certificate or an API key.

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

/// Who is let in.
#[derive(Clone, Copy)]
pub(super) enum Wants {
    /// Whoever has a certificate of the same authority.
    Certificate,
    /// Whoever has this API key.
    ApiKey(&'static str),
}

/// The front of a server.
pub(super) struct Front {
    pub(super) address: SocketAddr,
    files: TempDir,
}

type Proxy = Client<HttpConnector, Incoming>;

impl Front {
    /// Puts TLS before this server. Its certificate was good until that year.
    pub(super) async fn of(server: &str, wants: Wants, until_year: i32) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        let config = config(&authority, certificate.der(), &key, wants)?;

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
        tokio::spawn(serve(listener, acceptor, server.to_owned(), wants));
        Ok(Self { address, files })
    }

    pub(super) fn temporal_address(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }
}

fn config(
    authority: &CertifiedIssuer<'_, KeyPair>,
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    wants: Wants,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = match wants {
        Wants::ApiKey(_) => builder.with_no_client_auth(),
        Wants::Certificate => {
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

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, server: String, wants: Wants) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let proxy: Proxy = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build(connector);
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, server, proxy) = (acceptor.clone(), server.clone(), proxy.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service =
                service_fn(move |request| pass(request, server.clone(), proxy.clone(), wants));
            let _ = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass(
    mut request: Request<Incoming>,
    server: String,
    proxy: Proxy,
    wants: Wants,
) -> anyhow::Result<Response<BoxBody<Bytes, hyper::Error>>> {
    if let Wants::ApiKey(key) = wants {
        let given = request.headers().get("authorization");
        if given.is_none_or(|it| *it != *format!("Bearer {key}")) {
            return Ok(unauthenticated()?);
        }
    }
    let path = request.uri().path().to_owned();
    *request.uri_mut() = format!("http://{server}{path}").parse()?;
    Ok(proxy.request(request).await?.map(BodyExt::boxed))
}

/// gRPC's way to say it.
fn unauthenticated() -> Result<Response<BoxBody<Bytes, hyper::Error>>, hyper::http::Error> {
    let none = Empty::new().map_err(|never| match never {});
    Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "16")
        .header("grpc-message", "Request unauthorized.")
        .body(none.boxed())
}
