//! What gateways say of the requests that they ask about, and what shows that a request was forwarded.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::domain::text::{clipped, wire_text};
use crate::http::State;
use crate::service::access::RequestAsked;

/// Longest parts that are recorded, in bytes.
pub const PATH_KEPT: usize = 256;
pub const METHOD_KEPT: usize = 16;
pub const USER_AGENT_KEPT: usize = 256;
const REQUEST_ID_KEPT: usize = 128;

/// What proxies and content delivery networks name their callers in, with `-` for `_`; `x-forwarded…` and
/// `x-original-forwarded…` beside these.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "cf-connecting-ip"];

/// Whether the head has a forwarding field: the request then came through a proxy, whatever its peer.
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str().replace('_', "-");
        let plain = name.strip_prefix("x-original-").map_or(name.clone(), |rest| format!("x-{rest}"));
        FORWARDING.contains(&name.as_str()) || plain.starts_with("x-forwarded")
    })
}

/// What a trusted proxy says of the request that it asks about; nothing is believed of others.
pub fn asked_about(request: &HttpRequest, state: &State) -> RequestAsked {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    if !peer.is_some_and(|peer| state.server.trusted_proxies.contain(peer)) {
        return RequestAsked::default();
    }
    // The first of the two that is there; if it is repeated or cannot be read, nothing takes its place.
    let field = |names: [&str; 2]| {
        let values = names.into_iter().map(|name| request.headers().get_all(name).as_slice());
        match values.into_iter().find(|values| !values.is_empty())? {
            [value] => value.to_str().ok().map(str::to_owned),
            _ => None,
        }
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
        user_agent: asked.user_agent.map(|agent| plain(agent, USER_AGENT_KEPT)),
        request_id: asked.request_id.map(|id| plain(id, REQUEST_ID_KEPT)),
    }
}

/// A text from the wire for the log, without control characters and secrets: in this order, since what is left after a
/// character is taken out of it may be one.
pub fn readable(text: &str, max: usize) -> String {
    let text: std::borrow::Cow<'_, str> = if text.chars().any(char::is_control) {
        text.chars().filter(|c| !c.is_control()).collect::<String>().into()
    } else {
        text.into()
    };
    clipped(&wire_text(&text), max).to_owned()
}

/// The path of a request target, without its query; of an absolute one without scheme and authority, which may name a
/// user.
fn path_of(target: &str) -> &str {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    }
}
