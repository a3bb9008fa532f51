//! Configures and builds a [`ResourceServer`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use reqwest::header::HeaderValue;

use crate::api_key::KeyVerifier;
use crate::build_error::{BuildError, Problem};
use crate::caller::Environment;
use crate::http::Http;
use crate::jwks::Jwks;
use crate::server::{AddressOf, Inner, ResourceServer};
use crate::token::TokenVerifier;

const LEEWAY_MAX: u64 = 60;
/// The shortest time between two fetches of the keys, unless it is set.
const REFETCH_INTERVAL: Duration = Duration::from_secs(5);

/// The settings of a [`ResourceServer`]. [`ResourceServer::builder`] creates one.
///
/// ```
/// use std::time::Duration;
///
/// use sealwright_resource_server::{BuildError, Builder, ResourceServer};
///
/// fn configure(builder: Builder) -> Result<ResourceServer, BuildError> {
///     builder.realm("orders").leeway(Duration::from_secs(10)).build()
/// }
/// ```
pub struct Builder {
    issuer: String,
    audience: String,
    environment: Option<Environment>,
    realm: Option<String>,
    leeway: u64,
    refetch_interval: Duration,
    api_keys: Option<(String, Secret)>,
    address_of: AddressOf,
    insecure: bool,
}

/// A secret that `Debug` does not print.
struct Secret(String);

impl Builder {
    pub(crate) fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audience,
            environment: None,
            realm: None,
            leeway: 0,
            refetch_interval: REFETCH_INTERVAL,
            api_keys: None,
            address_of: Box::new(|request| request.peer_addr().map(|peer| peer.ip())),
            insecure: false,
        }
    }

    /// Accepts API keys too and verifies each with Sealwright. `sealwright_url` is Sealwright's address; an issuer's is
    /// accepted too. `own_key` is this service's own API key, of the same environment and with the permission
    /// `sealwright.keys:verify`. Unless this is set, only tokens are accepted.
    ///
    /// ```no_run
    /// # use sealwright_resource_server::ResourceServer;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .api_keys("https://auth.example.com", std::env::var("SEALWRIGHT_API_KEY")?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn api_keys(mut self, sealwright_url: impl Into<String>, own_key: impl Into<String>) -> Self {
        self.api_keys = Some((sealwright_url.into(), Secret(own_key.into())));
        self
    }

    /// Sets the environment whose credentials are accepted. By default it is the issuer's, by the end of its URL:
    /// `/staging`, `/development`, else production.
    ///
    /// ```
    /// # use sealwright_resource_server::{Environment, ResourceServer};
    /// let builder = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .environment(Environment::Staging);
    /// ```
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Sets the name of the protected service in `WWW-Authenticate` (RFC 9110 section 11.5). The default is the
    /// audience.
    ///
    /// ```
    /// # use sealwright_resource_server::ResourceServer;
    /// let builder = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .realm("orders");
    /// ```
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Sets by how much this machine's clock may differ from the issuer's (RFC 7519 section 4.1.4). The default is
    /// zero, the maximum is one minute.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sealwright_resource_server::ResourceServer;
    /// let builder = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .leeway(Duration::from_secs(10));
    /// ```
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.as_secs().min(LEEWAY_MAX);
        self
    }

    /// Sets the shortest time between two fetches of the issuer's keys. The default is 5 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sealwright_resource_server::ResourceServer;
    /// let builder = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .refetch_interval(Duration::from_secs(30));
    /// ```
    #[must_use]
    pub fn refetch_interval(mut self, interval: Duration) -> Self {
        self.refetch_interval = interval;
        self
    }

    /// Sets how the address of a caller is found, which an API key's allowlist may restrict. The default is the peer's
    /// address, which behind a proxy is the proxy's. Trust a forwarded address only from your own proxy.
    ///
    /// ```
    /// # use sealwright_resource_server::ResourceServer;
    /// let builder = ResourceServer::builder("https://auth.example.com", "https://api.example.com")
    ///     .client_address(|request| request.headers().get("X-Real-IP")?.to_str().ok()?.parse().ok());
    /// ```
    #[must_use]
    pub fn client_address(
        mut self,
        address_of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address_of = Box::new(address_of);
        self
    }

    /// Allows plain HTTP to Sealwright on another machine. Use it only on a trusted network: anyone who can change the
    /// traffic can publish their own keys and read the service's API key.
    ///
    /// ```
    /// # use sealwright_resource_server::ResourceServer;
    /// let builder = ResourceServer::builder("http://sealwright.internal:8080", "https://api.example.com")
    ///     .allow_insecure_http();
    /// ```
    #[must_use]
    pub fn allow_insecure_http(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Builds the resource server. This sends no request: a service may start before Sealwright does.
    ///
    /// ```
    /// use sealwright_resource_server::ResourceServer;
    ///
    /// let builder = |issuer: &str| ResourceServer::builder(issuer, "https://api.example.com");
    /// assert!(builder("https://auth.example.com").build().is_ok());
    /// assert!(builder("http://auth.example.com").build().is_err());
    /// ```
    ///
    /// # Errors
    /// An address, the audience, the realm or the service's own key is invalid.
    pub fn build(self) -> Result<ResourceServer, BuildError> {
        let http = Http::new(self.insecure).map_err(Problem::Client)?;
        http.url(&self.issuer).map_err(Problem::Issuer)?;
        if self.audience.is_empty() {
            return Err(Problem::NoAudience.into());
        }
        let realm = self.realm.unwrap_or_else(|| self.audience.clone());
        if !realm.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
            return Err(Problem::Realm.into());
        }
        let environment = self.environment.unwrap_or(Environment::split(&self.issuer).1);
        let keys = match self.api_keys {
            Some((url, key)) => Some(key_verifier(http.clone(), &url, &key, environment)?),
            None => None,
        };
        let tokens = TokenVerifier {
            jwks: Arc::new(Jwks::new(http, self.issuer.clone(), self.refetch_interval)),
            issuer: self.issuer,
            audience: self.audience,
            environment,
            leeway: self.leeway.cast_signed(),
        };
        Ok(ResourceServer(Arc::new(Inner { realm: realm.into(), tokens, keys, address_of: self.address_of })))
    }
}

