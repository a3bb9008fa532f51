//! Audit events.

use serde::Serialize;
use utoipa::ToSchema;

use super::field::{Address, Line, Word};
use super::input::{Optional, input};
use crate::domain::audit::{Action, EventFilter, Outcome, Reason, RecordedEvent};
use crate::domain::environment::Environment;
use crate::domain::ids::RequestId;
use crate::domain::reference::CustomerReference;
use crate::domain::time::Timestamp;

/// A recorded access or change. It never has a secret, a token or a key.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct AuditEventView {
    id: String,
    time: Timestamp,
    /// Who acted: a credential's id, `cli:` and the number of the operating system's user, `system`, or `anonymous`;
    /// `several` in a summary of refusals of several actors.
    actor: String,
    /// The credential that was used or tried, if it exists.
    #[schema(required)]
    credential: Option<String>,
    #[schema(required)]
    customer: Option<String>,
    /// What was done, such as `token.issue` or `client.create`.
    #[schema(value_type = Action)]
    action: String,
    /// What it was done to.
    #[schema(required)]
    target: Option<String>,
    #[schema(required, value_type = Option<Environment>)]
    environment: Option<String>,
    /// `success`, `refused` (the caller is at fault, or may not) or `error` (the service failed).
    #[schema(value_type = Outcome)]
    outcome: String,
    /// HTTP status of the response, or the one that would go with it for a command.
    status: i32,
    /// A stable code of why.
    #[schema(value_type = Reason)]
    reason: String,
    /// HTTP method; `CLI` for a command.
    method: String,
    /// Path without its query; the command's words for a command.
    path: String,
    /// The caller's address behind trusted proxies.
    #[schema(required)]
    address: Option<String>,
    /// `User-Agent`; for a command the program and, in brackets, the name that its environment claimed for the user.
    user_agent: String,
    /// `X-Request-Id` of the response.
    request_id: String,
    /// The id that a gateway has for the request that it asked about.
    #[schema(required)]
    gateway_request_id: Option<String>,
    /// The token concerned.
    #[schema(required)]
    jti: Option<String>,
    /// Microseconds from the request's arrival to the decision.
    duration_micros: i64,
    /// How many refusals with the same reason this event summarises; otherwise 1. A summary has what its refusals have
    /// in common, and id, time, status and request id of the first.
    count: i64,
}

impl From<&RecordedEvent> for AuditEventView {
    fn from(event: &RecordedEvent) -> Self {
        let event = event.clone();
        Self {
            id: event.id,
            time: event.time,
            actor: event.actor,
            credential: event.credential,
            customer: event.customer,
            action: event.action,
            target: event.target,
            environment: event.environment,
            outcome: event.outcome,
            status: event.status,
            reason: event.reason,
            method: event.method,
            path: event.path,
            address: event.address,
            user_agent: event.user_agent,
            request_id: event.request_id,
            gateway_request_id: event.gateway_request_id,
            jti: event.jti,
            duration_micros: event.duration_micros,
            count: event.count,
        }
    }
}

input! {
    /// Which audit events to list.
    pub struct AuditEventFilters {
        /// Only events of this environment.
        environment: Optional<Environment>,
        /// Only events that used or concern this credential.
        credential: Optional<Word>,
        /// Only events with this action, such as `token.issue`.
        action: Optional<Action>,
        /// Only events with this outcome.
        outcome: Optional<Outcome>,
        /// Only events with this reason, such as `rate_limited`.
        reason: Optional<Reason>,
        /// Only events that concern this customer, by either of its ids; also one that was deleted.
        customer: Optional<CustomerReference>,
        /// Only events of this actor: a credential's id, `cli:` and a user of the operating system, `system`, or
        /// `anonymous`.
        actor: Optional<Word>,
        /// Only events about this object.
        target: Optional<Word>,
        /// Only events of callers with this address.
        address: Optional<Address>,
        /// Only events of this request.
        request_id: Optional<RequestId>,
        /// Only events of requests that a gateway gave this id.
        gateway_request_id: Optional<Line>,
        /// Only events at this time or later.
        since: Optional<Timestamp>,
        /// Only events before this time.
        until: Optional<Timestamp>,
    }
}

impl From<AuditEventFilters> for EventFilter {
    fn from(filters: AuditEventFilters) -> Self {
        Self {
            environment: filters.environment.map(|environment| environment.to_string()),
            credential: filters.credential,
            action: filters.action,
            outcome: filters.outcome,
            customer: filters.customer.map(|customer| customer.to_string()),
            actor: filters.actor,
            target: filters.target,
            reason: filters.reason,
            address: filters.address,
            request_id: filters.request_id,
            gateway_request_id: filters.gateway_request_id,
            since: filters.since,
            until: filters.until,
            ..Self::default()
        }
    }
}
