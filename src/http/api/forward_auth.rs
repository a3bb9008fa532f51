//! `GET /api/v1/forward-auth`: a gateway asks of every request whether it may pass.

use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use super::page::Query;
use super::{Answer, credential_fields, schema};
use crate::domain::environment::Environment;
use crate::domain::ids::Id;
use crate::domain::scope::Scopes;
use crate::http::SharedState;
use crate::http::envelope::{asked_about, origin_of};
use crate::http::error;
use crate::service::forward_auth::{Denied, ForwardedRequest, Identity};

/// Ask whether a request may pass
///
/// For `auth_request` of nginx, `forward_auth` of Caddy and `ForwardAuth` of Traefik: reads `X-API-Key`, or
/// `Authorization: Bearer` with a token of Sealwright or an API key. The six identity fields are always there, so that none
/// that a client sends can take the place of one that is missing.
#[utoipa::path(
    get,
    path = "/api/v1/forward-auth",
    operation_id = "forward_auth",
    tag = "Gateways",
    security(("api_key" = []), ("bearer" = [])),
    params(
        ("environment" = Option<schema::Environment>, Query, description = "The environment of the API behind the gateway; production, unless given."),
        ("scope" = Option<String>, Query, description = "What is needed, separated by spaces, all of it.", example = "orders:read"),
        ("audience" = Option<String>, Query, description = "Whom a token must be for. Unless given, anybody but the management API."),
        ("customer" = Option<String>, Query, description = "The customer whose data it is about, by either id."),
    ),
    responses(
        (status = 200, description = "It may pass.", headers(
            ("X-Auth-Subject" = String, description = "The owner, else the credential."),
            ("X-Auth-Credential" = String, description = "`key_…` or `cli_…`."),
            ("X-Auth-Type" = String, description = "`api_key` or `token`."),
            ("X-Auth-Scopes" = String, description = "What it may at this moment, separated by spaces."),
            ("X-Auth-Customer" = String, description = "The customer that was asked for, else those that it is tied to, separated by spaces."),
            ("X-Auth-Environment" = String),
        )),
        (status = 401, description = "There is no credential, there are several, or it is not accepted.", body = error::Problem, content_type = "application/problem+json", headers(("WWW-Authenticate" = String))),
        (status = 403, description = "It may not be used from this address, for this customer or audience, or lacks a scope.", body = error::Problem, content_type = "application/problem+json"),
        (status = 429, description = "It is over its limits.", body = error::Problem, content_type = "application/problem+json", headers(("Retry-After" = u32))),
        (status = 503, description = "It cannot be known now.", body = error::Problem, content_type = "application/problem+json", headers(("Retry-After" = u32))),
    ),
)]
pub(in crate::http) async fn check(request: HttpRequest, mut query: Query, state: SharedState) -> Answer {
    query.refuse_empty();
    let environment = query.get::<Environment>("environment").unwrap_or(Environment::Production);
    let scopes = query.get::<Scopes>("scope").unwrap_or_default();
    let audience = query.get::<String>("audience");
    let customer = query.get::<String>("customer");
    query.finish()?;
    let origin = origin_of(&request);
    let forwarded = ForwardedRequest {
        fields: credential_fields(&request),
        environment,
        scopes,
        audience,
        customer,
        origin: asked_about(&request, &state).origin(&origin, origin.address),
    };
    let decided = state.services.forward_auth(&forwarded).await;
    let standing = match &decided {
        Ok(identity) => Some(identity.standing),
        Err(Denied::RateLimited(standing)) => Some(*standing),
        Err(_) => None,
    };
    if let Some(standing) = standing {
        request.extensions_mut().insert(standing);
    }
    Ok(match decided {
        Ok(identity) => passes(&identity),
        Err(denied) => error::denied(&denied),
    })
}

/// All six identity fields, empty where there is nothing to say.
fn passes(identity: &Identity) -> HttpResponse {
    let customers: Vec<&str> = identity.customers.iter().map(Id::as_str).collect();
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    for (name, text) in [
        ("x-auth-subject", &*identity.subject),
        ("x-auth-credential", &*identity.credential),
        ("x-auth-type", identity.kind),
        ("x-auth-scopes", identity.scopes.to_string().as_str()),
        ("x-auth-customer", customers.join(" ").as_str()),
        ("x-auth-environment", identity.environment.as_str()),
    ] {
        // All of them are made of visible ASCII; one that were not would stand empty, never missing.
        let value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        response.insert_header((HeaderName::from_static(name), value));
    }
    response.finish()
}
