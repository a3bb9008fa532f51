//! Binds the socket, serves, and stops without dropping requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::{App, HttpServer, web};

use super::{State, UnreadHeads, middleware, routes, tls};
use crate::config::Config;
use crate::domain::time::Duration;
use crate::service::SharedServices;

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket.
    #[error("{address}: {error}")]
    Socket {
        /// Where it should listen.
        address: SocketAddr,
        /// The operating system's error.
        error: std::io::Error,
    },
    /// Certificate or key.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// Binds the socket; port 0 takes a free one.
///
/// # Errors
/// The address is taken or not to be had.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|error| ServeError::Socket { address, error })
}

/// The runtime that the server runs on.
pub fn runtime() -> actix_web::rt::SystemRunner {
    actix_web::rt::System::new()
}

/// What ends a server.
pub enum Stop {
    /// SIGTERM or SIGINT; what is under way is finished for at most `shutdown_timeout`.
    Signals,
    /// The end of this future, at once: for a server that is part of another program, such as a test.
    When(std::pin::Pin<Box<dyn Future<Output = ()>>>),
}

/// Serves until `stop`. `ready` is called once requests are accepted.
///
/// # Errors
/// Certificate or key cannot be used, or the socket fails.
pub async fn serve(
    config: &Config,
    services: SharedServices,
    heads: UnreadHeads,
    listener: TcpListener,
    stop: Stop,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let address = config.server.listen;
    let issuer_path = services.issuers.path().to_owned();
    let state = web::Data::from(State::new(services, config.server.clone(), config.signing.clone(), heads));
    let settings = config.server.clone();
    let workers = settings.workers;
    let seconds = |duration: Duration| u64::try_from(duration.as_seconds()).unwrap_or(0);
    let shared = Arc::clone(&state);
    let public_docs = settings.public_docs;
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&shared)))
            .wrap(actix_web::middleware::from_fn(middleware::around))
            .configure(|config| routes::configure(config, public_docs, &issuer_path))
    })
    .workers(workers)
    .max_connections((settings.max_connections / workers).max(1))
    .keep_alive(settings.keep_alive.to_std())
    .client_request_timeout(settings.request_timeout.to_std())
    .client_disconnect_timeout(std::time::Duration::from_secs(2))
    .shutdown_timeout(seconds(settings.shutdown_timeout));
    server = match &settings.tls {
        Some(files) => server.listen_rustls_0_23(listener, tls::server_config(files)?),
        None => server.listen(listener),
    }
    .map_err(|error| ServeError::Socket { address, error })?;
    let running = match stop {
        Stop::Signals => server.run(),
        Stop::When(over) => {
            let running = server.disable_signals().run();
            let handle = running.handle();
            actix_web::rt::spawn(async move {
                over.await;
                handle.stop(false).await;
            });
            running
        }
    };
    ready();
    running.await.map_err(|error| ServeError::Socket { address, error })
}
