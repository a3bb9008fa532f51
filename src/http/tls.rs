//! TLS by certificate and key files, read again when they change or on SIGHUP.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::TlsFiles;

/// How often the files' dates are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why the certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("TLS file {path}: {wrong}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        wrong: String,
    },
    /// The key is not the certificate's.
    #[error("TLS: {0}")]
    Rejected(String),
}

impl TlsError {
    /// Returns the setting of `files` that has to be corrected.
    pub fn setting(&self, files: &TlsFiles) -> &'static str {
        match self {
            Self::File { path, .. } if *path == files.certificate => "tls_certificate",
            Self::File { .. } | Self::Rejected(_) => "tls_key",
        }
    }
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// The server side of TLS 1.2 and 1.3 with these files, which are followed from now on.
///
/// # Errors
/// A file cannot be read, or the key is not the certificate's.
pub fn server_config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let current = Arc::new(Current(ArcSwap::from_pointee(read(files)?)));
    tokio::spawn(follow(files.clone(), Arc::clone(&current), hangups()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Rejected(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(current);
    Ok(config)
}

/// Returns what is wrong with these files; nothing, if they can be used.
pub fn check(files: &TlsFiles) -> Vec<TlsError> {
    let (chain, key) = (read_chain(files), read_key(files));
    match (chain, key) {
        (Ok(chain), Ok(key)) => certified(chain, key).err().into_iter().collect(),
        (chain, key) => chain.err().into_iter().chain(key.err()).collect(),
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    certified(read_chain(files)?, read_key(files)?)
}

type Chain = Vec<CertificateDer<'static>>;

fn read_chain(files: &TlsFiles) -> Result<Chain, TlsError> {
    let wrong = |wrong: String| TlsError::File { path: files.certificate.clone(), wrong };
    let chain = CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect);
    let chain: Chain = chain.map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() { Err(wrong("has no certificate".to_owned())) } else { Ok(chain) }
}

fn read_key(files: &TlsFiles) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| TlsError::File { path: files.key.clone(), wrong: error.to_string() })
}

fn certified(chain: Chain, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, TlsError> {
    let rejected = |error: rustls::Error| TlsError::Rejected(error.to_string());
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(rejected)?;
    certified.keys_match().map_err(rejected)?;
    Ok(certified)
}

/// A pair that cannot be used (say, while it is being replaced) is logged, and the one in use stays.
async fn follow(files: TlsFiles, current: Arc<Current>, mut hangup: Hangups) {
    let mut seen = dates(&files);
    loop {
        let asked = tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => false,
            () = hangup.next() => true,
        };
        let now = dates(&files);
        if !asked && now == seen {
            continue;
        }
        seen = now;
        match read(&files) {
            Ok(certified) => {
                current.0.store(Arc::new(certified));
                log::info!("TLS certificate read again from {}", files.certificate.display());
            }
            Err(error) => log::error!("TLS certificate not replaced: {error}"),
        }
    }
}

fn dates(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.certificate, &files.key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}

struct Hangups(Option<tokio::signal::unix::Signal>);

impl Hangups {
    async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

fn hangups() -> Hangups {
    use tokio::signal::unix::{SignalKind, signal};
    Hangups(signal(SignalKind::hangup()).inspect_err(|error| log::warn!("SIGHUP is not heard: {error}")).ok())
}
