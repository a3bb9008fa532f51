//! How HTTP is served.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::ConfigError;
use super::settings::Settings;
use crate::domain::network::Networks;
use crate::domain::time::Duration;

/// Listening, transport, and bounds.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key, where TLS ends here.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is served beyond loopback and trusted proxies.
    pub allow_insecure_http: bool,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Networks,
    /// Worker threads; one for each core if `None`.
    pub workers: usize,
    /// Connections at once, over all workers.
    pub max_connections: usize,
    /// For receiving a request's head, and again for its body.
    pub request_timeout: Duration,
    /// How long an idle connection is kept.
    pub keep_alive: Duration,
    /// How long a stop waits for requests that are under way.
    pub shutdown_timeout: Duration,
    /// Whether the OpenAPI document and its reference are served to anybody, or to nobody.
    pub public_docs: bool,
}

/// A certificate chain and its key, both PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl ServerConfig {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let duration = |name, text: &str| text.parse::<Duration>().map_err(|wrong| ConfigError::setting(name, wrong));
        let tls = match (&settings.tls_certificate, &settings.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate: certificate.clone(), key: key.clone() }),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::setting("tls_key", "is missing beside tls_certificate")),
            (None, Some(_)) => return Err(ConfigError::setting("tls_certificate", "is missing beside tls_key")),
        };
        if settings.workers.is_some_and(|workers| !(1..=1024).contains(&workers)) {
            return Err(ConfigError::setting("workers", "must be 1 to 1024"));
        }
        if !(1..=1_000_000).contains(&settings.max_connections) {
            return Err(ConfigError::setting("max_connections", "must be 1 to 1000000"));
        }
        let request_timeout = duration("request_timeout", &settings.request_timeout)?;
        if request_timeout < Duration::seconds(1) {
            return Err(ConfigError::setting("request_timeout", "must be at least 1s"));
        }
        Ok(Self {
            listen: settings
                .listen
                .parse()
                .map_err(|_| ConfigError::setting("listen", "must be an address and port such as 127.0.0.1:8080"))?,
            tls,
            allow_insecure_http: settings.allow_insecure_http,
            trusted_proxies: Networks::parse(settings.trusted_proxies.iter().map(String::as_str))
                .map_err(|wrong| ConfigError::setting("trusted_proxies", wrong))?,
            workers: settings.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            max_connections: settings.max_connections,
            request_timeout,
            keep_alive: duration("keep_alive", &settings.keep_alive)?,
            shutdown_timeout: duration("shutdown_timeout", &settings.shutdown_timeout)?,
            public_docs: settings.public_docs,
        })
    }
}
