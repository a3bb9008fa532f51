//! Transport security (RFC 6749 §3.2).

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::{FORWARD_AUTH, path_kind};
use crate::http::State;
use crate::http::error::{self, ProblemCode};

static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The paths of probes, which are served from anywhere: their responses contain no secret, and they read no credential.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Refuses plain HTTP where it is not served.
pub fn refuse(request: &ServiceRequest, state: &State) -> Option<HttpResponse> {
    if is_secure_enough(request, state) {
        return None;
    }
    let detail = "Plain HTTP is served on loopback and behind trusted proxies only.";
    Some(error::head_refused(path_kind(request.path()), ProblemCode::TlsRequired, detail))
}

/// TLS ends here, or at a trusted proxy that says so, or the peer is on this machine, or the operator allows plain
/// HTTP.
fn is_secure_enough(request: &ServiceRequest, state: &State) -> bool {
    if state.server.tls.is_some() || state.server.allow_insecure_http || PROBES.contains(&request.path()) {
        return true;
    }
    let Some(peer) = request.peer_addr().map(|address| address.ip().to_canonical()) else { return false };
    let is_trusted = state.server.trusted_proxies.contain(peer);
    // A gateway says how the request arrived that it asks about. Whether that is secure enough is up to the gateway.
    if is_trusted && request.path() == FORWARD_AUTH {
        return true;
    }
    if is_trusted {
        let said: Vec<&[u8]> = request.headers().get_all(&FORWARDED_PROTO).map(HeaderValue::as_bytes).collect();
        match said.as_slice() {
            [one] => return one.eq_ignore_ascii_case(b"https"),
            [] => {}
            _ => return false,
        }
    }
    peer.is_loopback()
}
