//! The whole table of routes.

use actix_web::web::{self, ServiceConfig};

use super::endpoint::Endpoint;
use super::envelope::FORWARD_AUTH;
use super::{api, error, oauth, operations, reference};
use crate::domain::environment::Environment;

/// Enters every route; those of the reference only where it is public.
pub fn configure(config: &mut ServiceConfig, public_docs: bool) {
    // A path whose percent signs make no text names nothing.
    config.app_data(web::PathConfig::default().error_handler(|_, request| {
        actix_web::error::InternalError::from_response("path", error::not_here(request.path())).into()
    }));
    let reference = if public_docs { reference_routes() } else { vec![] };
    for endpoint in table().into_iter().chain(reference) {
        config.service(endpoint.into_resource());
    }
    config.default_service(web::to(error::not_found));
}

/// Every route that the OpenAPI document describes.
pub fn table() -> Vec<Endpoint> {
    let mut table: Vec<Endpoint> = hot_routes();
    table.extend(Environment::ALL.into_iter().flat_map(issuer_routes));
    table.extend(operations_routes());
    table.extend(management_routes());
    table
}

/// What is asked for every request of others. actix-web compares a path with one pattern after another: these come first.
fn hot_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::at(FORWARD_AUTH).get(api::forward_auth::check),
        Endpoint::at("/api/v1/keys/verify").post(api::keys::verify),
    ]
}

/// SPEC §2: below each issuer stand the same paths. Metadata stands in both spellings: the well-known part before the
/// issuer's path (RFC 8414 §3.1) and after it (OpenID Connect Discovery).
fn issuer_routes(environment: Environment) -> Vec<Endpoint> {
    let prefix = environment.path_prefix();
    let at = |path: String| Endpoint::below(oauth::Issuer(environment), path);
    let mut routes = vec![
        at(format!("{prefix}/api/oauth/token")).with_oauth_errors().post(oauth::token),
        at(format!("{prefix}/api/oauth/introspect")).with_oauth_errors().post(oauth::introspect),
        at(format!("{prefix}/api/oauth/revoke")).with_oauth_errors().post(oauth::revoke),
        at(format!("{prefix}/.well-known/jwks.json")).get(oauth::jwks),
        at(format!("{prefix}/.well-known/oauth-authorization-server")).get(oauth::metadata),
        at(format!("{prefix}/.well-known/openid-configuration")).get(oauth::metadata),
    ];
    if environment != Environment::Production {
        routes.extend([
            at(format!("/.well-known/oauth-authorization-server{prefix}")).get(oauth::metadata),
            at(format!("/.well-known/openid-configuration{prefix}")).get(oauth::metadata),
        ]);
    }
    routes
}

fn operations_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/healthz").get(operations::healthz),
        Endpoint::at("/readyz").get(operations::readyz),
        Endpoint::at("/metrics").get(operations::metrics),
    ]
}

fn management_routes() -> Vec<Endpoint> {
    use api::{audit_events, clients, customers, keys, roles, scopes, signing_keys, users};
    let at = |path: &str| Endpoint::at(format!("/api/v1{path}"));
    vec![
        at("/clients").get(clients::list).post(clients::create),
        at("/clients/{id}").get(clients::show).patch(clients::update),
        at("/clients/{id}/rotate-secret").post(clients::rotate_secret),
        at("/clients/{id}/disable").post(clients::disable),
        at("/clients/{id}/enable").post(clients::enable),
        at("/clients/{id}/revoke").post(clients::revoke),
        at("/clients/{id}/revoke-tokens").post(clients::revoke_tokens),
        at("/clients/{id}/transfer").post(clients::transfer),
        at("/keys").get(keys::list).post(keys::create),
        at("/keys/{id}").get(keys::show).patch(keys::update),
        at("/keys/{id}/rotate").post(keys::rotate),
        at("/keys/{id}/disable").post(keys::disable),
        at("/keys/{id}/enable").post(keys::enable),
        at("/keys/{id}/revoke").post(keys::revoke),
        at("/keys/{id}/transfer").post(keys::transfer),
        at("/customers").get(customers::list).post(customers::create),
        at("/customers/{id}").get(customers::show).patch(customers::update).delete(customers::delete),
        at("/users").get(users::list).post(users::create),
        at("/users/{id}").get(users::show).patch(users::update),
        at("/users/{id}/disable").post(users::disable),
        at("/users/{id}/enable").post(users::enable),
        at("/roles").get(roles::list).post(roles::create),
        at("/roles/{name}").get(roles::show).patch(roles::update).delete(roles::delete),
        at("/scopes").get(scopes::list).post(scopes::create),
        at("/scopes/{name}").get(scopes::show).patch(scopes::update).delete(scopes::delete),
        at("/signing-keys").get(signing_keys::list),
        at("/signing-keys/rotate").post(signing_keys::rotate),
        at("/signing-keys/{kid}/destroy").post(signing_keys::destroy),
        at("/audit-events").get(audit_events::list),
    ]
}

/// The document, and the page that shows it.
fn reference_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/api/openapi.json").get(reference::document),
        Endpoint::at("/docs").get(reference::page),
        Endpoint::at("/docs/{asset}").get(reference::asset),
    ]
}
