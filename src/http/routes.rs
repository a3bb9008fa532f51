//! The whole table of routes. Each entry says its operation's id, what the operation does, and its handler; the document has
//! the rest from the handler's signature.

use actix_web::web::{self, ServiceConfig};

use super::api::credentials::{self, ApiKeys, Clients};
use super::api::{audit_events, customers, forward_auth, roles, scopes, signing_keys, users, verify};
use super::endpoint::{Endpoint, op};
use super::middleware::FORWARD_AUTH;
use super::reference::samples;
use super::{error, oauth, operations, reference};
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
    [
        hot_routes(),
        Environment::ALL.into_iter().flat_map(issuer_routes).collect(),
        operations_routes(),
        client_routes(),
        key_routes(),
        directory_routes(),
        other_routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is called for every request of others. actix-web compares a path with one pattern after another: these come first.
fn hot_routes() -> Vec<Endpoint> {
    vec![
        Endpoint::at("Gateways", FORWARD_AUTH).get(
            op(
                "forward_auth",
                "Decide whether a request may pass",
                "For `auth_request` of nginx, `forward_auth` of Caddy and `ForwardAuth` of Traefik. It reads `X-API-Key`, or \
                 `Authorization: Bearer` with a token of Sealwright or an API key. The six identity fields are always \
                 there, so that no field that a client sends can replace one that is missing.",
            ),
            forward_auth::check,
        ),
        Endpoint::at("API keys", "/api/v1/keys/verify").post(
            op(
                "verify_key",
                "Verify an API key",
                "The response is 200 whatever the result: `code` says what applies first. A use that is admitted counts \
                 towards the key's rate limits; the call does not count towards the caller's.",
            ),
            verify::verify,
        ),
    ]
}

/// SPEC §2: below each issuer are the same paths. Metadata is served in both spellings: the well-known part before the
/// issuer's path (RFC 8414 §3.1) and after it (OpenID Connect Discovery).
fn issuer_routes(environment: Environment) -> Vec<Endpoint> {
    let prefix = environment.path_prefix();
    let at = |path: &str| Endpoint::at("Tokens", format!("{prefix}{path}")).below(oauth::Issuer(environment));
    vec![
        at("/api/oauth/token").with_oauth_errors().post(
            op(
                "create_token",
                "Create a token",
                "The client credentials grant (RFC 6749 §4.4). The client authenticates with HTTP Basic or in the form, not \
                 both.",
            )
            .with_samples(&samples::TOKEN),
            oauth::token,
        ),
        at("/api/oauth/introspect").with_oauth_errors().post(
            op(
                "introspect_token",
                "Introspect a token",
                "RFC 7662. A client sees its own tokens, tokens of audiences that it is the resource server of, and with \
                 `sealwright.tokens:introspect` all tokens. Every other token is not active.",
            ),
            oauth::introspect,
        ),
        at("/api/oauth/revoke").with_oauth_errors().post(
            op(
                "revoke_token",
                "Revoke a token",
                "RFC 7009. A client revokes its own tokens. For any other token nothing happens, and the response is the \
                 same.",
            ),
            oauth::revoke,
        ),
        at("/.well-known/jwks.json").get(
            op(
                "get_jwks",
                "Show the public keys",
                "RFC 7517 §5: every key that a token in force may be signed with, and the next ones.",
            ),
            oauth::jwks,
        ),
        at("/.well-known/oauth-authorization-server").get(
            op("get_metadata", "Show the issuer's metadata", "RFC 8414: where its endpoints are, and what they accept."),
            oauth::metadata,
        ),
        at("/.well-known/openid-configuration").get(
            op(
                "get_openid_configuration",
                "Show the issuer's metadata as OpenID Connect Discovery has it",
                "The same as RFC 8414 metadata.",
            ),
            oauth::metadata,
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
        at("/healthz").get(op("get_health", "Show whether the process answers", ""), operations::healthz),
        at("/readyz").get(
            op(
                "get_readiness",
                "Show whether tokens can be issued",
                "They can if the database answers, audit events can be stored, and every signing key is available.",
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

fn client_routes() -> Vec<Endpoint> {
    use credentials::{create, disable, enable, list, revoke, revoke_tokens, rotate, show, transfer, update};
    let at = |path: &str| Endpoint::at("Clients", format!("/api/v1/clients{path}"));
    vec![
        at("")
            .get(op("list_clients", "List clients", "Newest first, of the caller's environment."), list::<Clients>)
            .post(
                op(
                    "create_client",
                    "Create a client",
                    "The response has its `client_secret`, this once. The caller's own scopes must cover those of the \
                     client.",
                )
                .with_samples(&samples::CREATE_CLIENT),
                create::<Clients>,
            ),
        at("/{id}").get(op("get_client", "Show a client", ""), show::<Clients>).patch(
            op("update_client", "Update a client", "Settings that are absent stay as they are."),
            update::<Clients>,
        ),
        at("/{id}/rotate-secret").post(
            op(
                "rotate_client_secret",
                "Rotate a client's secret",
                "The response has the new `client_secret`, this once. The old one ends at once, or after `grace`.",
            ),
            rotate::<Clients>,
        ),
        at("/{id}/disable")
            .post(op("disable_client", "Disable a client", "It can be enabled again."), disable::<Clients>),
        at("/{id}/enable")
            .post(op("enable_client", "Enable a client", "A disabled client is accepted again."), enable::<Clients>),
        at("/{id}/revoke").post(
            op("revoke_client", "Revoke a client", "Permanently. Its record and its audit events stay."),
            revoke::<Clients>,
        ),
        at("/{id}/revoke-tokens").post(
            op(
                "revoke_client_tokens",
                "Revoke the tokens of a client",
                "All that were issued before this moment, to the millisecond.",
            ),
            revoke_tokens,
        ),
        at("/{id}/transfer").post(
            op(
                "transfer_client",
                "Transfer a client to another owner",
                "From then on that user's role limits what it may do. Without an owner it belongs to the organisation.",
            ),
            transfer::<Clients>,
        ),
    ]
}

fn key_routes() -> Vec<Endpoint> {
    use credentials::{create, disable, enable, list, revoke, rotate, show, transfer, update};
    let at = |path: &str| Endpoint::at("API keys", format!("/api/v1/keys{path}"));
    vec![
        at("").get(op("list_keys", "List API keys", "Newest first, of the caller's environment."), list::<ApiKeys>).post(
            op(
                "create_key",
                "Create an API key",
                "The response has the `key` itself, this once. The caller's own scopes must cover those of the key.",
            ),
            create::<ApiKeys>,
        ),
        at("/{id}").get(op("get_key", "Show an API key", ""), show::<ApiKeys>).patch(
            op("update_key", "Update an API key", "Settings that are absent stay as they are."),
            update::<ApiKeys>,
        ),
        at("/{id}/rotate").post(
            op(
                "rotate_key",
                "Rotate an API key",
                "The response has the new value as `key`, this once. The old one ends at once, or after `grace`.",
            ),
            rotate::<ApiKeys>,
        ),
        at("/{id}/disable").post(op("disable_key", "Disable an API key", "It can be enabled again."), disable::<ApiKeys>),
        at("/{id}/enable")
            .post(op("enable_key", "Enable an API key", "A disabled key is accepted again."), enable::<ApiKeys>),
        at("/{id}/revoke").post(
            op("revoke_key", "Revoke an API key", "Permanently. Its record and its audit events stay."),
            revoke::<ApiKeys>,
        ),
        at("/{id}/transfer").post(
            op(
                "transfer_key",
                "Transfer an API key to another owner",
                "From then on that user's role limits what it may do. Without an owner it belongs to the organisation.",
            ),
            transfer::<ApiKeys>,
        ),
    ]
}

/// What all environments share is changed with credentials of production.
const SHARED: &str = "Needs a credential of production, as all changes to what the environments share.";

fn directory_routes() -> Vec<Endpoint> {
    let customer = |path: &str| Endpoint::at("Customers", format!("/api/v1/customers{path}"));
    let user = |path: &str| Endpoint::at("Users and roles", format!("/api/v1/users{path}"));
    let role = |path: &str| Endpoint::at("Users and roles", format!("/api/v1/roles{path}"));
    let scope = |path: &str| Endpoint::at("Scopes", format!("/api/v1/scopes{path}"));
    vec![
        customer("")
            .get(op("list_customers", "List customers", "Newest first."), customers::list)
            .post(op("create_customer", "Create a customer", SHARED), customers::create),
        customer("/{id}")
            .get(op("get_customer", "Show a customer", ""), customers::show)
            .patch(op("update_customer", "Update a customer", ""), customers::update)
            .delete(
                op(
                    "delete_customer",
                    "Delete a customer",
                    "No credential may be tied to it. Its audit events stay.",
                ),
                customers::delete,
            ),
        user("").get(op("list_users", "List users", "Newest first."), users::list).post(
            op("create_user", "Create a user", "The caller must have the scopes of the user's role."),
            users::create,
        ),
        user("/{id}").get(op("get_user", "Show a user", ""), users::show).patch(
            op(
                "update_user",
                "Update a user",
                "The caller must have the scopes of the user's role, before and after the change.",
            ),
            users::update,
        ),
        user("/{id}/disable").post(
            op(
                "disable_user",
                "Disable a user",
                "The user's credentials stop at once, until the user is enabled again or they are transferred.",
            ),
            users::disable,
        ),
        user("/{id}/enable")
            .post(op("enable_user", "Enable a user", "The user's credentials are accepted again."), users::enable),
        role("").get(op("list_roles", "List roles", "By name."), roles::list).post(
            op("create_role", "Create a role", "The caller must have the scopes of the role."),
            roles::create,
        ),
        role("/{name}")
            .get(op("get_role", "Show a role", ""), roles::show)
            .patch(
                op(
                    "update_role",
                    "Update a role",
                    "In force for the next request of every credential of its users. `owner` cannot be changed.",
                ),
                roles::update,
            )
            .delete(
                op("delete_role", "Delete a role", "No user may have it, and it may not be built in."),
                roles::delete,
            ),
        scope("")
            .get(
                op(
                    "list_scopes",
                    "List registered scopes",
                    "Newest first. The registry says what scopes mean; a credential may have scopes that are not in it.",
                ),
                scopes::list,
            )
            .post(op("create_scope", "Register a scope", SHARED), scopes::create),
        scope("/{name}")
            .get(op("get_scope", "Show a registered scope", ""), scopes::show)
            .patch(op("update_scope", "Update a registered scope", ""), scopes::update)
            .delete(
                op("delete_scope", "Remove a scope from the registry", "Credentials that have it keep it."),
                scopes::delete,
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
                "For emergencies: what it signed does not verify any more. If it was active, its successor is active at \
                 once.",
            ),
            signing_keys::destroy,
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
