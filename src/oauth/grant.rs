//! The client credentials grant (RFC 6749 §4.4) through oxide-auth's state machine.
//!
//! oxide-auth decides the order of the steps. This module decides what it leaves open: credentials are read and checked
//! before ([`super::client_authentication`]), malformed scopes differ from malformed requests, a scope beyond the
//! client's is `invalid_scope`, and lifetime and audience are those of the client.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output, Request};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::issuer::{IssuedToken, Issuer, RefreshedToken, TokenType};
use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};

use super::error::OAuthError;
use super::form::Form;
use crate::domain::audience::{AUDIENCES_MAX, Audience, EnvironmentAudiences};
use crate::domain::credential::Client;
use crate::domain::customer::Tenant;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::domain::token::{AudClaim, Claims, CustomersClaim};

/// oxide-auth binds a client to a redirect URI. This grant has none; this one is never followed.
static NO_REDIRECT: LazyLock<Option<RegisteredUrl>> = LazyLock::new(|| {
    ExactUrl::new("urn:ietf:wg:oauth:2.0:oob".to_owned()).ok().map(|url| RegisteredUrl::Semantic(url.to_url()))
});

/// The parameters of a token request, without the client's credentials.
#[derive(Debug, Default)]
pub struct TokenParameters {
    /// The requested scopes; `None` for the client's default.
    scopes: Option<Scopes>,
    /// The requested audiences; empty for the client's first.
    audiences: Vec<Audience>,
}

impl TokenParameters {
    /// Reads grant type, scopes and audiences from the form.
    ///
    /// # Errors
    /// `invalid_request` without a grant type, `unsupported_grant_type` for another one (case-sensitive),
    /// `invalid_scope`, `invalid_target`.
    pub fn from_form(form: &Form<'_>) -> Result<Self, OAuthError> {
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(OAuthError::UnsupportedGrantType),
            None => return Err(OAuthError::InvalidRequest("grant_type is missing.")),
        }
        let scopes = form.get("scope").map(str::parse).transpose().map_err(|_| OAuthError::InvalidScope)?;
        let resources = form.all("resource").map(Audience::from_resource);
        let audiences = form.all("audience").map(str::parse);
        let audiences: Vec<Audience> =
            resources.chain(audiences).collect::<Result<_, _>>().map_err(|_| OAuthError::InvalidTarget)?;
        if audiences.len() > AUDIENCES_MAX {
            return Err(OAuthError::InvalidTarget);
        }
        Ok(Self { scopes, audiences })
    }
}

/// A token request of an authenticated client; also the client's entry in oxide-auth's registry.
pub struct AuthenticatedRequest<'r> {
    parameters: &'r TokenParameters,
    client: Client<'r>,
    ceiling: Option<&'r Scopes>,
    secret: &'r str,
    /// The negotiated scopes, which oxide-auth carries as text.
    granted: OnceCell<Scopes>,
}

impl<'r> AuthenticatedRequest<'r> {
    /// Creates a request for `parameters` by `client`, which `secret` authenticated. `ceiling` is what the owner's role
    /// allows.
    pub const fn new(
        parameters: &'r TokenParameters,
        client: Client<'r>,
        ceiling: Option<&'r Scopes>,
        secret: &'r str,
    ) -> Self {
        Self { parameters, client, ceiling, secret, granted: OnceCell::new() }
    }

    /// Returns the client that sent the request.
    pub const fn client(&self) -> Client<'r> {
        self.client
    }

    fn client_id(&self) -> &str {
        self.client.credential.id.as_str()
    }
}

impl Request for AuthenticatedRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id()), Cow::Borrowed(self.secret.as_bytes())))
    }

    /// Returns `None`: the scope was parsed before, and `negotiate` uses it.
    fn scope(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("client_credentials"))
    }

    /// Returns `None`: credentials in the body were read before, and `authorization` returns them.
    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The only client of a request, as oxide-auth's registrar.
impl Registrar for AuthenticatedRequest<'_> {
    fn bound_redirect<'a>(&self, bound: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        match &*NO_REDIRECT {
            Some(redirect) if bound.client_id == self.client_id() => {
                Ok(BoundClient { client_id: bound.client_id, redirect_uri: Cow::Borrowed(redirect) })
            }
            _ => Err(RegistrarError::Unspecified),
        }
    }

    fn negotiate(
        &self,
        client: BoundClient<'_>,
        _scope: Option<oxide_auth::primitives::scope::Scope>,
    ) -> Result<PreGrant, RegistrarError> {
        let scopes = self
            .client
            .negotiate_scope(self.parameters.scopes.as_ref(), self.ceiling)
            .map_err(|_| RegistrarError::Unspecified)?;
        let scope = scopes.as_str().parse().map_err(|_| RegistrarError::PrimitiveError)?;
        self.granted.set(scopes).map_err(|_| RegistrarError::PrimitiveError)?;
        Ok(PreGrant { client_id: client.client_id.into_owned(), redirect_uri: client.redirect_uri.into_owned(), scope })
    }

    fn check(&self, client_id: &str, passphrase: Option<&[u8]>) -> Result<(), RegistrarError> {
        let is_authenticated = client_id == self.client_id() && passphrase == Some(self.secret.as_bytes());
        if is_authenticated { Ok(()) } else { Err(RegistrarError::Unspecified) }
    }
}

