//! The OpenAPI document: gathered from the handlers' annotations and signatures, and from the table of routes.

use actix_web::http::Method;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, Header, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Server,
};
use utoipa::{OpenApi as _, ToSchema as _};

use super::samples;
use crate::config::Issuers;
use crate::domain::environment::Environment;
use crate::http::api::{
    self, audit_events, clients, customers, forward_auth, keys, roles, scopes, signing_keys, users,
};
use crate::http::describe::PROBLEMS;
use crate::http::error::Problem;
use crate::http::{oauth, operations, routes};

/// Every annotated handler. What they refer to is gathered from them; a test compares them with the table of routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sealwright",
        description = "OAuth 2.0 client credentials, and the management of them.\n\n\
            A backend gets a token from `POST /api/oauth/token` and sends it as `Authorization: Bearer` to your API, which \
            verifies it with the keys of `/.well-known/jwks.json`. Each environment is an issuer of its own: what stands \
            at the root for `production` stands below `/staging` and `/development` for those.\n\n\
            Plain API keys go in `X-API-Key`: your API asks `POST /api/v1/keys/verify` about them, or a gateway asks \
            `GET /api/v1/forward-auth`.\n\n\
            The management API below `/api/v1` takes API keys, and tokens whose `aud` is `{issuer}/api/v1`. Lists go by cursor, newest \
            first; times are RFC 3339 in UTC; errors are RFC 9457 problems with a stable `code`. Every answer has an \
            `X-Request-Id`, which the audit log has too. Every `GET` has a `HEAD`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "OAuth 2.0", description = "The protocol, below each issuer."),
        (name = "Clients", description = "OAuth clients: who gets tokens, and for what."),
        (name = "API keys", description = "Plain keys in `X-API-Key`: who may call, and for what."),
        (name = "Gateways", description = "What gateways ask of every request."),
        (name = "Customers", description = "The tenants of your platform, whom credentials can be tied to."),
        (name = "Users and roles", description = "Whom credentials belong to, and what their role leaves of them."),
        (name = "Scopes", description = "The registry of what scopes mean."),
        (name = "Signing keys", description = "What tokens are signed with."),
        (name = "Audit", description = "Who did what, and how it ended."),
        (name = "Operations", description = "For operators and their machines."),
    ),
    components(schemas(api::schema::Permission, Problem)),
    paths(
        oauth::token,
        oauth::introspect,
        oauth::revoke,
        oauth::jwks,
        oauth::metadata,
        clients::list,
        clients::create,
        clients::show,
        clients::update,
        clients::rotate_secret,
        clients::disable,
        clients::enable,
        clients::revoke,
        clients::revoke_tokens,
        clients::transfer,
        keys::list,
        keys::create,
        keys::verify,
        keys::show,
        keys::update,
        keys::rotate,
        keys::disable,
        keys::enable,
        keys::revoke,
        keys::transfer,
        forward_auth::check,
        customers::list,
        customers::create,
        customers::show,
        customers::update,
        customers::delete,
        users::list,
        users::create,
        users::show,
        users::update,
        users::disable,
        users::enable,
        roles::list,
        roles::create,
        roles::show,
        roles::update,
        roles::delete,
        scopes::list,
        scopes::create,
        scopes::show,
        scopes::update,
        scopes::delete,
        signing_keys::list,
        signing_keys::rotate,
        signing_keys::destroy,
        audit_events::list,
        operations::healthz,
        operations::readyz,
        operations::metrics,
    ),
)]
struct Annotations;

/// The document as it is served.
pub fn serialised(issuers: &Issuers) -> String {
    let issuer = |environment| issuers.of(environment).issuer.to_string();
    let document = document(issuer).to_json();
    let document = document.inspect_err(|error| log::error!("the OpenAPI document: {error}")).unwrap_or_default();
    document.replace(samples::ADDRESS, &issuer(Environment::Production))
}

fn document(issuer: impl Fn(Environment) -> String) -> OpenApi {
    let mut document = Annotations::openapi();
    let components = document.components.get_or_insert_default();
    add_security_schemes(components);
    for (status, name, description) in PROBLEMS {
        let mut response = problem(description);
        if status == "401" {
            response.headers.insert("WWW-Authenticate".to_owned(), Header::default().into());
        }
        components.responses.insert(name.to_owned(), response.into());
    }
    // Its settings are those of a change, which requires none.
    let required: [(&str, &[&str]); 2] = [("NewClient", &["name", "scopes"]), ("NewApiKey", &["name"])];
    for (schema, names) in required {
        if let Some(RefOr::T(Schema::AllOf(new))) = components.schemas.get_mut(schema) {
            let object = names.iter().fold(ObjectBuilder::new(), |object, name| object.required(*name));
            new.items.push(object.into());
        }
    }
    place_metadata(&mut document);
    for endpoint in routes::table() {
        let Some(item) = document.paths.paths.get_mut(endpoint.path()) else { continue };
        for method in endpoint.methods() {
            if let Some(operation) = operation_of(item, method) {
                endpoint.describe(method, operation);
            }
        }
    }
    add_servers(&mut document, issuer);
    document
}

