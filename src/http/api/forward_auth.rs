//! `GET /api/v1/forward-auth`: a gateway asks about every request whether it may pass.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, Responder};
use utoipa::ToSchema as _;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};

use crate::domain::environment::Environment;
use crate::domain::ids::Id;
use crate::http::call::credential_fields;
use crate::http::describe::{Describe, OperationDoc, header};
use crate::http::error::{self, ApiError, Problem};
use crate::http::middleware::{asked_about, origin_of};
use crate::http::said::{Query, Said};
use crate::http::{API_KEY, BEARER, SharedState};
use crate::service::access::{Denied, ForwardedRequest, Identity};
use crate::view::field::{Line, SpacedScopes};
use crate::view::input::{Optional, input};

input! {
    /// What the request needs.
    pub struct ForwardAuthParameters {
        /// The environment of the API behind the gateway; production, unless given.
        environment: Optional<Environment>,
        /// Scopes that are needed, all of them, separated by spaces.
        scope: Optional<SpacedScopes>,
        /// The audience that a token must be for. Unless given, any but the management API.
        audience: Optional<Line>,
        /// The customer whose data the request is about, by either id.
        customer: Optional<Line>,
    }
}

/// The parameters, or what is wrong with them.
pub struct Parameters(Result<ForwardAuthParameters, ApiError>);

impl FromRequest for Parameters {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let query = Query::<ForwardAuthParameters>::read(request, &Bytes::new());
        ready(Ok(Self(query.map(|Query(parameters)| parameters))))
    }
}

impl Describe for Parameters {
    fn describe(doc: &mut OperationDoc) {
        doc.query::<ForwardAuthParameters>();
    }
}

/// It may pass, or not.
pub struct Decision(HttpResponse);

impl Responder for Decision {
    type Body = BoxBody;

    fn respond_to(self, _request: &HttpRequest) -> HttpResponse {
        self.0
    }
}

/// The identity fields of a request that may pass.
const IDENTITY: [(&str, &str); 6] = [
    ("X-Auth-Subject", "The owner, or else the credential."),
    ("X-Auth-Credential", "`key_…` or `cli_…`."),
    ("X-Auth-Type", "`api_key` or `token`."),
    ("X-Auth-Scopes", "What the credential may do at this moment, separated by spaces."),
    (
        "X-Auth-Customer",
        "The customer that was named, or else those that the credential may be used for now: external ids, separated \
         by spaces. Empty for a credential that is tied to none, and may be used for any.",
    ),
    ("X-Auth-Environment", "The environment."),
];

/// Why a request may not pass: status, when.
const DENIALS: [(&str, &str); 4] = [
    ("401", "There is no credential, there are several, or it is not accepted."),
    ("403", "The credential may not be used from this address, for this customer or audience, or lacks a scope."),
    ("429", "The credential is over its limits."),
    ("503", "It cannot be decided now."),
];

impl Describe for Decision {
    fn describe(doc: &mut OperationDoc) {
        let mut passes = ResponseBuilder::new().description("It may pass.").build();
        for (name, meaning) in IDENTITY {
            passes.headers.insert(name.to_owned(), header(Type::String, Some(meaning)));
        }
        doc.respond("200", passes);
        for (status, description) in DENIALS {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
            let mut denied =
                ResponseBuilder::new().description(description).content("application/problem+json", content).build();
            let field = match status {
                "401" => Some(("WWW-Authenticate", Type::String)),
                "429" | "503" => Some(("Retry-After", Type::Integer)),
                _ => None,
            };
            if let Some((name, of_type)) = field {
                denied.headers.insert(name.to_owned(), header(of_type, None));
            }
            doc.respond(status, denied);
        }
        doc.operation.security =
            Some(vec![SecurityRequirement::new(API_KEY, [""; 0]), SecurityRequirement::new(BEARER, [""; 0])]);
        doc.problems(&["default"]);
    }
}

/// Decides whether a request may pass.
pub async fn check(request: HttpRequest, parameters: Parameters, state: SharedState) -> Result<Decision, ApiError> {
    let ForwardAuthParameters { environment, scope, audience, customer } = parameters.0?;
    let origin = origin_of(&request);
    let forwarded = ForwardedRequest {
        fields: credential_fields(&request),
        environment: environment.unwrap_or(Environment::Production),
        scopes: scope.unwrap_or_default(),
        audience,
        customer,
        origin: asked_about(&request, &state).origin(&origin, origin.address),
    };
    let decided = state.services.access.forward_auth(&forwarded).await;
    let rate_limit = match &decided {
        Ok(identity) => Some(identity.rate_limit),
        Err(Denied::RateLimited(status)) => Some(*status),
        Err(_) => None,
    };
    if let Some(rate_limit) = rate_limit {
        request.extensions_mut().insert(rate_limit);
    }
    let response = match decided {
        Ok(identity) => passes(&identity),
        Err(denied) => error::denied(&denied),
    };
    state.metrics.count_forward_auth(error::code_of(&response));
    Ok(Decision(response))
}

/// All six identity fields, empty where there is nothing to say.
fn passes(identity: &Identity) -> HttpResponse {
    let credential = &identity.credential;
    let customers: Vec<&str> = identity.customers.iter().map(|customer| customer.external_id.as_str()).collect();
    let subject = credential.owner.as_ref().map_or(credential.id.as_str(), Id::as_str);
    let kind = if credential.as_client().is_some() { "token" } else { "api_key" };
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    for (name, text) in [
        ("x-auth-subject", subject),
        ("x-auth-credential", credential.id.as_str()),
        ("x-auth-type", kind),
        ("x-auth-scopes", identity.scopes.to_string().as_str()),
        ("x-auth-customer", customers.join(" ").as_str()),
        ("x-auth-environment", credential.environment.as_str()),
    ] {
        // All of them are visible ASCII; one that were not would be empty, never missing.
        let value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        response.insert_header((HeaderName::from_static(name), value));
    }
    response.finish()
}
