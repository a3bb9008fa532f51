//! Recorded events, and the filter to list them.

use std::net::IpAddr;

use super::{Action, Outcome, Reason};
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;

/// An event as it was recorded. Its names are those of the release that recorded it, which may know other actions.
#[derive(Clone, Debug)]
pub struct RecordedEvent {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// Who acted.
    pub actor: String,
    /// The credential that was used or tried.
    pub credential: Option<String>,
    /// The customer concerned.
    pub customer: Option<String>,
    /// The action.
    pub action: String,
    /// The object of the action.
    pub target: Option<String>,
    /// The environment concerned.
    pub environment: Option<String>,
    /// The outcome.
    pub outcome: String,
    /// HTTP status.
    pub status: i32,
    /// The reason for the outcome.
    pub reason: String,
    /// HTTP method, or `CLI`.
    pub method: String,
    /// Path, or the command.
    pub path: String,
    /// The caller's address.
    pub address: Option<String>,
    /// The caller's user agent.
    pub user_agent: String,
    /// The request's id.
    pub request_id: String,
    /// The id that a gateway sent for the request that it asks about.
    pub gateway_request_id: Option<String>,
    /// The token concerned.
    pub jti: Option<String>,
    /// Microseconds from the request's arrival to the decision.
    pub duration_micros: i64,
    /// The number of refusals that the event represents.
    pub count: i64,
}

/// A filter of events to list. All conditions must apply.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this environment only.
    pub environment: Option<String>,
    /// Includes events without an environment: those of shared objects and of unknown callers.
    pub with_shared: bool,
    /// That concern one of these customers; any, if empty.
    pub customers: Vec<String>,
    /// That used or concern this credential.
    pub credential: Option<String>,
    /// Of this actor.
    pub actor: Option<String>,
    /// That concern this object.
    pub target: Option<String>,
    /// That concern this customer.
    pub customer: Option<String>,
    /// With this action.
    pub action: Option<Action>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// With this reason.
    pub reason: Option<Reason>,
    /// Of callers with this address.
    pub address: Option<IpAddr>,
    /// Of this request.
    pub request_id: Option<RequestId>,
    /// Of requests that a gateway gave this id.
    pub gateway_request_id: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Older than this event.
    pub before: Option<EventId>,
}
