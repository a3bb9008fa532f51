//! The OpenAPI document, put together from the table of routes.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::Value;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, License, OpenApi, Paths, Server};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::{enum_names, examples, flat, samples};
use crate::config::Issuers;
use crate::domain::environment::Environment;
use crate::http::describe::problem_responses;
use crate::http::error::Problem;
use crate::http::{API_KEY, BEARER, oauth, routes};
use crate::view::closed::Permission;
use crate::view::input::NamedSchema;

/// The description of the whole API.
const DESCRIPTION: &str = "\
OAuth 2.0 client credentials, and the management of them.

A backend gets a token from `POST /api/oauth/token` and sends it as `Authorization: Bearer` to your API, which \
verifies it with the keys of `/.well-known/jwks.json`. Each environment is an issuer of its own: what is at the root \
for `production` is below `/staging` and `/development` for those.

Plain API keys are sent in `X-API-Key`: your API asks `POST /api/v1/keys/verify` about them, or a gateway asks \
`GET /api/v1/forward-auth`.

The management API below `/api/v1` takes API keys, and tokens whose `aud` is `{issuer}/api/v1`. Lists are read by \
cursor, newest first; times are RFC 3339 in UTC; errors are RFC 9457 problems with a stable `code`. Every response \
has an `X-Request-Id`, which the audit log has too. Every `GET` has a `HEAD`.";

/// The parts of the document.
const TAGS: &[(&str, &str)] = &[
    ("Tokens", "The OAuth 2.0 protocol, below each issuer."),
    ("Clients", "OAuth clients: who gets tokens, and for what."),
    ("API keys", "Plain keys in `X-API-Key`: who may call, and for what."),
    ("Gateways", "What gateways ask about every request."),
    ("Customers", "The tenants of your platform, to whom credentials can be tied."),
    ("Users and roles", "The owners of credentials, and how their roles limit them."),
    ("Scopes", "The registry of what scopes mean."),
    ("Signing keys", "The keys that tokens are signed with."),
    ("Audit", "What was done by whom, and how it ended."),
    ("Operations", "For operators and their machines."),
];

/// The document as it is served.
pub fn serialised(issuers: &Issuers) -> String {
    let issuer = |environment| issuers.of(environment).issuer.to_string();
    let document = as_json(&issuer);
    let document = document.inspect_err(|error| log::error!("the OpenAPI document: {error}")).unwrap_or_default();
    document.to_string().replace(samples::ADDRESS, &issuer(Environment::Production))
}

fn as_json(issuer: &impl Fn(Environment) -> String) -> serde_json::Result<Value> {
    let mut document = flat::flattened(serde_json::to_value(document(issuer))?);
    enum_names::add(&mut document);
    examples::add(&mut document);
    Ok(document)
}

fn document(issuer: &impl Fn(Environment) -> String) -> OpenApi {
    let mut schemas: Vec<NamedSchema> = vec![];
    schemas.push((Permission::name().into_owned(), Permission::schema()));
    schemas.push((Problem::name().into_owned(), Problem::schema()));
    Problem::schemas(&mut schemas);
    let mut paths = Paths::new();
    for (path, (item, found)) in path_items(issuer) {
        paths.paths.insert(path, item);
        schemas.extend(found);
    }
    let mut components = Components::new();
    components.schemas = schemas.into_iter().collect();
    components.responses = problem_responses().map(|(name, response)| (name, response.into())).collect();
    add_security_schemes(&mut components);
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    let info = InfoBuilder::new()
        .title("Sealwright")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    let mut document = OpenApi::new(info, paths);
    document.components = Some(components);
    document.servers = Some(vec![Server::new(issuer(Environment::Production))]);
    let tag = |(name, description): (&str, &str)| TagBuilder::new().name(name).description(Some(description)).build();
    document.tags = Some(TAGS.iter().copied().map(tag).collect());
    document
}

/// The operations by path. What is below each issuer is described once, with the issuers as its servers.
fn path_items(issuer: &impl Fn(Environment) -> String) -> BTreeMap<String, (PathItem, Vec<NamedSchema>)> {
    let mut items: BTreeMap<String, (PathItem, Vec<NamedSchema>)> = BTreeMap::new();
    for endpoint in routes::table() {
        let below = endpoint.issuer().map(|issuer| issuer.0);
        if below.is_some_and(|environment| environment != Environment::Production) {
            continue;
        }
        let (item, schemas) = items.entry(endpoint.path().to_owned()).or_default();
        if below.is_some() {
            let server = |environment: Environment| {
                let mut server = Server::new(issuer(environment));
                server.description = Some(environment.as_str().to_owned());
                server
            };
            item.servers = Some(Environment::ALL.into_iter().map(server).collect());
        }
        for doc in endpoint.operations() {
            let place = match doc.method {
                Method::GET => &mut item.get,
                Method::POST => &mut item.post,
                Method::PATCH => &mut item.patch,
                Method::DELETE => &mut item.delete,
                _ => continue,
            };
            *place = Some(doc.operation);
            schemas.extend(doc.schemas);
        }
    }
    items
}

fn add_security_schemes(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token for the management API, whose scopes have the permission that an operation names."))
        .build();
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some(
        "`client_id` and `client_secret`, each form-encoded. They can be in the form instead (`client_secret_post`)."
            .to_owned(),
    );
    let description = "An API key of Sealwright, whose scopes have the permission that an operation names.";
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", description)));
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    components.add_security_scheme(API_KEY, key);
    components.add_security_scheme(oauth::BASIC, SecurityScheme::Http(basic));
}

#[cfg(test)]
mod tests;
