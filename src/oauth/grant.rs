//! The client credentials grant (RFC 6749 §4.4) through oxide-auth's state machine.
//!
//! oxide-auth drives the order of the steps; what it leaves open is closed around it: credentials are read and checked
//! before ([`super::client_authentication`]), malformed scopes are told apart from malformed requests, a scope beyond the
//! client's is `invalid_scope`, and lifetime and audience are ours.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::DateTime;
use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output, Request};
use oxide_auth::primitives::grant::{Extensions, Grant, Value};
use oxide_auth::primitives::issuer::{IssuedToken, Issuer, RefreshedToken, TokenType};
use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};

use super::error::OAuthError;
use super::form::Form;
use crate::domain::audience::{AUDIENCES_MAX, Audience, EnvironmentAudiences};
use crate::domain::client::Client;
use crate::domain::ids::CustomerId;
use crate::domain::scope::Scopes;
use crate::domain::time::Timestamp;
use crate::domain::token::{AudClaim, Claims, CustomersClaim};

/// The grant extension that carries the audiences, separated by spaces.
const AUDIENCE: &str = "aud";

/// oxide-auth binds a client to a redirect URI; this grant has none, and this one is never followed.
static NO_REDIRECT: LazyLock<Option<RegisteredUrl>> = LazyLock::new(|| {
    ExactUrl::new("urn:ietf:wg:oauth:2.0:oob".to_owned()).ok().map(|url| RegisteredUrl::Semantic(url.to_url()))
});

/// What a token request asks for, apart from who asks.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The scope as it was sent.
    scope: Option<String>,
    scopes: Option<Scopes>,
    audiences: Vec<Audience>,
}

impl Wanted {
    /// Reads grant type, scope and targets from the form.
    ///
    /// # Errors
    /// `invalid_request` without a grant type, `unsupported_grant_type` for another one (case-sensitively),
    /// `invalid_scope`, `invalid_target`.
    pub fn from_form(form: &Form<'_>) -> Result<Self, OAuthError> {
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(OAuthError::UNSUPPORTED_GRANT_TYPE),
            None => return Err(OAuthError::invalid_request("grant_type is missing.")),
        }
        let scopes = form.get("scope").map(str::parse).transpose().map_err(|_| OAuthError::INVALID_SCOPE)?;
        let resources = form.all("resource").map(Audience::from_resource);
        let audiences = form.all("audience").map(str::parse);
        let audiences: Vec<Audience> =
            resources.chain(audiences).collect::<Result<_, _>>().map_err(|_| OAuthError::INVALID_TARGET)?;
        if audiences.len() > AUDIENCES_MAX {
            return Err(OAuthError::INVALID_TARGET);
        }
        Ok(Self { scope: form.get("scope").map(str::to_owned), scopes, audiences })
    }
}

/// A token request whose client is authenticated.
pub struct AuthenticatedRequest<'r> {
    /// What it asks for.
    pub wanted: &'r Wanted,
    /// The client that was found and authenticated.
    pub client: &'r Client,
    /// What the role of its owner allows; `None` for the organisation's own.
    pub ceiling: Option<&'r Scopes>,
    /// The secret that authenticated it.
    pub secret: &'r str,
}

impl Request for AuthenticatedRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client.id.as_str()), Cow::Borrowed(self.secret.as_bytes())))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.wanted.scope.as_deref().map(Cow::Borrowed)
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed("client_credentials"))
    }

    /// Credentials in the body were read before; oxide-auth sees them as the one authorization.
    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The one client of a request, as oxide-auth's registrar.
impl Registrar for AuthenticatedRequest<'_> {
    fn bound_redirect<'a>(&self, bound: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        match &*NO_REDIRECT {
            Some(redirect) if bound.client_id == self.client.id.as_str() => {
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
        let granted = self
            .client
            .negotiate_scope(self.wanted.scopes.clone(), self.ceiling)
            .map_err(|_| RegistrarError::Unspecified)?;
        Ok(PreGrant {
            client_id: client.client_id.into_owned(),
            redirect_uri: client.redirect_uri.into_owned(),
            scope: granted.to_string().parse().map_err(|_| RegistrarError::PrimitiveError)?,
        })
    }

    fn check(&self, client_id: &str, passphrase: Option<&[u8]>) -> Result<(), RegistrarError> {
        let is_authenticated = client_id == self.client.id.as_str() && passphrase == Some(self.secret.as_bytes());
        if is_authenticated { Ok(()) } else { Err(RegistrarError::Unspecified) }
    }
}

/// Signs grants as RFC 9068 access tokens, as oxide-auth's issuer.
pub struct JwtIssuer<'i, Sign> {
    /// The environment's issuer identifier.
    pub issuer: &'i str,
    /// The environment's name.
    pub environment: &'static str,
    /// The customers that the client is tied to.
    pub customers: &'i [CustomerId],
    /// When the token is issued.
    pub issued_at: Timestamp,
    /// The token's id.
    pub jti: &'i str,
    /// Signs claims; `None` if that fails.
    pub sign: Sign,
}

