//! The public keys of an environment (RFC 7517 §5).

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};

use super::{ANY_ORIGIN, Issuer, describe_any_origin};
use crate::config::SigningConfig;
use crate::domain::signing_key::PublicJwk;
use crate::http::SharedState;
use crate::http::describe::{Describe, OperationDoc, header};
use crate::view::signing_key::Jwk;

/// Longest time for which a verifier may take a response as fresh, in seconds.
const MAX_AGE: i64 = 300;
/// How much longer it may use it while it fetches a new one.
const WHILE_REVALIDATE: i64 = 60;
/// How much longer it may use it while this service does not respond.
const IF_ERROR: i64 = 3600;
/// How much later than it is created a new key may appear in a node's responses: another process may have created it.
const BEHIND: i64 = 1;

/// Public keys, or that they are the same.
pub struct Jwks(HttpResponse);

impl Responder for Jwks {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Describe for Jwks {
    fn describe(doc: &mut OperationDoc) {
        let key = doc.schema::<Jwk>();
        let set = ObjectBuilder::new()
            .description(Some("Public keys (RFC 7517 §5)."))
            .property("keys", ArrayBuilder::new().items(key))
            .required("keys");
        doc.schemas.push(("JwkSet".to_owned(), set.into()));
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("JwkSet"))).build();
        let mut shown =
            ResponseBuilder::new().description("The keys.").content("application/jwk-set+json", content).build();
        let mut same = ResponseBuilder::new().description("The keys have not changed.").build();
        for response in [&mut shown, &mut same] {
            for field in ["ETag", "Cache-Control"] {
                response.headers.insert(field.to_owned(), header(Type::String, None));
            }
            describe_any_origin(response);
        }
        doc.respond("200", shown);
        doc.respond("304", same);
        let parameter = ParameterBuilder::new()
            .name("If-None-Match")
            .parameter_in(ParameterIn::Header)
            .description(Some("The `ETag` of the response that the caller has."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        doc.operation.parameters.get_or_insert_default().push(parameter.into());
        doc.operation.security = Some(vec![SecurityRequirement::default()]);
        doc.problems(&["default"]);
    }
}

/// Shows every key that a token in force may be signed with, and the next ones.
pub async fn jwks(request: HttpRequest, state: SharedState, issuer: Data<Issuer>) -> Jwks {
    let public = state.services.tokens.public_keys(issuer.0);
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(public.digest));
    let is_known = request
        .headers()
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*");
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, cache_control(&state.signing)))
        .insert_header((ETAG, etag))
        .insert_header(ANY_ORIGIN);
    if is_known {
        return Jwks(response.finish());
    }
    let content_type = HeaderValue::from_static("application/jwk-set+json");
    let keys: Vec<&str> = public.keys.iter().map(PublicJwk::as_str).collect();
    let set = format!("{{\"keys\":[{}]}}", keys.join(","));
    Jwks(response.insert_header((CONTENT_TYPE, content_type)).body(set))
}

/// No verifier may use a response for longer than a new key is published before it signs, in any of the ways that the
/// field provides for (RFC 9111 §5.2.2.1, RFC 5861).
fn cache_control(signing: &SigningConfig) -> String {
    let usable = (signing.lead.as_seconds() - BEHIND).max(0);
    let fresh = MAX_AGE.min(usable);
    let beyond = usable - fresh;
    format!(
        "public, max-age={fresh}, stale-while-revalidate={}, stale-if-error={}",
        WHILE_REVALIDATE.min(beyond),
        IF_ERROR.min(beyond)
    )
}
