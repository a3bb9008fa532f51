//! The protocol's endpoints, the same below each issuer.

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, PRAGMA};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::envelope::origin_of;
use super::error::OAuthRefusals;
use super::reference::samples;
use super::{SharedState, body, error};
use crate::clock;
use crate::config::SigningConfig;
use crate::crypto::digest::sha256;
use crate::domain::environment::Environment;
use crate::oauth::error::OAuthError;
use crate::oauth::introspection::Introspection;
use crate::oauth::metadata::Metadata;
use crate::service::issue_token::ProtocolRequest;

/// The document's name of how clients authenticate.
pub const BASIC: &str = "client_secret_basic";
/// Largest body of these endpoints.
const BODY_MAX: usize = 16 * 1024;
/// Longest time for which a verifier may take a JWKS answer as fresh, in seconds.
const JWKS_MAX_AGE: i64 = 300;
/// How much longer it may use it while it fetches a new one.
const JWKS_WHILE_REVALIDATE: i64 = 60;
/// How much longer it may use it while this service does not answer.
const JWKS_IF_ERROR: i64 = 3600;
/// How much later than it is made a new key may come to stand in a node's answers: another process may have made it.
const JWKS_BEHIND: i64 = 1;

/// Which issuer a route belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Issuer(pub Environment);

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenAnswer<'a> {
    /// An RFC 9068 JWT, for the `Authorization: Bearer` field of requests.
    access_token: &'a str,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the token lives.
    #[schema(examples(3600))]
    expires_in: i64,
    /// What it was granted.
    #[schema(examples("orders:read"))]
    scope: &'a str,
}

/// A client that does not authenticate in the `Authorization` field does so here.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form")]
struct ClientCredentials {
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
}

/// What is asked for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form")]
struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(examples("client_credentials"))]
    grant_type: String,
    /// What the token is to be granted, separated by spaces; the client's default, unless given.
    #[schema(examples("orders:read"))]
    scope: Option<String>,
    /// Whom the token is to be for: absolute URIs, from among the client's audiences; the first of those, unless given
    /// (RFC 8707).
    resource: Option<Vec<String>>,
    /// The same for audiences that are not URIs.
    audience: Option<Vec<String>>,
    #[serde(flatten)]
    credentials: ClientCredentials,
}

/// A token that something is asked or done about.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form")]
struct PresentedToken {
    /// The token.
    token: String,
    /// Taken for the standards' sake; it changes nothing.
    token_type_hint: Option<String>,
    #[serde(flatten)]
    credentials: ClientCredentials,
}

/// Public keys (RFC 7517 §5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the keyring gives")]
struct JwkSet {
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Value>,
}

/// Ask for a token
///
/// The client credentials grant of RFC 6749 §4.4. The client authenticates by HTTP Basic or in the form, not both.
#[utoipa::path(
    post,
    path = "/api/oauth/token",
    operation_id = "create_token",
    tag = "OAuth 2.0",
    security(("client_secret_basic" = []), ()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token.", body = TokenAnswer<'_>), OAuthRefusals),
    extensions(("x-codeSamples" = json!(samples::TOKEN))),
)]
pub async fn token(request: HttpRequest, payload: Payload, state: SharedState, issuer: Data<Issuer>) -> HttpResponse {
    let body = read_form(&request, payload, &state).await;
    let answered = state.services.issue_token(protocol_request(&request, &body, **issuer)).await;
    if let Some(standing) = answered.standing {
        request.extensions_mut().insert(standing);
    }
    match answered.issued {
        Ok(token) => answer(&TokenAnswer {
            access_token: &token.access_token.0,
            token_type: "Bearer",
            expires_in: token.expires_in,
            scope: &token.scope.to_string(),
        }),
        Err(refused) => error::oauth(refused),
    }
}

/// Ask whether a token is in force
///
/// RFC 7662. A client sees its own tokens, those of audiences that it is the resource server of, and all with
/// `sealwright.tokens:introspect`. Of anything else it learns that it is not active.
#[utoipa::path(
    post,
    path = "/api/oauth/introspect",
    operation_id = "introspect_token",
    tag = "OAuth 2.0",
    security(("client_secret_basic" = []), ()),
    request_body(content = PresentedToken, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "What may be known of it.", body = Introspection), OAuthRefusals),
)]
pub async fn introspect(
    request: HttpRequest,
    payload: Payload,
    state: SharedState,
    issuer: Data<Issuer>,
) -> HttpResponse {
    let body = read_form(&request, payload, &state).await;
    match state.services.introspect_token(protocol_request(&request, &body, **issuer)).await {
        Ok(introspection) => answer(&introspection),
        Err(refused) => error::oauth(refused),
    }
}

