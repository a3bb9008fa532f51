//! The settings of the HTTP server.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::ConfigError;
use super::error::Problems;
use super::settings::Settings;
use crate::domain::caller_address::AddressHeader;
use crate::domain::network::Networks;
use crate::domain::time::Duration;

/// The HTTP server: its address, transport and limits.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address and port; port 0 selects a free one.
    pub listen: SocketAddr,
    /// Certificate and key, if the server terminates TLS.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is allowed beyond loopback and trusted proxies.
    pub allow_insecure_http: bool,
    /// Proxies whose `X-Forwarded-…` headers are trusted.
    pub trusted_proxies: Networks,
    /// The field in which they name their caller's address.
    pub client_address_header: AddressHeader,
    /// Worker threads, by default one per core.
    pub workers: usize,
    /// Most concurrent connections of all workers.
    pub max_connections: usize,
    /// Time limit to receive a request's head, and again its body.
    pub request_timeout: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a shutdown waits for requests in progress.
    pub shutdown_timeout: Duration,
    /// Whether the OpenAPI document and its reference are served.
    pub public_docs: bool,
}

/// The PEM files of a certificate chain and its key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl ServerConfig {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let tls = problems.take(tls_files(settings));
        problems.require(
            settings.workers.is_none_or(|workers| (1..=1024).contains(&workers)),
            "workers",
            "must be 1 to 1024",
        );
        let connections = settings.max_connections;
        problems.require((1..=1_000_000).contains(&connections), "max_connections", "must be 1 to 1000000");
        let listen = problems.take(
            settings
                .listen
                .parse()
                .map_err(|_| ConfigError::setting("listen", "must be an address and port such as 127.0.0.1:8080")),
        );
        let proxies = Networks::parse(settings.trusted_proxies.iter().map(String::as_str));
        let trusted_proxies = problems.take(proxies.map_err(|wrong| ConfigError::setting("trusted_proxies", wrong)));
        let header = settings.client_address_header.parse();
        let header = problems.take(header.map_err(|wrong| ConfigError::setting("client_address_header", wrong)));
        let request_timeout = problems.take(duration("request_timeout", &settings.request_timeout));
        problems.require(
            request_timeout.is_none_or(|timeout| timeout >= Duration::seconds(1)),
            "request_timeout",
            "must be at least 1s",
        );
        let keep_alive = problems.take(duration("keep_alive", &settings.keep_alive));
        let shutdown_timeout = problems.take(duration("shutdown_timeout", &settings.shutdown_timeout));
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        problems.finish(|| {
            Some(Self {
                listen: listen?,
                tls: tls?,
                allow_insecure_http: settings.allow_insecure_http,
                trusted_proxies: trusted_proxies?,
                client_address_header: header?,
                workers: settings.workers.unwrap_or_else(cores),
                max_connections: settings.max_connections,
                request_timeout: request_timeout?,
                keep_alive: keep_alive?,
                shutdown_timeout: shutdown_timeout?,
                public_docs: settings.public_docs,
            })
        })
    }
}

fn duration(name: &str, text: &str) -> Result<Duration, ConfigError> {
    text.parse().map_err(|wrong| ConfigError::setting(name, wrong))
}

fn tls_files(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate: certificate.clone(), key: key.clone() })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::setting("tls_key", "is required with tls_certificate")),
        (None, Some(_)) => Err(ConfigError::setting("tls_certificate", "is required with tls_key")),
    }
}
