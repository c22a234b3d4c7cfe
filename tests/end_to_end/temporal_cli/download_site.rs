//! The site from which the Temporal CLI is downloaded, behind an HTTPS proxy on this machine.

use std::{convert::Infallible, net::SocketAddr, path::Path, sync::Arc};

use anyhow::ensure;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

const HOST: &str = "temporal.download";
const ARCHIVE: &str = "/temporal.tar.gz";

/// How much of the archive the site sends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Sent {
    Everything,
    /// The first half, as if that were all.
    Half,
    /// The first half. The rest never comes.
    HalfAndWait,
}

/// The running site. Its archive has a program that leaves a trace.
pub(super) struct DownloadSite {
    proxy: SocketAddr,
    files: TempDir,
}

impl DownloadSite {
    pub(super) async fn start(sent: Sent) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let files = tempfile::tempdir()?;
        std::fs::write(files.path().join("ca.pem"), authority.pem())?;
        let acceptor = TlsAcceptor::from(Arc::new(tls(&authority)?));
        let archive = archive(files.path()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), archive.clone(), sent));
            }
        });
        Ok(Self { proxy, files })
    }

    /// Returns whether the program in the archive was run.
    pub(super) fn program_ran(&self) -> bool {
        self.files.path().join("trace").exists()
    }

    /// Returns the environment variables of a process that downloads from this site.
    pub(super) fn environment(&self) -> [(&'static str, String); 2] {
        let authority = self.files.path().join("ca.pem");
        [
            ("HTTPS_PROXY", format!("http://{}", self.proxy)),
            ("SSL_CERT_FILE", authority.display().to_string()),
        ]
    }
}

fn tls(authority: &CertifiedIssuer<'_, KeyPair>) -> anyhow::Result<ServerConfig> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![HOST.to_owned()])?.signed_by(&key, authority)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    Ok(builder.with_single_cert(vec![certificate.der().clone()], key)?)
}

/// Packs a program that creates the file `trace`.
async fn archive(directory: &Path) -> anyhow::Result<Bytes> {
    let script = format!("#!/bin/sh\n: >'{}/trace'\n", directory.display());
    std::fs::write(directory.join("temporal"), script)?;
    let mut tar = tokio::process::Command::new("tar");
    tar.args(["--create", "--gzip", "--mode=755", "--directory"]);
    let packed = tar.arg(directory).arg("temporal").output().await?;
    ensure!(packed.status.success(), "{packed:?}");
    Ok(packed.stdout.into())
}

/// Answers the proxy request `CONNECT temporal.download:443`, and then is that host.
async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    archive: Bytes,
    sent: Sent,
) -> anyhow::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "no request");
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let stream = acceptor.accept(stream).await?;
    let answer = |request: Request<Incoming>| {
        let body = match request.uri().path() {
            ARCHIVE => body(&archive, sent),
            _ => Full::from(description()).boxed(),
        };
        async { Ok::<_, Infallible>(Response::new(body)) }
    };
    let connection =
        http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    Ok(connection.await?)
}

/// Returns where the archive is and which file in it is the program.
fn description() -> String {
    serde_json::json!({
        "archiveUrl": format!("https://{HOST}{ARCHIVE}"),
        "fileToExtract": "temporal",
    })
    .to_string()
}

fn body(archive: &Bytes, sent: Sent) -> BoxBody<Bytes, Infallible> {
    let half = archive.slice(..archive.len() / 2);
    match sent {
        Sent::Everything => Full::from(archive.clone()).boxed(),
        Sent::Half => Full::from(half).boxed(),
        Sent::HalfAndWait => {
            let half = stream::iter([Ok(Frame::data(half))]);
            BodyExt::boxed(StreamBody::new(half.chain(stream::pending())))
        }
    }
}
