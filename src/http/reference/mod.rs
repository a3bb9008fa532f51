//! The reference for developers: the OpenAPI document, and the page that shows it. Everything comes from this binary.

mod enum_names;
mod examples;
mod flat;
mod openapi;
pub mod samples;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::{SharedState, error};

pub use openapi::serialised;

/// The page's scripts come from here, and nothing comes from elsewhere. RapiDoc styles its elements in place.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// RapiDoc as it is published (see `assets/README.md`).
const RAPIDOC: &[u8] = include_bytes!("assets/rapidoc-min.js.gz");

pub async fn document(state: SharedState) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(state.document.clone())
}

pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(include_str!("assets/page.html"))
}

/// A script of the page.
pub async fn asset(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/javascript; charset=utf-8")
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header(("x-content-type-options", "nosniff"));
    match name.as_str() {
        "page.js" => response.body(include_str!("assets/page.js")),
        "rapidoc.js" => response.insert_header((CONTENT_ENCODING, "gzip")).body(RAPIDOC),
        _ => error::not_here(request.path()),
    }
}
