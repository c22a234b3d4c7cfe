//! A certificate for 127.0.0.1, of an authority that only the benchmark's programs trust.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// The names that MinIO expects in its directory of certificates.
const CERTIFICATE: &str = "public.crt";
const PRIVATE_KEY: &str = "private.key";

#[derive(Clone)]
pub(super) struct Certificate {
    directory: PathBuf,
    authority: String,
    pub(super) server_config: Arc<ServerConfig>,
}

impl Certificate {
    /// Creates a certificate, and writes it to a new directory.
    pub(super) fn create(directory: PathBuf) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        // OpenSSL takes a certificate for self-signed if its issuer has its name.
        authority.distinguished_name = DistinguishedName::new();
        authority
            .distinguished_name
            .push(DnType::CommonName, "benchmark authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        let certificate = certificate.signed_by(&key, &authority)?;
        let this = Self {
            directory,
            authority: authority.pem(),
            server_config: Arc::new(server_config(certificate.der().clone(), &key)?),
        };
        let write = |path: PathBuf, text: String| {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        fs::create_dir_all(this.minio_directory())?;
        write(this.authority_file(), authority.pem())?;
        write(this.minio_directory().join(CERTIFICATE), certificate.pem())?;
        write(
            this.minio_directory().join(PRIVATE_KEY),
            key.serialize_pem(),
        )?;
        Ok(this)
    }

    /// Returns the file with the certificate of the authority.
    pub(super) fn authority_file(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// Returns the directory for MinIO, which takes every other file in it for an authority.
    pub(super) fn minio_directory(&self) -> PathBuf {
        self.directory.join("minio")
    }

    /// Returns a client that trusts only this certificate.
    pub(super) fn client(&self) -> anyhow::Result<reqwest::Client> {
        let authority = reqwest::Certificate::from_pem(self.authority.as_bytes())?;
        let client = reqwest::Client::builder().no_proxy();
        Ok(client.tls_certs_only([authority]).build()?)
    }

    /// Returns options of a client for object stores that trusts this certificate.
    pub(super) fn store_client(&self) -> anyhow::Result<object_store::ClientOptions> {
        let authority = object_store::Certificate::from_pem(self.authority.as_bytes())?;
        let options = object_store::ClientOptions::new().with_allow_http(true);
        Ok(options.with_root_certificate(authority))
    }
}

fn server_config(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> anyhow::Result<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    let builder = builder.with_no_client_auth();
    Ok(builder.with_single_cert(vec![certificate], key)?)
}
