//! The only room that names actix-web: routes, extractors, views, the one error bridge.

pub mod api;
mod body;
mod describe;
mod endpoint;
mod envelope;
mod error;
mod limits;
mod metrics;
mod oauth;
mod operations;
mod reference;
mod routes;
mod server;
mod tls;

pub use server::{ServeError, Stop, bind, runtime, serve};
pub use tls::check as check_tls;

use std::sync::Arc;

use crate::config::{ServerConfig, SigningConfig};
use crate::service::SharedServices;

/// What handlers share.
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
    fn new(services: SharedServices, server: ServerConfig, signing: SigningConfig) -> Arc<Self> {
        let metrics = metrics::Metrics::new();
        let document = reference::serialised(&services.issuers);
        Arc::new(Self { services, server, signing, metrics, document })
    }
}