fn add_security_schemes(components: &mut Components) {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("A token for the management API, whose scopes have the permission that an operation names."))
        .build();
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some(
        "`client_id` and `client_secret`, each form-encoded. They can stand in the form instead (`client_secret_post`)."
            .to_owned(),
    );
    components.add_security_scheme(api::BEARER, SecurityScheme::Http(bearer));
    let description = "An API key of Sealwright, whose scopes have the permission that an operation names.";
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", description)));
    components.add_security_scheme(api::API_KEY, key);
    components.add_security_scheme(oauth::BASIC, SecurityScheme::Http(basic));
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// Metadata stands in four places (SPEC §2); the handler's annotation tells of the first.
fn place_metadata(document: &mut OpenApi) {
    let paths = &mut document.paths.paths;
    let Some(first) = paths.get("/.well-known/oauth-authorization-server").cloned() else { return };
    let inserted = ParameterBuilder::new()
        .name("environment")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some([Environment::Staging, Environment::Development].map(Environment::as_str))),
        ))
        .build();
    for (path, operation_id) in [
        ("/.well-known/openid-configuration", "openid_configuration"),
        ("/.well-known/oauth-authorization-server/{environment}", "environment_metadata"),
        ("/.well-known/openid-configuration/{environment}", "environment_openid_configuration"),
    ] {
        let mut item = first.clone();
        if let Some(operation) = &mut item.get {
            operation.operation_id = Some(operation_id.to_owned());
            if path.contains('{') {
                operation.parameters.get_or_insert_default().push(inserted.clone().into());
            }
        }
        paths.insert(path.to_owned(), item);
    }
}

/// Names the issuers as servers of what stands below each of them.
fn add_servers(document: &mut OpenApi, issuer: impl Fn(Environment) -> String) {
    let server = |environment: Environment| {
        let mut server = Server::new(issuer(environment));
        server.description = Some(environment.as_str().to_owned());
        server
    };
    document.servers = Some(vec![Server::new(issuer(Environment::Production))]);
    let table = routes::table();
    for (path, item) in &mut document.paths.paths {
        let stands_below = |environment: &Environment| {
            let path = format!("{}{path}", environment.path_prefix());
            table.iter().any(|endpoint| endpoint.path() == path)
        };
        let below: Vec<Environment> = Environment::ALL.into_iter().filter(stands_below).collect();
        if below.len() > 1 {
            item.servers = Some(below.into_iter().map(server).collect());
        }
    }
}

fn operation_of<'i>(item: &'i mut PathItem, method: &Method) -> Option<&'i mut Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::http::envelope::FORWARD_AUTH;
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::domain::permission;

    fn as_json() -> Value {
        let document = document(|environment| format!("https://auth.example.com{}", environment.path_prefix()));
        serde_json::to_value(document).unwrap()
    }

    fn operations(document: &Value) -> Vec<(String, String, Value)> {
        let mut operations = vec![];
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if method != "servers" {
                    operations.push((method.to_uppercase(), path.clone(), operation.clone()));
                }
            }
        }
        operations
    }

    #[test]
    fn every_route_is_documented_and_every_operation_has_a_route() {
        let document = as_json();
        let mut documented = BTreeSet::new();
        for (method, path, _) in operations(&document) {
            let servers = document["paths"][&path].get("servers").unwrap_or(&document["servers"]);
            for server in servers.as_array().unwrap() {
                let prefix = server["url"].as_str().unwrap().strip_prefix(samples::ADDRESS).unwrap();
                let places = match path.strip_suffix("/{environment}") {
                    Some(start) => vec![format!("{start}/staging"), format!("{start}/development")],
                    None => vec![path.clone()],
                };
                documented.extend(places.into_iter().map(|place| (method.clone(), format!("{prefix}{place}"))));
            }
        }
        let routed: BTreeSet<(String, String)> = routes::table()
            .iter()
            .flat_map(|endpoint| endpoint.methods().map(|method| (method.to_string(), endpoint.path().to_owned())))
            .collect();
        assert_eq!(documented, routed);
    }

    #[test]
    fn every_operation_of_the_management_api_names_one_permission_of_the_closed_list() {
        let document = as_json();
        assert_eq!(document["components"]["schemas"]["Permission"]["enum"], serde_json::json!(permission::ALL));
        for (method, path, operation) in operations(&document) {
            if path.starts_with("/api/v1/") && path != FORWARD_AUTH {
                let named = operation["security"][0][api::BEARER][0].as_str().unwrap_or_default();
                assert!(permission::ALL.contains(&named), "{method} {path}: {named:?}");
                let reads = method == "GET";
                assert_eq!(named.ends_with(":read"), reads, "{method} {path}: {named}");
            }
        }
    }

    #[test]
    fn operations_are_told_apart_and_explained() {
        let document = as_json();
        let mut ids = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{method} {path}");
            assert!(operation["security"].is_array(), "{method} {path}");
        }
    }

    #[test]
    fn samples_are_in_six_languages() {
        let document = as_json();
        for path in ["/api/oauth/token", "/api/v1/clients"] {
            let samples = document["paths"][path]["post"]["x-codeSamples"].as_array().unwrap();
            let languages: Vec<&str> = samples.iter().map(|sample| sample["label"].as_str().unwrap()).collect();
            assert_eq!(languages, ["curl", "Python", "JavaScript", "Go", "Java", "Rust"]);
            for sample in samples {
                assert!(sample["source"].as_str().unwrap().contains(path), "{path} {}", sample["label"]);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    members.values().for_each(|member| references(member, found));
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let document = as_json();
        let mut found = vec![];
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
