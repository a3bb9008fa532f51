//! How a [`ResourceServer`] is made.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use reqwest::header::HeaderValue;

use crate::api_key::KeyVerifier;
use crate::caller::Environment;
use crate::http::{Http, UrlError};
use crate::jwks::Jwks;
use crate::server::{AddressOf, Inner, ResourceServer};
use crate::token::TokenVerifier;

const LEEWAY_MAX: u64 = 60;
/// How long the issuer is left alone after it was asked for its keys, unless chosen.
const REFETCH_INTERVAL: Duration = Duration::from_secs(5);

/// Why a [`ResourceServer`] cannot be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(#[from] Problem);

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("the issuer: {0}")]
    Issuer(UrlError),
    #[error("Sealwright's address: {0}")]
    Address(UrlError),
    #[error("the audience is empty")]
    NoAudience,
    #[error("the realm has a quotation mark, a backslash, or what is no visible ASCII")]
    Realm,
    #[error("the service's own API key is empty or no header's value")]
    OwnKey,
    #[error("the HTTP client: {0}")]
    Client(reqwest::Error),
}

/// The settings of a [`ResourceServer`].
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

/// A text that is never printed.
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

    /// Takes API keys, too, and asks Sealwright about each. `sealwright_url` is its address (an issuer's will do), and
    /// `own_key` this service's own API key, of the same environment, with the permission `sealwright.keys:verify`.
    #[must_use]
    pub fn api_keys(mut self, sealwright_url: impl Into<String>, own_key: impl Into<String>) -> Self {
        self.api_keys = Some((sealwright_url.into(), Secret(own_key.into())));
        self
    }

    /// The environment whose credentials are accepted. Unless chosen it is what the issuer ends in, `/staging` or
    /// `/development`, else production.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// The name of what is protected, in challenges (RFC 9110 section 11.5); the audience unless chosen.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// By how much this machine's clock may differ from the issuer's; nothing unless chosen, and at most a minute (RFC 7519
    /// section 4.1.4).
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.as_secs().min(LEEWAY_MAX);
        self
    }

    /// How long the issuer is left alone after it was asked for its keys, whatever comes; 5 s unless chosen.
    #[must_use]
    pub fn refetch_interval(mut self, interval: Duration) -> Self {
        self.refetch_interval = interval;
        self
    }

    /// How the address of a caller is found, which API keys may be bound to. Unless chosen it is the peer's, which behind a
    /// proxy is the proxy's: believe a forwarded address only from a proxy of yours.
    #[must_use]
    pub fn client_address(
        mut self,
        address_of: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address_of = Box::new(address_of);
        self
    }

    /// Lets plain HTTP lead to Sealwright beyond this machine. Only where nobody can change what is on the way: he could
    /// hand out keys of his own, and read the service's.
    #[must_use]
    pub fn allow_insecure_http(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// The resource server. Nothing is asked yet: a service may start before Sealwright does.
    ///
    /// # Errors
    /// An address, the audience, the realm or the service's own key cannot be right.
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
    fn what_cannot_be_right_is_no_resource_server() {
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
            ("own key with a line", builder().api_keys(ISSUER, "a\nb")),
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
