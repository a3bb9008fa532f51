//! Where a request came from: its id, its address behind trusted proxies, what it asks for.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue, USER_AGENT};
use actix_web::{HttpMessage as _, HttpRequest};

use super::forwarded::{METHOD_KEPT, PATH_KEPT, USER_AGENT_KEPT, readable};
use crate::domain::audit::Origin;
use crate::domain::ids::RequestId;
use crate::domain::text::{clipped, wire_text};
use crate::domain::time::Timestamp;
use crate::http::State;

pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The origin of `request`; none if the operating system gives no randomness for its id.
pub fn of(request: &ServiceRequest, state: &State, started: Instant) -> Option<Origin> {
    let (request_id, now) = state.services.recorder.events().request_id().ok()?;
    Some(Origin {
        request_id,
        method: method(request),
        path: clipped(&wire_text(request.path()), PATH_KEPT).to_owned(),
        address: caller_address(request, state),
        user_agent: user_agent(request.headers().get(USER_AGENT)),
        gateway_request_id: None,
        received_at: now,
        started,
    })
}

/// The origin that the middleware gave this request.
pub fn origin_of(request: &HttpRequest) -> Arc<Origin> {
    let known = request.extensions().get::<Arc<Origin>>().cloned();
    // The middleware is around every route; this is only for the type's sake.
    known.unwrap_or_else(|| {
        let never = Timestamp::from_millis(0);
        Arc::new(Origin {
            request_id: RequestId::floor(never),
            method: "".into(),
            path: String::new(),
            address: None,
            user_agent: String::new(),
            gateway_request_id: None,
            received_at: never,
            started: Instant::now(),
        })
    })
}

fn method(request: &ServiceRequest) -> Cow<'static, str> {
    match request.method().as_str() {
        "GET" => "GET".into(),
        "POST" => "POST".into(),
        other => readable(other, METHOD_KEPT).into(),
    }
}

fn user_agent(value: Option<&HeaderValue>) -> String {
    let text = value.map(HeaderValue::as_bytes).map(String::from_utf8_lossy).unwrap_or_default();
    readable(&text, USER_AGENT_KEPT)
}

fn caller_address(request: &ServiceRequest, state: &State) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let proxies = &state.server.trusted_proxies;
    if proxies.is_empty() {
        return Some(peer.to_canonical());
    }
    let header = state.server.client_address_header;
    header.caller(peer, proxies, request.headers().get_all(header.as_str()).map(HeaderValue::as_bytes))
}
