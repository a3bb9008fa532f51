//! The only layer that names actix-web: routes, extractors, responses, the one error bridge.

mod api;
mod body;
mod call;
mod describe;
mod endpoint;
mod error;
mod metrics;
mod middleware;
mod named;
mod oauth;
mod operations;
mod permission;
mod rate_limit;
mod reference;
mod response;
mod routes;
mod said;
mod server;
mod tls;
mod unread_heads;

pub use error::status_of;
pub use server::{ServeError, Stop, bind, runtime, serve};
pub use tls::check as check_tls;
pub use unread_heads::UnreadHeads;

use std::sync::Arc;

use crate::config::{ServerConfig, SigningConfig};
use crate::service::SharedServices;

/// The document's names of how callers of the management API authenticate: by a token, or by a key.
const BEARER: &str = "bearer";
/// The other.
const API_KEY: &str = "api_key";

/// The use cases, and what belongs to this layer alone.
pub struct State {
    services: SharedServices,
    server: ServerConfig,
    signing: SigningConfig,
    metrics: metrics::Metrics,
    /// The OpenAPI document.
    document: String,
}

/// The state as handlers get it.
type SharedState = actix_web::web::Data<State>;

impl State {
    fn new(services: SharedServices, server: ServerConfig, signing: SigningConfig, heads: UnreadHeads) -> Arc<Self> {
        let metrics = metrics::Metrics::new(heads);
        let document = reference::serialised(&services.issuers);
        Arc::new(Self { services, server, signing, metrics, document })
    }
}
