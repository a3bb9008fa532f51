//! What every request goes through: its id, where it came from, bounds on its head, transport security, a last resort for
//! faults, the log line, metrics.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use futures_util::FutureExt as _;

use super::{State, error, limits};
use crate::clock;
use crate::crypto::random;
use crate::domain::audit::Origin;
use crate::domain::caller::Caller;
use crate::domain::environment::Environment;
use crate::domain::network;
use crate::domain::rate::Standing;
use crate::domain::text::{clipped, wire_text};
use crate::service::trail::Trail;
use crate::service::verify_key::RequestAsked;

/// Bytes of a request's head, names and values together.
const HEAD_MAX: usize = 16 * 1024;
/// Fields of a request's head; below the 96 that actix-http reads, so that the answer is one of ours.
const FIELDS_MAX: usize = 90;
/// Where gateways ask.
pub const FORWARD_AUTH: &str = "/api/v1/forward-auth";
/// Longest path and query.
const TARGET_MAX: usize = 8 * 1024;
const USER_AGENT_MAX: usize = 256;
const PATH_KEPT: usize = 256;
const METHOD_KEPT: usize = 16;
const REQUEST_ID_KEPT: usize = 128;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The middleware around all routes.
pub async fn envelope<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let Some(origin) = origin(&request, &state, started) else {
        return Ok(request.into_response(error::internal(request_path_kind(""))));
    };
    let origin = Arc::new(origin);
    request.extensions_mut().insert(Arc::clone(&origin));
    let response = match refuse(&request, &state) {
        Some(refusal) => request.into_response(refusal),
        // No copy of the request may be held here: actix-web needs it to itself for routing.
        None => {
            if let Ok(response) = AssertUnwindSafe(next.call(request)).catch_unwind().await {
                response?.map_into_boxed_body()
            } else {
                log::error!(request_id = origin.request_id.as_str(); "a handler panicked");
                return Err(Panicked(origin).into());
            }
        }
    };
    witness(&response, &state, &origin).await;
    Ok(finish(response, &state, &origin, started))
}

/// Stores the event of a request that was refused before it reached a verb: every request to an API has one.
async fn witness(response: &ServiceResponse<BoxBody>, state: &State, origin: &Arc<Origin>) {
    let unwitnessed = response.response().extensions().get::<error::Unwitnessed>().copied();
    let Some(error::Unwitnessed { action, reason }) = unwitnessed else { return };
    let caller = response.request().extensions().get::<Caller>().cloned();
    let trail = match caller {
        Some(caller) => Trail::of(&caller, action, Arc::clone(origin)),
        None => Trail::anonymous(action, environment_of(&origin.path), Arc::clone(origin)),
    };
    state.services.witness_refusal(&trail, response.status().as_u16(), reason).await;
}

/// A handler panicked: one 500, and the worker goes on.
#[derive(Debug)]
struct Panicked(Arc<Origin>);

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a handler panicked")
    }
}

impl actix_web::ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse {
        let mut response = error::internal(request_path_kind(&self.0.path));
        if let Ok(value) = HeaderValue::from_str(self.0.request_id.as_str()) {
            response.headers_mut().insert(REQUEST_ID.clone(), value);
        }
        response
    }
}

/// The origin that the envelope gave this request.
pub fn origin_of(request: &HttpRequest) -> Arc<Origin> {
    let known = request.extensions().get::<Arc<Origin>>().cloned();
    // The envelope is around every route; this is only for the type's sake.
    known.unwrap_or_else(|| {
        let now = clock::now();
        Arc::new(Origin {
            request_id: crate::domain::ids::RequestId::floor(now),
            method: "".into(),
            path: String::new(),
            address: None,
            user_agent: String::new(),
            gateway_request_id: None,
            received_at: now,
            started: Instant::now(),
        })
    })
}

fn origin(request: &ServiceRequest, state: &State, started: Instant) -> Option<Origin> {
    let now = clock::now();
    let headers = request.headers();
    Some(Origin {
        request_id: random::id(now).ok()?,
        method: method(request),
        path: clipped(&wire_text(request.path()), PATH_KEPT).to_owned(),
        address: caller_address(request, state),
        user_agent: printable(headers.get(actix_web::http::header::USER_AGENT)),
        gateway_request_id: None,
        received_at: now,
        started,
    })
}

fn method(request: &ServiceRequest) -> std::borrow::Cow<'static, str> {
    match request.method().as_str() {
        "GET" => "GET".into(),
        "POST" => "POST".into(),
        other => clipped(other, METHOD_KEPT).to_owned().into(),
    }
}

fn printable(value: Option<&HeaderValue>) -> String {
    let text = value.map(HeaderValue::as_bytes).map(String::from_utf8_lossy).unwrap_or_default();
    readable(&text, USER_AGENT_MAX)
}

/// A text from the wire for the log, without control characters and secrets: in this order, since what is left after a character
/// is taken out of it may be one.
fn readable(text: &str, max: usize) -> String {
    let text: std::borrow::Cow<'_, str> = if text.chars().any(char::is_control) {
        text.chars().filter(|c| !c.is_control()).collect::<String>().into()
    } else {
        text.into()
    };
    clipped(&wire_text(&text), max).to_owned()
}

