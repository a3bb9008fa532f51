//! The protocol's endpoints, the same below each issuer.

mod forms;
mod jwks;

use actix_web::body::BoxBody;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, PRAGMA,
};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Response, ResponseBuilder};

use super::describe::{Describe, OperationDoc, header};
use super::middleware::origin_of;
use super::named::Named;
use super::{SharedState, body, error};
use crate::domain::environment::Environment;
use crate::oauth::error::{OAuthError, UnreadableBody};
use crate::service::error::ServiceError;
use crate::service::tokens::{Introspection as Introspected, ProtocolRequest};
use crate::view::introspection::Introspection;
use crate::view::server_metadata::Metadata;
use forms::{OtherEnvironment, Sent, TokenForm, TokenRequest};

pub use jwks::jwks;

/// The document's name of how clients authenticate.
pub const BASIC: &str = "client_secret_basic";
/// Largest body of these endpoints, in bytes.
const BODY_MAX: usize = 16 * 1024;

/// Public documents may be read by scripts of any web page; nothing else of Sealwright may.
const ANY_ORIGIN: (HeaderName, HeaderValue) = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

fn describe_any_origin(response: &mut Response) {
    response.headers.insert("Access-Control-Allow-Origin".to_owned(), header(Type::String, Some("Always `*`.")));
}

/// Which issuer a route belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Issuer(pub Environment);

/// A token, and what it was granted.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView {
    /// An RFC 9068 JWT, for the `Authorization: Bearer` field of requests.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the token lives.
    #[schema(examples(3600))]
    expires_in: i64,
    /// What it was granted.
    #[schema(examples("orders:read"))]
    scope: String,
}

/// A response with a token or about one: never cached (RFC 6749 §5.1, RFC 7662 §2.2).
pub struct ProtocolResponse<T> {
    result: Result<T, OAuthError>,
}

impl<T: Serialize> Responder for ProtocolResponse<T> {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        match self.result {
            Ok(view) => HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header((PRAGMA, "no-cache"))
                .json(view),
            Err(refused) => error::oauth(refused),
        }
    }
}

impl<T: ToSchema> Describe for ProtocolResponse<T> {
    fn describe(doc: &mut OperationDoc) {
        let response = doc.json::<T>("application/json");
        doc.respond("200", response);
        error::describe_oauth(doc);
        describe_client_authentication(doc);
    }
}

fn describe_client_authentication(doc: &mut OperationDoc) {
    let basic = SecurityRequirement::new(BASIC, [""; 0]);
    doc.operation.security = Some(vec![basic, SecurityRequirement::default()]);
}

/// A response that says nothing but that it is done.
pub struct Done(Result<(), OAuthError>);

impl Responder for Done {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        match self.0 {
            Ok(()) => HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "no-store"))
                .insert_header((PRAGMA, "no-cache"))
                .finish(),
            Err(refused) => error::oauth(refused),
        }
    }
}

impl Describe for Done {
    fn describe(doc: &mut OperationDoc) {
        doc.respond("200", ResponseBuilder::new().description("The token is not in force any more.").build());
        error::describe_oauth(doc);
        describe_client_authentication(doc);
    }
}

/// An issuer's metadata, which anybody may keep for five minutes.
pub struct PublicMetadata(Metadata);

impl Responder for PublicMetadata {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).insert_header(ANY_ORIGIN).json(self.0)
    }
}

impl Describe for PublicMetadata {
    fn describe(doc: &mut OperationDoc) {
        let mut response = doc.json::<Metadata>("application/json");
        describe_any_origin(&mut response);
        doc.respond("200", response);
        doc.operation.security = Some(vec![SecurityRequirement::default()]);
        doc.problems(&["default"]);
    }
}

impl Describe for Issuer {}

pub async fn token(
    request: HttpRequest,
    payload: Payload,
    state: SharedState,
    issuer: Data<Issuer>,
    _form: Sent<TokenRequest>,
) -> ProtocolResponse<TokenView> {
    let body = read_form(&request, payload, &state).await;
    let outcome = state.services.tokens.issue(protocol_request(&request, &body, **issuer)).await;
    if let Some(status) = outcome.rate_limit {
        request.extensions_mut().insert(status);
    }
    if let Some(reason) = outcome.refused {
        state.metrics.count_refused_token(reason);
    }
    ProtocolResponse {
        result: outcome.issued.map(|token| TokenView {
            access_token: token.access_token.0,
            token_type: "Bearer",
            expires_in: token.expires_in,
            scope: token.scope.to_string(),
        }),
    }
}

pub async fn introspect(
    request: HttpRequest,
    payload: Payload,
    state: SharedState,
    issuer: Data<Issuer>,
    _form: Sent<TokenForm>,
) -> ProtocolResponse<Introspection> {
    let body = read_form(&request, payload, &state).await;
    let issuer = **issuer;
    let result = state.services.tokens.introspect(protocol_request(&request, &body, issuer)).await;
    ProtocolResponse {
        result: result.map(|introspected| match introspected {
            Introspected::Active(token) => Introspection::active(token.claims, token.scope, &token.customers, issuer.0),
            Introspected::Inactive => Introspection::inactive(),
        }),
    }
}

pub async fn revoke(
    request: HttpRequest,
    payload: Payload,
    state: SharedState,
    issuer: Data<Issuer>,
    _form: Sent<TokenForm>,
) -> Done {
    let body = read_form(&request, payload, &state).await;
    Done(state.services.tokens.revoke(protocol_request(&request, &body, **issuer)).await)
}

/// Shows the metadata of the issuer that the path is below.
pub async fn metadata(state: SharedState, issuer: Data<Issuer>) -> Result<PublicMetadata, error::ApiError> {
    document_of(&state, issuer.0).await
}

/// Shows the metadata of the issuer that the path names (RFC 8414 §3.1). No other path names one.
pub async fn metadata_of(
    state: SharedState,
    request: HttpRequest,
    name: Named<OtherEnvironment>,
) -> Result<PublicMetadata, error::ApiError> {
    let environment =
        Environment::ALL.into_iter().find(|environment| environment.path_prefix().strip_prefix('/') == Some(&*name));
    match environment {
        Some(environment) => document_of(&state, environment).await,
        None => Err(error::ApiError::NotHere(request.path().to_owned())),
    }
}

async fn document_of(state: &SharedState, environment: Environment) -> Result<PublicMetadata, error::ApiError> {
    let scopes = state.services.directory.registered_scopes().await.map_err(ServiceError::from)?;
    let issuer = &state.services.issuers.of(environment).issuer;
    Ok(PublicMetadata(Metadata::new(issuer, &state.signing.algorithms, &scopes)))
}

async fn read_form(request: &HttpRequest, payload: Payload, state: &SharedState) -> Result<Bytes, UnreadableBody> {
    let body = body::read(payload, BODY_MAX, state.server.request_timeout).await.map_err(error::oauth_body)?;
    if is_form(request.headers().get(CONTENT_TYPE)) { Ok(body) } else { Err(UnreadableBody::NotAForm) }
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
    body: &'r Result<Bytes, UnreadableBody>,
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
