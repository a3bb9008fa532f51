//! The decision about a request.

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

/// Says of each request whether it carries a credential that allows what it asks for.
///
/// Make one with [`ResourceServer::builder`] before the server starts and put a clone into each worker's `app_data`: the
/// clones share their keys.
#[derive(Clone)]
pub struct ResourceServer(pub(crate) Arc<Inner>);

pub(crate) type AddressOf = Box<dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync>;

pub(crate) struct Inner {
    pub(crate) realm: Arc<str>,
    pub(crate) tokens: TokenVerifier,
    pub(crate) keys: Option<KeyVerifier>,
    pub(crate) address_of: AddressOf,
}

/// What a request shows. It has no `Debug`, for it is a secret.
enum Shown<'r> {
    Token(&'r str),
    Key(&'r str),
}

impl ResourceServer {
    /// A service that accepts tokens of `issuer`, spelled as in its metadata, for `audience`, the name that the service has
    /// in them.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> Builder {
        Builder::new(issuer.into(), audience.into())
    }

    /// Who calls, if their credential is in force and covers all of `scopes`. Handlers have it by
    /// [`Authorized`](crate::Authorized); this is for what is no handler.
    ///
    /// # Errors
    /// Why the request is not to be served.
    pub async fn authorize(&self, request: &HttpRequest, scopes: &'static [&'static str]) -> Result<Caller, Refusal> {
        self.decide(request, scopes).await.map_err(|reason| Refusal::new(reason, Arc::clone(&self.0.realm)))
    }

    async fn decide(&self, request: &HttpRequest, scopes: &'static [&'static str]) -> Result<Caller, Reason> {
        let Inner { tokens, keys, address_of, .. } = &*self.0;
        let caller = match (shown(request.headers(), keys.is_some())?, keys) {
            (Shown::Token(token), _) => tokens.verify(token).await?,
            (Shown::Key(key), Some(keys)) => keys.verify(key, scopes, address_of(request), request).await?,
            (Shown::Key(_), None) => return Err(Reason::InvalidToken),
        };
        if scopes.iter().all(|scope| caller.has_scope(scope)) {
            Ok(caller)
        } else {
            Err(Reason::InsufficientScope(scopes))
        }
    }
}

/// The one credential of a request (RFC 6750 sections 2.1 and 3.1). Where API keys are not taken, `X-API-Key` is not ours to
/// read.
fn shown(headers: &HeaderMap, takes_keys: bool) -> Result<Shown<'_>, Reason> {
    let mut all = Vec::new();
    for value in headers.get_all(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| Reason::InvalidRequest)?;
        if let Some((scheme, token)) = text.split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            // A token has dots, and an API key never has: neither goes where the other belongs.
            let token = token.trim();
            all.push(if token.contains('.') { Shown::Token(token) } else { Shown::Key(token) });
        }
    }
    for value in headers.get_all(API_KEY).filter(|_| takes_keys) {
        all.push(Shown::Key(value.to_str().map_err(|_| Reason::InvalidRequest)?.trim()));
    }
    all.retain(|(Shown::Token(text) | Shown::Key(text))| !text.is_empty());
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