/// The path of a request target, without its query; of an absolute one without scheme and authority, which may name a user.
fn path_of(target: &str) -> &str {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    }
}

fn caller_address(request: &ServiceRequest, state: &State) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let proxies = &state.server.trusted_proxies;
    if proxies.is_empty() {
        return Some(peer.to_canonical());
    }
    let fields = |name: &HeaderName| {
        request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect::<Vec<&str>>()
    };
    let mut hops = fields(&FORWARDED_FOR);
    if hops.is_empty() {
        hops = fields(&REAL_IP);
    }
    network::caller_address(peer, proxies, hops.into_iter())
}

/// What a trusted proxy says of the request that it asks about; nothing is believed of others.
pub fn asked_about(request: &HttpRequest, state: &State) -> RequestAsked {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    if !peer.is_some_and(|peer| state.server.trusted_proxies.contain(peer)) {
        return RequestAsked::default();
    }
    let field = |names: [&str; 2]| {
        let mut fields = names.into_iter().flat_map(|name| request.headers().get_all(name));
        fields.next().and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    bounded(RequestAsked {
        method: field(["x-forwarded-method", "x-original-method"]),
        path: field(["x-forwarded-uri", "x-original-uri"]),
        user_agent: None,
        request_id: field(["x-request-id", "x-correlation-id"]),
    })
}

/// The same within bounds, without queries and secrets.
pub fn bounded(asked: RequestAsked) -> RequestAsked {
    let plain = |text: String, max: usize| readable(&text, max);
    RequestAsked {
        method: asked.method.map(|method| plain(method, METHOD_KEPT)),
        path: asked.path.map(|path| readable(path_of(&path), PATH_KEPT)),
        user_agent: asked.user_agent.map(|agent| plain(agent, USER_AGENT_MAX)),
        request_id: asked.request_id.map(|id| plain(id, REQUEST_ID_KEPT)),
    }
}

/// Heads out of bounds, and plain HTTP from where it is not served (RFC 6749 §3.2).
fn refuse(request: &ServiceRequest, state: &State) -> Option<HttpResponse> {
    let kind = request_path_kind(request.path());
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > TARGET_MAX) {
        return Some(error::head_refused(kind, 414, "uri_too_long", "The request target is too long."));
    }
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEAD_MAX || headers.len() > FIELDS_MAX {
        return Some(error::head_refused(kind, 431, "head_too_large", "The request head is too large."));
    }
    if is_secure_enough(request, state) {
        return None;
    }
    Some(error::head_refused(
        kind,
        403,
        "tls_required",
        "Plain HTTP is served on loopback and behind trusted proxies only.",
    ))
}

/// TLS ends here, or at a trusted proxy that says so, or the peer is on this machine, or the operator allows plain HTTP.
fn is_secure_enough(request: &ServiceRequest, state: &State) -> bool {
    if state.server.tls.is_some() || state.server.allow_insecure_http {
        return true;
    }
    let Some(peer) = request.peer_addr().map(|address| address.ip().to_canonical()) else { return false };
    let is_trusted = state.server.trusted_proxies.contain(peer);
    // A gateway says of the request that it asks about how that came; whether it should have is the gateway's business.
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

/// What proxies and content delivery networks name their callers in, with `-` for `_`; `x-forwarded…` and
/// `x-original-forwarded…` beside these.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip"];

/// Whether a forwarding field stands in the head: the request then came through a proxy, whatever its peer.
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str().replace('_', "-");
        let plain = name.strip_prefix("x-original-").map_or(name.clone(), |rest| format!("x-{rest}"));
        FORWARDING.contains(&name.as_str()) || plain.starts_with("x-forwarded")
    })
}

/// Which error format a path speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// RFC 6749 errors.
    OAuth,
    /// RFC 9457 problems.
    Problem,
}

/// The error format of `path`.
pub fn request_path_kind(path: &str) -> PathKind {
    if path.contains("/api/oauth/") { PathKind::OAuth } else { PathKind::Problem }
}

/// The issuer below which one of the protocol's endpoints stands.
fn environment_of(path: &str) -> Option<Environment> {
    let (before, _) = path.split_once("/api/oauth/")?;
    Environment::ALL.into_iter().find(|environment| environment.path_prefix() == before)
}

fn finish(
    mut response: ServiceResponse<BoxBody>,
    state: &State,
    origin: &Origin,
    started: Instant,
) -> ServiceResponse<BoxBody> {
    let status = response.status().as_u16();
    let id = origin.request_id.as_str();
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let standing = response.request().extensions().get::<Standing>().copied();
    if let Some(standing) = standing {
        limits::add_fields(response.headers_mut(), &standing);
    }
    let elapsed = started.elapsed();
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    state.metrics.count_request(&route, status, elapsed);
    log::info!(
        target: "sealwright::access",
        request_id = id,
        method:% = origin.method,
        path = origin.path.as_str(),
        status = status,
        address:? = origin.address.map(|address| address.to_string()).unwrap_or_default(),
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        "request"
    );
    response
}
