//! The whole table of routes. Each entry says its operation's id, what the operation does, and its handler; the
//! document has the rest from the handler's signature.

mod credentials;
mod directory;
mod protocol;

use actix_web::web::{self, ServiceConfig};

use super::api::{audit_events, forward_auth, revoke_all, signing_keys, verify};
use super::endpoint::{Endpoint, op};
use super::middleware::FORWARD_AUTH;
use super::{error, oauth, operations, reference};
use crate::domain::environment::Environment;

/// Enters every route; those of the reference only where it is public. `issuer_path` is the path of the external base
/// address.
pub fn configure(config: &mut ServiceConfig, public_docs: bool, issuer_path: &str) {
    // A path whose percent signs make no text names nothing.
    config.app_data(web::PathConfig::default().error_handler(|_, request| {
        actix_web::error::InternalError::from_response("path", error::not_here(request.path())).into()
    }));
    let reference = if public_docs { reference_routes() } else { vec![] };
    let environments = Environment::ALL.into_iter().filter(|_| !issuer_path.is_empty());
    let below_path = environments.flat_map(|environment| protocol::well_known_before(issuer_path, environment));
    for endpoint in below_path.chain(table()).chain(reference) {
        config.service(endpoint.into_resource());
    }
    config.default_service(web::to(error::not_found));
}

/// Every route that the OpenAPI document describes.
pub fn table() -> Vec<Endpoint> {
    [
        hot_routes(),
        Environment::ALL.into_iter().flat_map(protocol::tokens).collect(),
        Environment::ALL.into_iter().flat_map(protocol::well_known).collect(),
        operations_routes(),
        credentials::clients(),
        credentials::client_actions(),
        credentials::keys(),
        credentials::key_actions(),
        directory::customers(),
        directory::users(),
        directory::roles(),
        directory::scopes(),
        other_routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is called for every request of others. actix-web compares a path with one pattern after another: these come
/// first.
fn hot_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::at("Gateways", FORWARD_AUTH).get(
            op(
                "forward_auth",
                "Decide whether a request may pass",
                "For `auth_request` of nginx, `forward_auth` of Caddy, `ForwardAuth` of Traefik and others. It reads \
                 `X-API-Key`, or `Authorization: Bearer` with a token of Sealwright or an API key. The six identity \
                 fields are always there, so that no field that a client sends can replace one that is missing.",
            ),
            forward_auth::check,
        ),
        Endpoint::at("API keys", "/api/v1/keys/verify").post(
            op(
                "verify_key",
                "Verify an API key",
                "The response is 200 whatever the result: `code` says what applies first. A use that is admitted \
                 counts towards the key's rate limits; the call does not count towards the caller's.",
            ),
            verify::verify,
        ),
    ]
}

fn operations_routes() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Operations", path);
    vec![
        Endpoint::at("Tokens", "/.well-known/oauth-authorization-server/{environment}").get(
            op("get_environment_metadata", "Show the metadata of an environment's issuer", "RFC 8414 §3.1."),
            oauth::metadata_of,
        ),
        Endpoint::at("Tokens", "/.well-known/openid-configuration/{environment}").get(
            op(
                "get_environment_openid_configuration",
                "Show the metadata of an environment's issuer as OpenID Connect Discovery has it",
                "The same as RFC 8414 metadata.",
            ),
            oauth::metadata_of,
        ),
        at("/healthz").get(op("get_health", "Show whether the process responds", ""), operations::healthz),
        at("/readyz").get(
            op(
                "get_readiness",
                "Show whether tokens can be issued",
                "They can if the database can be reached, audit events can be stored, and every signing key is \
                 available.",
            ),
            operations::readyz,
        ),
        at("/metrics").get(
            op(
                "get_metrics",
                "Show metrics",
                "For callers on the same machine whose request has no forwarding field, and for callers with \
                 `sealwright.metrics:read`.",
            ),
            operations::metrics,
        ),
    ]
}

fn other_routes() -> Vec<Endpoint> {
    let key = |path: &str| Endpoint::at("Signing keys", format!("/api/v1/signing-keys{path}"));
    vec![
        key("").get(
            op("list_signing_keys", "List signing keys", "Newest first. Private halves are never shown."),
            signing_keys::list,
        ),
        key("/rotate").post(
            op(
                "rotate_signing_key",
                "Rotate a signing key",
                "The new key is `pending`: published, so that verifiers know it, and signing after `lead`. The old one \
                 then remains published until the last token that it signed has expired.",
            ),
            signing_keys::rotate,
        ),
        key("/{kid}/destroy").post(
            op(
                "destroy_signing_key",
                "Destroy a signing key",
                "For emergencies: what it signed does not verify any more. If it was active, its successor is active \
                 at once.",
            ),
            signing_keys::destroy,
        ),
        Endpoint::at("Operations", "/api/v1/revoke-all").post(
            op(
                "revoke_all",
                "Revoke all credentials of an environment, an owner or a customer",
                "For emergencies: permanently, clients and API keys alike, in one act that is in force with the \
                 response, however many they are. It reaches the credentials that the caller sees; those that are \
                 created, tied or transferred later are not revoked by it. The events of the credentials follow.",
            ),
            revoke_all::revoke_all,
        ),
        Endpoint::at("Audit", "/api/v1/audit-events").get(
            op("list_audit_events", "List audit events", "Every access and change, newest first."),
            audit_events::list,
        ),
    ]
}

/// The document, and the page that shows it. They are in no document.
fn reference_routes() -> Vec<Endpoint> {
    let at = |path: &str| Endpoint::at("Reference", path);
    vec![
        at("/api/openapi.json").get(op("get_document", "Show the document", ""), reference::document),
        at("/docs").get(op("get_reference", "Show the reference", ""), reference::page),
        at("/docs/{asset}").get(op("get_asset", "Show a script of the reference", ""), reference::asset),
    ]
}
