//! The whole table of routes.

use actix_web::dev::HttpServiceFactory;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

use super::envelope::PathKind;
use super::{api, error, oauth, operations};
use crate::domain::environment::Environment;

/// Enters every route.
pub fn configure(config: &mut ServiceConfig) {
    // A path whose percent signs make no text names nothing.
    config.app_data(web::PathConfig::default().error_handler(|_, request| {
        actix_web::error::InternalError::from_response("path", error::not_here(request.path())).into()
    }));
    for environment in Environment::ALL {
        issuer_routes(config, environment);
    }
    config
        .service(get("/healthz", || web::to(operations::healthz)))
        .service(get("/readyz", || web::to(operations::readyz)))
        .service(get("/metrics", || web::to(operations::metrics)));
    management_routes(config);
    config.default_service(web::to(error::not_found));
}

/// SPEC §2: below each issuer stand the same paths. Metadata stands in both spellings: the well-known part before the
/// issuer's path (RFC 8414 §3.1) and after it (OpenID Connect Discovery).
fn issuer_routes(config: &mut ServiceConfig, environment: Environment) {
    let at = |path: &str| format!("{}{path}", environment.path_prefix());
    let own = move |resource: Resource| resource.app_data(web::Data::new(oauth::Issuer(environment)));
    config
        .service(own(oauth_post(&at("/api/oauth/token"), web::to(oauth::token))))
        .service(own(oauth_post(&at("/api/oauth/introspect"), web::to(oauth::introspect))))
        .service(own(oauth_post(&at("/api/oauth/revoke"), web::to(oauth::revoke))))
        .service(own(get(&at("/.well-known/jwks.json"), || web::to(oauth::jwks))))
        .service(own(get(&at("/.well-known/oauth-authorization-server"), || web::to(oauth::metadata))))
        .service(own(get(&at("/.well-known/openid-configuration"), || web::to(oauth::metadata))));
    if environment != Environment::Production {
        for name in ["oauth-authorization-server", "openid-configuration"] {
            let inserted = format!("/.well-known/{name}{}", environment.path_prefix());
            config.service(own(get(&inserted, || web::to(oauth::metadata))));
        }
    }
}

fn management_routes(config: &mut ServiceConfig) {
    use api::{audit_events, clients, scopes, signing_keys};
    config
        .service(methods(
            "/api/v1/clients",
            "GET, HEAD, POST",
            [web::get().to(clients::list), web::head().to(clients::list), web::post().to(clients::create)],
        ))
        .service(methods(
            "/api/v1/clients/{id}",
            "GET, HEAD, PATCH",
            [web::get().to(clients::show), web::head().to(clients::show), web::patch().to(clients::update)],
        ))
        .service(post("/api/v1/clients/{id}/rotate-secret", web::to(clients::rotate_secret)))
        .service(post("/api/v1/clients/{id}/disable", web::to(clients::disable)))
        .service(post("/api/v1/clients/{id}/enable", web::to(clients::enable)))
        .service(post("/api/v1/clients/{id}/revoke", web::to(clients::revoke)))
        .service(post("/api/v1/clients/{id}/revoke-tokens", web::to(clients::revoke_tokens)))
        .service(methods(
            "/api/v1/scopes",
            "GET, HEAD, POST",
            [web::get().to(scopes::list), web::head().to(scopes::list), web::post().to(scopes::create)],
        ))
        .service(methods(
            "/api/v1/scopes/{name}",
            "GET, HEAD, PATCH, DELETE",
            [
                web::get().to(scopes::show),
                web::head().to(scopes::show),
                web::patch().to(scopes::update),
                web::delete().to(scopes::delete),
            ],
        ))
        .service(get("/api/v1/signing-keys", || web::to(signing_keys::list)))
        .service(post("/api/v1/signing-keys/rotate", web::to(signing_keys::rotate)))
        .service(post("/api/v1/signing-keys/{kid}/destroy", web::to(signing_keys::destroy)))
        .service(get("/api/v1/audit-events", || web::to(audit_events::list)));
}

fn get(path: &str, route: impl Fn() -> Route) -> Resource {
    methods_of(
        PathKind::Problem,
        path,
        "GET, HEAD",
        [route().method(actix_web::http::Method::GET), route().method(actix_web::http::Method::HEAD)],
    )
}

fn post(path: &str, route: Route) -> Resource {
    methods_of(PathKind::Problem, path, "POST", [route.method(actix_web::http::Method::POST)])
}

fn oauth_post(path: &str, route: Route) -> Resource {
    methods_of(PathKind::OAuth, path, "POST", [route.method(actix_web::http::Method::POST)])
}

fn methods<const N: usize>(path: &str, allow: &'static str, routes: [Route; N]) -> impl HttpServiceFactory + 'static {
    methods_of(PathKind::Problem, path, allow, routes)
}

/// A resource that answers other methods with 405 and `Allow`.
fn methods_of<const N: usize>(kind: PathKind, path: &str, allow: &'static str, routes: [Route; N]) -> Resource {
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    resource.default_service(web::to(move || std::future::ready(error::method_not_allowed(kind, allow))))
}
