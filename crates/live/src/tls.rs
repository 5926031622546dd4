//! TLS: the certificate and its key, and the side of a connection that answers.

use crate::bad_usage;
use anyhow::{Context, Result, anyhow};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What answers over TLS.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate itself: its names are ours.
    pub(crate) certificate: CertificateDer<'static>,
}

impl Tls {
    /// Reads a chain of certificates and its key, both as PEM.
    ///
    /// # Errors
    /// Where a file cannot be read ([`crate::BadUsage`]), or what is in them is no certificate and its key.
    pub(crate) fn read(certificates: &Path, key: &Path) -> Result<Tls> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|error| bad_usage(format!("reading {}: {error}", file.display())))
        };
        let (chain, secret) = (read(certificates)?, read(key)?);
        let chain = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{}: expected certificates as PEM", certificates.display()))?;
        let certificate = chain
            .first()
            .cloned()
            .ok_or_else(|| anyhow!("{}: found no certificate, expected at least one as PEM", certificates.display()))?;
        let secret = PrivateKeyDer::from_pem_slice(&secret)
            .with_context(|| format!("{}: expected a private key as PEM", key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("the versions of TLS")?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .with_context(|| {
                format!("{} and {}: expected a certificate and its key", certificates.display(), key.display())
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }
}
