//! Recorded events, and which of them to list.

use super::Outcome;
use crate::domain::ids::{EventId, RequestId};
use crate::domain::time::Timestamp;

/// An event as it was recorded. Its texts are those of the release that recorded it, which may know other actions.
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
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: Option<String>,
    /// The environment concerned.
    pub environment: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// HTTP status.
    pub status: i32,
    /// Why.
    pub reason: String,
    /// HTTP method, or `CLI`.
    pub method: String,
    /// Path, or the command.
    pub path: String,
    /// The caller's address.
    pub address: Option<String>,
    /// The caller's user agent.
    pub user_agent: String,
    /// The request.
    pub request_id: String,
    /// What a gateway that asked has as the id of the request that it asked about.
    pub gateway_request_id: Option<String>,
    /// The token concerned.
    pub jti: Option<String>,
    /// Microseconds that deciding took.
    pub duration_micros: i64,
    /// How many like refusals it stands for.
    pub count: i64,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this environment only.
    pub environment: Option<String>,
    /// Beside those, also of what all environments share, and of nobody known.
    pub with_shared: bool,
    /// That concern one of these customers; any, if empty.
    pub customers: Vec<String>,
    /// That used or concern this credential.
    pub credential: Option<String>,
    /// With this action.
    pub action: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// Of this request.
    pub request_id: Option<RequestId>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Older than this event.
    pub before: Option<EventId>,
}
