//! Authorizes requests.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use crate::api_key::{API_KEY, KeyVerifier};
use crate::builder::Builder;
use crate::caller::Caller;
use crate::refusal::{Reason, Refusal};
use crate::token::TokenVerifier;

/// Authorizes the requests of a service.
///
/// Build one with [`ResourceServer::builder`] before the HTTP server starts and put a clone into each worker's
/// `app_data`. Clones share the cached keys.
///
/// ```no_run
/// use actix_web::{App, HttpServer};
/// use sealwright_resource_server::ResourceServer;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = ResourceServer::builder("https://auth.example.com", "https://api.example.com").build()?;
/// HttpServer::new(move || App::new().app_data(server.clone())).bind("127.0.0.1:8000")?.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResourceServer(pub(crate) Arc<Inner>);

pub(crate) type AddressOf = Box<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

pub(crate) struct Inner {
    pub(crate) realm: Arc<str>,
    pub(crate) tokens: TokenVerifier,
    pub(crate) keys: Option<KeyVerifier>,
    pub(crate) address_of: AddressOf,
}

/// The credential of a request. It has no `Debug`, because it is a secret.
enum Credential<'r> {
    Token(&'r str),
    Key(&'r str),
}

impl ResourceServer {
    /// Starts to configure a service that accepts tokens of `issuer` for `audience`. The issuer must be spelled as in
    /// its metadata; the audience is the name of the service in the `aud` of tokens.
    ///
    /// ```
    /// use sealwright_resource_server::ResourceServer;
    ///
    /// # fn main() -> Result<(), sealwright_resource_server::BuildError> {
    /// let server = ResourceServer::builder("https://auth.example.com", "https://api.example.com").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> Builder {
        Builder::new(issuer.into(), audience.into())
    }

    /// Authorizes a request: returns the caller if the credential is valid and covers all of `scopes`. Handlers use
    /// [`Authorized`](crate::Authorized) instead; call this from middleware, for example.
    ///
    /// ```
    /// use actix_web::test::TestRequest;
    /// use sealwright_resource_server::{Reason, ResourceServer};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = ResourceServer::builder("https://auth.example.com", "https://api.example.com").build()?;
    /// let request = TestRequest::get().uri("/orders").to_http_request();
    /// let refusal = server.authorize(&request, &["orders:read"]).await.unwrap_err();
    /// assert_eq!(refusal.reason(), Reason::NoCredential);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The request has no valid credential, the credential lacks a scope, or Sealwright cannot be reached.
    pub async fn authorize(&self, request: &HttpRequest, scopes: &'static [&'static str]) -> Result<Caller, Refusal> {
        self.decide(request, scopes).await.map_err(|reason| Refusal::new(reason, Arc::clone(&self.0.realm)))
    }

    async fn decide(&self, request: &HttpRequest, scopes: &'static [&'static str]) -> Result<Caller, Reason> {
        let Inner { tokens, keys, address_of, .. } = &*self.0;
        let caller = match (extract_credential(request.headers(), keys.is_some())?, keys) {
            (Credential::Token(token), _) => tokens.verify(token).await?,
            (Credential::Key(key), Some(keys)) => keys.verify(key, scopes, address_of(request), request).await?,
            (Credential::Key(_), None) => return Err(Reason::InvalidToken),
        };
        if scopes.iter().all(|scope| caller.has_scope(scope)) {
            Ok(caller)
        } else {
            Err(Reason::InsufficientScope(scopes))
        }
    }
}

/// Extracts the one credential of a request (RFC 6750 sections 2.1 and 3.1). Where API keys are not accepted,
/// `X-API-Key` is ignored: it may be another system's.
fn extract_credential(headers: &HeaderMap, accepts_keys: bool) -> Result<Credential<'_>, Reason> {
    let mut all = Vec::new();
    for value in headers.get_all(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Reason::InvalidRequest)?;
        if let Some((scheme, token)) = text.split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            // A token has dots and an API key has none, so neither is sent to the wrong verifier.
            let token = token.trim();
            all.push(if token.contains('.') { Credential::Token(token) } else { Credential::Key(token) });
        }
    }
    for value in headers.get_all(API_KEY).filter(|_| accepts_keys) {
        all.push(Credential::Key(value.to_str().map_err(|_| Reason::InvalidRequest)?.trim()));
    }
    all.retain(|(Credential::Token(text) | Credential::Key(text))| !text.is_empty());
    match (all.pop(), all.is_empty()) {
        (None, _) => Err(Reason::NoCredential),
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(Reason::InvalidRequest),
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TokenVerifier { issuer, audience, environment, .. } = &self.0.tokens;
        f.debug_struct("ResourceServer")
            .field("issuer", issuer)
            .field("audience", audience)
            .field("environment", environment)
            .field("api_keys", &self.0.keys.is_some())
            .finish_non_exhaustive()
    }
}