fn key_verifier(http: Http, url: &str, key: &Secret, environment: Environment) -> Result<KeyVerifier, Problem> {
    let url = http.url(url).map_err(Problem::Address)?;
    let (base, _) = Environment::split(url.as_str());
    let url = http.url(&format!("{base}/api/v1/keys/verify")).map_err(Problem::Address)?;
    let mut own_key = HeaderValue::from_str(&key.0).map_err(|_| Problem::OwnKey)?;
    if own_key.is_empty() {
        return Err(Problem::OwnKey);
    }
    own_key.set_sensitive(true);
    Ok(KeyVerifier { http, url, own_key, environment })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("environment", &self.environment)
            .field("api_keys", &self.api_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://auth.example";

    #[test]
    fn invalid_settings_are_refused() {
        let builder = || ResourceServer::builder(ISSUER, "orders");
        assert!(builder().api_keys(ISSUER, "sw_live_own").build().is_ok());
        for (name, wrong) in [
            ("plain HTTP", ResourceServer::builder("http://auth.example", "orders")),
            ("no URL", ResourceServer::builder("auth.example", "orders")),
            ("no audience", ResourceServer::builder(ISSUER, "")),
            ("realm", builder().realm("a\"b")),
            ("audience as realm", ResourceServer::builder(ISSUER, "öffentlich")),
            ("keys over plain HTTP", builder().api_keys("http://auth.example", "sw_live_own")),
            ("own key empty", builder().api_keys(ISSUER, "")),
            ("own key with a line break", builder().api_keys(ISSUER, "a\nb")),
        ] {
            let problem = wrong.build().unwrap_err().to_string();
            assert!(!problem.is_empty() && !problem.contains("sw_live_own"), "{name}: {problem}");
        }
    }

    #[test]
    fn the_environment_is_the_issuers() {
        let server = ResourceServer::builder("https://auth.example/staging", "orders");
        let server = server.api_keys("https://auth.example/staging", "sw_stg_own").build().unwrap();
        let keys = server.0.keys.as_ref().unwrap();
        assert_eq!(keys.environment, Environment::Staging);
        assert_eq!(keys.url.as_str(), "https://auth.example/api/v1/keys/verify");
    }

    #[test]
    fn the_own_key_is_never_printed() {
        let builder = ResourceServer::builder(ISSUER, "orders").api_keys(ISSUER, "sw_live_own");
        assert!(!format!("{builder:?}").contains("own\""), "{builder:?}");
        let server = builder.build().unwrap();
        assert!(!format!("{server:?}{:?}", server.0.keys.as_ref().unwrap().own_key).contains("sw_live"));
    }
}