/// End a token
///
/// RFC 7009. A client ends its own tokens; for anything else, nothing happens, and the answer is the same.
#[utoipa::path(
    post,
    path = "/api/oauth/revoke",
    operation_id = "revoke_token",
    tag = "OAuth 2.0",
    security(("client_secret_basic" = []), ()),
    request_body(content = PresentedToken, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is not in force any more."), OAuthRefusals),
)]
pub async fn revoke(request: HttpRequest, payload: Payload, state: SharedState, issuer: Data<Issuer>) -> HttpResponse {
    let body = read_form(&request, payload, &state).await;
    match state.services.revoke_token(protocol_request(&request, &body, **issuer)).await {
        Ok(()) => {
            HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache")).finish()
        }
        Err(refused) => error::oauth(refused),
    }
}

/// Read the issuer's metadata
///
/// RFC 8414: where its endpoints are, and what they take.
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    operation_id = "metadata",
    tag = "OAuth 2.0",
    security(()),
    responses((status = 200, description = "The metadata.", body = Metadata)),
)]
pub async fn metadata(state: SharedState, issuer: Data<Issuer>) -> HttpResponse {
    let identifier = &state.services.issuers.of(issuer.0).issuer;
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(Metadata::new(identifier))
}

/// Read the public keys
///
/// RFC 7517 §5: every key that a token in force may be signed with, and the next ones.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "jwks",
    tag = "OAuth 2.0",
    security(()),
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of the answer that is at hand.")),
    responses(
        (status = 200, description = "The keys.", body = JwkSet, content_type = "application/jwk-set+json",
            headers(("ETag" = String), ("Cache-Control" = String))),
        (status = 304, description = "They are the same."),
    ),
)]
// From memory: they are answered while the database is down.
pub async fn jwks(request: HttpRequest, state: SharedState, issuer: Data<Issuer>) -> HttpResponse {
    let keys = state.services.keyring.jwks(issuer.0, clock::now()).to_string();
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(sha256(keys.as_bytes())));
    let is_known = request
        .headers()
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*");
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, jwks_cache_control(&state.signing))).insert_header((ETAG, etag));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"))).body(keys)
}

/// No verifier may use an answer for longer than a new key is published before it signs, in any of the ways that the
/// field provides for (RFC 9111 §5.2.2.1, RFC 5861).
fn jwks_cache_control(signing: &SigningConfig) -> String {
    let usable = (signing.lead.as_seconds() - JWKS_BEHIND).max(0);
    let fresh = JWKS_MAX_AGE.min(usable);
    let beyond = usable - fresh;
    format!(
        "public, max-age={fresh}, stale-while-revalidate={}, stale-if-error={}",
        JWKS_WHILE_REVALIDATE.min(beyond),
        JWKS_IF_ERROR.min(beyond)
    )
}

/// An answer that carries tokens or tells of them is never cached (RFC 6749 §5.1, RFC 7662 §2.2).
fn answer(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache")).json(body)
}

async fn read_form(
    request: &HttpRequest,
    payload: Payload,
    state: &SharedState,
) -> Result<actix_web::web::Bytes, OAuthError> {
    let body = body::read(payload, BODY_MAX, state.server.request_timeout).await.map_err(error::oauth_body)?;
    if !is_form(request.headers().get(CONTENT_TYPE)) {
        return Err(OAuthError::invalid_request("The body must be application/x-www-form-urlencoded."));
    }
    Ok(body)
}

/// The one content type, with UTF-8 as its only charset (RFC 6749 Appendix B).
fn is_form(content_type: Option<&HeaderValue>) -> bool {
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = text.split(';').map(str::trim);
    let is_form = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    is_form
        && parts.filter(|part| !part.is_empty()).all(|parameter| {
            parameter.split_once('=').is_none_or(|(name, value)| {
                !name.trim().eq_ignore_ascii_case("charset")
                    || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        })
}

fn protocol_request<'r>(
    request: &'r HttpRequest,
    body: &'r Result<actix_web::web::Bytes, OAuthError>,
    issuer: Issuer,
) -> ProtocolRequest<'r> {
    ProtocolRequest {
        environment: issuer.0,
        authorization: request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes).collect(),
        query: request.query_string(),
        body: body.as_deref().map_err(|error| *error),
        origin: origin_of(request),
    }
}