/// Signs grants as RFC 9068 access tokens, as oxide-auth's issuer.
pub struct JwtIssuer<'i, Sign> {
    /// The environment's issuer identifier.
    pub issuer: &'i str,
    /// The environment's name.
    pub environment: &'static str,
    /// The customers that the client serves; none if it is tied to none.
    pub customers: &'i [Arc<Tenant>],
    /// When the token is issued.
    pub issued_at: Timestamp,
    /// The token's id.
    pub jti: &'i str,
    /// Signs claims; returns `None` if that fails.
    pub sign: Sign,
}

/// A [`JwtIssuer`] for one grant.
struct GrantIssuer<'i, Sign> {
    issuer: &'i JwtIssuer<'i, Sign>,
    audiences: &'i [Audience],
    scope: &'i str,
}

impl<Sign: Fn(&Claims<'_>) -> Option<String>> Issuer for GrantIssuer<'_, Sign> {
    fn issue(&mut self, grant: Grant) -> Result<IssuedToken, ()> {
        let token = (self.issuer.sign)(&Claims {
            iss: self.issuer.issuer,
            aud: AudClaim(self.audiences),
            sub: &grant.owner_id,
            client_id: &grant.client_id,
            exp: grant.until.timestamp(),
            iat: self.issuer.issued_at.seconds(),
            jti: self.issuer.jti,
            scope: self.scope,
            environment: self.issuer.environment,
            customers: CustomersClaim(self.issuer.customers),
        })
        .ok_or(())?;
        Ok(IssuedToken { token, refresh: None, until: grant.until, token_type: TokenType::Bearer })
    }

    /// Fails: this grant has no refresh tokens (RFC 6749 §4.4.3).
    fn refresh(&mut self, _refresh: &str, _grant: Grant) -> Result<RefreshedToken, ()> {
        Err(())
    }

    /// Returns `None`: tokens are self-contained and not stored.
    fn recover_token<'a>(&'a self, _token: &'a str) -> Result<Option<Grant>, ()> {
        Ok(None)
    }

    fn recover_refresh<'a>(&'a self, _token: &'a str) -> Result<Option<Grant>, ()> {
        Ok(None)
    }
}

/// An issued token, with the fields of its response.
#[derive(Debug)]
pub struct IssuedAccessToken {
    /// The signed token.
    pub access_token: AccessToken,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The granted scope.
    pub scope: Scopes,
}

/// A signed token; blank in `Debug`.
pub struct AccessToken(pub String);

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessToken")
    }
}

/// Runs the grant for an authenticated request: bind, audience, scope, issue.
///
/// # Errors
/// `invalid_scope`, `invalid_target`, or `server_error` if signing fails.
pub fn run<Sign: Fn(&Claims<'_>) -> Option<String>>(
    request: &AuthenticatedRequest<'_>,
    environment: &EnvironmentAudiences,
    issuer: &JwtIssuer<'_, Sign>,
) -> Result<IssuedAccessToken, OAuthError> {
    let mut audiences = Vec::new();
    let mut machine = ClientCredentials::new(request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { client, passdata } => {
                request.check(client, Some(passdata)).map_err(|_| OAuthError::InvalidClient)?;
                Input::Authenticated
            }
            Output::Binding { client_id } => {
                let named = ClientUrl { client_id: Cow::Owned(client_id.to_owned()), redirect_uri: None };
                Input::Bound { bound_client: request.bound_redirect(named).map_err(|_| OAuthError::ServerError)? }
            }
            Output::Extend => {
                let granted = request.client.negotiate_audience(&request.parameters.audiences, environment);
                audiences = granted.map_err(|_| OAuthError::InvalidTarget)?;
                Input::Extended { extensions: Extensions::new() }
            }
            Output::Negotiate { bound_client, scope } => Input::Negotiated {
                pre_grant: request.negotiate(bound_client.clone(), scope).map_err(|_| OAuthError::InvalidScope)?,
            },
            Output::Ok { pre_grant, extensions } => {
                return issue(request, pre_grant.clone(), extensions.clone(), &audiences, issuer);
            }
            Output::Err(_) => return Err(OAuthError::InvalidRequest("The request is malformed.")),
        };
    }
}

fn issue<Sign: Fn(&Claims<'_>) -> Option<String>>(
    request: &AuthenticatedRequest<'_>,
    pre_grant: PreGrant,
    extensions: Extensions,
    audiences: &[Audience],
    issuer: &JwtIssuer<'_, Sign>,
) -> Result<IssuedAccessToken, OAuthError> {
    let expiry = request.client.token_expiry(issuer.issued_at).ok_or(OAuthError::InvalidClient)?;
    let granted = request.granted.get().ok_or(OAuthError::ServerError)?;
    let grant = Grant {
        // In this grant the client is the resource owner (RFC 9068 §2.2: `sub` is the client).
        owner_id: pre_grant.client_id.clone(),
        client_id: pre_grant.client_id,
        redirect_uri: pre_grant.redirect_uri.into_url(),
        scope: pre_grant.scope,
        until: DateTime::from_timestamp(expiry.seconds(), 0).ok_or(OAuthError::ServerError)?,
        extensions,
    };
    let mut signing = GrantIssuer { issuer, audiences, scope: granted.as_str() };
    let token = signing.issue(grant).map_err(|()| OAuthError::ServerError)?;
    Ok(IssuedAccessToken {
        access_token: AccessToken(token.token),
        expires_in: expiry.seconds() - issuer.issued_at.seconds(),
        scope: granted.clone(),
    })
}