impl<Sign: Fn(&Claims<'_>) -> Option<String>> Issuer for JwtIssuer<'_, Sign> {
    fn issue(&mut self, grant: Grant) -> Result<IssuedToken, ()> {
        let audiences: Vec<Audience> = grant
            .extensions
            .private()
            .find(|(name, _)| *name == AUDIENCE)
            .and_then(|(_, value)| value)
            .ok_or(())?
            .split(' ')
            .map(|audience| audience.parse().map_err(|_| ()))
            .collect::<Result<_, ()>>()?;
        // oxide-auth's scope has no order; a token's has, so that equal grants read alike.
        let scope: Scopes = scopes_of(&grant.scope).ok_or(())?;
        let token = (self.sign)(&Claims {
            iss: self.issuer,
            aud: AudClaim(&audiences),
            sub: &grant.owner_id,
            client_id: &grant.client_id,
            exp: grant.until.timestamp(),
            iat: self.issued_at.seconds(),
            jti: self.jti,
            scope: &scope.to_string(),
            environment: self.environment,
            customers: CustomersClaim(self.customers),
        })
        .ok_or(())?;
        Ok(IssuedToken { token, refresh: None, until: grant.until, token_type: TokenType::Bearer })
    }

    /// RFC 6749 §4.4.3: this grant has no refresh tokens.
    fn refresh(&mut self, _refresh: &str, _grant: Grant) -> Result<RefreshedToken, ()> {
        Err(())
    }

    /// Tokens are not kept: they prove themselves.
    fn recover_token<'a>(&'a self, _token: &'a str) -> Result<Option<Grant>, ()> {
        Ok(None)
    }

    fn recover_refresh<'a>(&'a self, _token: &'a str) -> Result<Option<Grant>, ()> {
        Ok(None)
    }
}

/// A token that was issued, with what its answer says.
#[derive(Debug)]
pub struct Issued {
    /// The signed token.
    pub access_token: AccessToken,
    /// Seconds that it lives.
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

/// Takes an authenticated request through the grant: bind, audience, scope, issue.
///
/// # Errors
/// `invalid_scope`, `invalid_target`, or `server_error` where signing fails.
pub fn run<Sign: Fn(&Claims<'_>) -> Option<String>>(
    request: &AuthenticatedRequest<'_>,
    audiences: &EnvironmentAudiences,
    issuer: &mut JwtIssuer<'_, Sign>,
) -> Result<Issued, OAuthError> {
    let mut machine = ClientCredentials::new(request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { client, passdata } => {
                request.check(client, Some(passdata)).map_err(|_| OAuthError::INVALID_CLIENT)?;
                Input::Authenticated
            }
            Output::Binding { client_id } => {
                let named = ClientUrl { client_id: Cow::Owned(client_id.to_owned()), redirect_uri: None };
                Input::Bound { bound_client: request.bound_redirect(named).map_err(|_| OAuthError::SERVER_ERROR)? }
            }
            Output::Extend => Input::Extended { extensions: audience_extension(request, audiences)? },
            Output::Negotiate { bound_client, scope } => Input::Negotiated {
                pre_grant: request.negotiate(bound_client.clone(), scope).map_err(|_| OAuthError::INVALID_SCOPE)?,
            },
            Output::Ok { pre_grant, extensions } => {
                return issue(request.client, pre_grant.clone(), extensions.clone(), issuer);
            }
            Output::Err(_) => return Err(OAuthError::invalid_request("The request is malformed.")),
        };
    }
}

fn audience_extension(
    request: &AuthenticatedRequest<'_>,
    environment: &EnvironmentAudiences,
) -> Result<Extensions, OAuthError> {
    let granted = request
        .client
        .negotiate_audience(&request.wanted.audiences, environment)
        .map_err(|_| OAuthError::INVALID_TARGET)?;
    let joined = granted.iter().map(Audience::as_str).collect::<Vec<_>>().join(" ");
    let mut extensions = Extensions::new();
    extensions.set_raw(AUDIENCE.to_owned(), Value::private(Some(joined)));
    Ok(extensions)
}

fn issue<Sign: Fn(&Claims<'_>) -> Option<String>>(
    client: &Client,
    pre_grant: PreGrant,
    extensions: Extensions,
    issuer: &mut JwtIssuer<'_, Sign>,
) -> Result<Issued, OAuthError> {
    let expiry = client.token_expiry(issuer.issued_at).ok_or(OAuthError::INVALID_CLIENT)?;
    let scope = scopes_of(&pre_grant.scope).ok_or(OAuthError::SERVER_ERROR)?;
    let grant = Grant {
        // In this grant the client owns the resource it asks for (RFC 9068 §2.2: `sub` is the client).
        owner_id: pre_grant.client_id.clone(),
        client_id: pre_grant.client_id,
        redirect_uri: pre_grant.redirect_uri.into_url(),
        scope: pre_grant.scope,
        until: DateTime::from_timestamp(expiry.seconds(), 0).ok_or(OAuthError::SERVER_ERROR)?,
        extensions,
    };
    let token = issuer.issue(grant).map_err(|()| OAuthError::SERVER_ERROR)?;
    Ok(Issued {
        access_token: AccessToken(token.token),
        expires_in: expiry.seconds() - issuer.issued_at.seconds(),
        scope,
    })
}

fn scopes_of(scope: &oxide_auth::primitives::scope::Scope) -> Option<Scopes> {
    let scopes: Vec<_> = scope.iter().map(str::parse).collect::<Result<_, _>>().ok()?;
    Scopes::new(scopes).ok()
}
